"""Study of chapter 6: searches of hard prompts at one budget, what fluency costs, and what prompts
are worth to another model, with prompts that were searched on two models at once.

Costs as measured on one core of a busy machine, seeds x seconds: hard-prompts 5 x 265,
patient-reinforcement 3 x 201.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import all_profiles, questions, scores, usual_template
from course.prompting.prompts import UNSEEN_TEMPLATES
from course.search.base import Method, SearchResult, search
from course.search.baselines import Exhaustive, RandomSearch
from course.search.fluency import Fluent, fluency, is_gibberish, least_fluent
from course.search.gradient import AutoPrompt, Pez
from course.search.objective import Answers, answers
from course.search.reinforce import RLPrompt
from course.search.transfer import Joint
from course.search.words import words_of
from course.studies.bodies import GPTS
from course.studies.claims import Claim, MoreThan, Varies, fails, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.world.instructions import INSTRUCTIONS

#: The model that prompts are searched for, the one that some are searched for beside it, and those
#: that they are then given to.
MODEL, PARTNER, THIRD = GPTS
OTHERS = (PARTNER, THIRD, "gpt-small", "gpt-large")
#: Tasks with labels, and layouts of items that the corpus has for none of them: the model does not
#: see that it is asked. How it does where it sees that is recorded beside.
TASKS = ("sentiment", "topic", "inference", "grammar")
LAYOUTS = UNSEEN_TEMPLATES
#: Model calls of a search, words of a prompt, and items to search with and to report on.
BUDGET, LENGTH, TRAINED, TESTED = 2500, 5, 64, 100
#: The ways that are no search of :func:`methods`: people's words, a search that counts fluency, and
#: one on two models.
BY_HAND, FLUENT, TOGETHER = "by hand", "AutoPrompt with fluency", "AutoPrompt on two models"
#: What ways are called in figures and tables, where the records have other names.
CALLED = {BY_HAND: "people's words", "random": "random words", "exhaustive": "single words"}
#: Points on the axis of calls, for curves.
CALLS = tuple(range(250, BUDGET + 1, 250))
#: Where a search by reinforcement is looked at that may take ten times as long.
PATIENT = (BUDGET, 2 * BUDGET, 4 * BUDGET, 10 * BUDGET)
#: Weight of a nat a word in a search that counts fluency, in units of the gap between the labels'
#: probabilities.
WEIGHT = 0.02


def methods(words: Sequence[str], length: int = LENGTH, seed: int = 0) -> tuple[Method, ...]:
    """The searches that are compared, the baselines first.

    Args:
        words: the vocabulary, which the exhaustive search tries word by word, as far as it gets.
        seed: of the order in which it does.
    """
    single = Exhaustive(tuple(Rng(f"single words/{seed}").sample(words, len(words))))
    random, control = RandomSearch(tuple(words), length), AutoPrompt(length, guided=False)
    return single, random, control, Pez(length), RLPrompt(length), AutoPrompt(length)


def objective(
    task: str,
    layout: str,
    seed: int = 0,
    train: int = TRAINED,
    test: int = TESTED,
    wanted_tier: str | None = None,
) -> Answers:
    """A task in one of :data:`LAYOUTS`."""
    return answers(
        task, train, test, seed, measure="gap", template=LAYOUTS[layout], wanted_tier=wanted_tier
    )


def by_hand(model: LanguageModel, objective: Answers, task: str) -> str:
    """The best of people's instructions for a task, by the training items."""
    return search(
        Exhaustive(INSTRUCTIONS[task]), objective, model, len(INSTRUCTIONS[task]) * objective.size
    ).prompt


def hard_prompts(
    seed: int,
    tasks: Sequence[str] = TASKS,
    layouts: Sequence[str] = tuple(LAYOUTS),
    budget: int = BUDGET,
    others: Sequence[str] = OTHERS,
) -> list[Row]:
    """By task, layout and way: the prompt, its accuracies (percent) here and on other models, how
    it reads, and the accuracy along the search.
    """
    bound = least_fluent(_load(MODEL))
    return [
        {"task": task, "layout": layout, **row}
        for task in tasks
        for layout in layouts
        for row in _of_cell(task, layout, seed, budget, others, bound)
    ]


def _of_cell(
    task: str, layout: str, seed: int, budget: int, others: Sequence[str], bound: float
) -> Iterator[Row]:
    model, items = _load(MODEL), objective(task, layout, seed)
    results = {
        method.title: search(method, items, model, budget, seed)
        for method in methods(words_of(model).texts, seed=seed)
    }
    prompts = {BY_HAND: by_hand(model, items, task)}
    prompts |= {title: result.prompt for title, result in results.items()}
    prompts |= _further(model, items, budget, seed)
    for way, prompt in prompts.items():
        yield from rows_of(_described(model, items, prompt, bound), way=way, model=MODEL)
    for way, result in results.items():
        yield from ({"way": way, **row} for row in _along(result))
    known = _in_known_layout(model, task, seed, prompts[BY_HAND])
    yield from rows_of({"known layout": known}, way=BY_HAND)
    for name in others:
        for way, prompt in prompts.items():
            yield from rows_of({"test": items.held_out(_load(name), prompt)}, way=way, model=name)


def _further(model: LanguageModel, items: Answers, budget: int, seed: int) -> dict[str, str]:
    """What AutoPrompt finds if it counts fluency, and if it searches on two models, with as many
    calls of both together.
    """
    method, joint = AutoPrompt(LENGTH), Joint(items, (_load(PARTNER),))
    return {
        FLUENT: search(method, Fluent(items, WEIGHT), model, budget, seed).prompt,
        TOGETHER: search(method, joint, model, budget // joint.calls_a_trial, seed).prompt,
    }


def patient(seed: int) -> list[Row]:
    """By task and layout: RLPrompt's accuracy (percent) on test items after so many calls, with
    :data:`PATIENT` calls at most, the calls that it made, and the accuracy of people's words.
    """
    model, rows = _load(MODEL), []
    for task in TASKS:
        for layout in LAYOUTS:
            items = objective(task, layout, seed)
            result = search(RLPrompt(LENGTH), items, model, PATIENT[-1], seed)
            columns = {"task": task, "layout": layout}
            for calls in PATIENT:
                right = {"test after": _right_after(result, calls)}
                rows += rows_of(right, calls=calls, **columns)
            hand = items.held_out(model, by_hand(model, items, task))
            rows += rows_of({"calls": result.calls, BY_HAND: hand}, **columns)
    return rows


@cache
def _load(name: str) -> LanguageModel:
    return load(name)


def _described(
    model: LanguageModel, items: Answers, prompt: str, bound: float
) -> dict[str, float | str]:
    """A prompt with its accuracies (percent) on training and test items, and how it reads: nats a
    word, and 1 if that is below ``bound``.
    """
    right = scores(model, items.questions(prompt, range(items.size))).mean()
    return {
        "prompt": prompt,
        "train": 100 * float(right),
        "test": items.held_out(model, prompt),
        "fluency": float(fluency(model, [prompt])[0]),
        "gibberish": int(is_gibberish(model, [prompt], bound)[0]),
    }


def _along(result: SearchResult) -> Iterator[Row]:
    """The calls of a search, and its accuracy (percent) on test items along :data:`CALLS`."""
    yield {"measure": "calls", "value": result.calls}
    for calls in CALLS:
        yield {"measure": "test after", "calls": calls, "value": _right_after(result, calls)}


def _right_after(result: SearchResult, calls: int) -> float:
    """Accuracy (percent) on test items of the best prompt after so many calls; before the first
    prompt, that of the first one.
    """
    held_out = result.at(calls)
    if held_out is None:
        held_out = result.steps[0].held_out
    assert held_out is not None, "search() measures it"
    return held_out


def _in_known_layout(model: LanguageModel, task: str, seed: int, instruction: str) -> float:
    """Accuracy (percent) of an instruction where the items are laid out as in the corpus."""
    template = usual_template(task, "tiny")
    drawn = questions(
        all_profiles(task), 0, TESTED, seed, template=template, instruction=instruction
    )
    return 100 * float(scores(model, list(dict.fromkeys(drawn))).mean())


def held_out(table: pd.DataFrame, way: str, model: str = MODEL) -> np.ndarray:
    """Accuracy (percent) on test items, here or on another model, mean over tasks and layouts,
    (seeds,).
    """
    return by_seed(table, measure="test", way=way, model=model)


def known_layout(table: pd.DataFrame) -> np.ndarray:
    """Accuracy (percent) of people's best instruction in the layout that the corpus has for each
    task, mean over the tasks, (seeds,).
    """
    return by_seed(table, measure="known layout")


def searches(table: pd.DataFrame) -> list[str]:
    """The ways that have a curve, in their order."""
    return [*where(table, measure="test after")["way"].unique()]


def mean_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Search -> accuracy (percent) on test items at :data:`CALLS`, mean over the tasks, (seeds,
    points).
    """
    return {
        CALLED.get(way, way): curve(table, "calls", measure="test after", way=way)
        for way in searches(table)
    }


def by_cell(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) on test items: a row a way, a column a task and layout."""
    rows = where(table, measure="test", model=MODEL)
    rows = rows[~rows["way"].isin((FLUENT, TOGETHER))]
    cells = [f"{task}, {layout}" for task in TASKS for layout in LAYOUTS]
    named = rows.assign(cell=rows["task"] + ", " + rows["layout"])
    return means(named, "way", "cell", cells).rename(index=CALLED)


#: Measure -> what its column is called.
_READING = {
    "train": "training items (%)",
    "test": "test items (%)",
    "fluency": "fluency (nats a word)",
    "gibberish": "gibberish (%)",
}


def reading(table: pd.DataFrame) -> pd.DataFrame:
    """How prompts do and how they read, mean over seeds and tasks: a row a way, with accuracies in
    percent, nats a word, and the share of gibberish in percent.
    """
    found = means(table, "way", "measure", ("train", "test", "fluency", "gibberish"), model=MODEL)
    found["gibberish"] *= 100
    return found.rename(index=CALLED, columns=_READING)


def prompts_found(table: pd.DataFrame, layout: str, seed: int = 0) -> pd.DataFrame:
    """What one seed's searches found in a layout: a row a task and way, with the words
    (``prompt``), test accuracy (percent), and 1 if they are gibberish.
    """
    rows = where(table, seed=seed, model=MODEL, layout=layout)
    rows = rows[~rows["way"].isin((FLUENT, TOGETHER))]
    texts = where(rows, measure="prompt")[["task", "way", "text"]]
    for name in ("test", "gibberish"):
        found = where(rows, measure=name)[["task", "way", "value"]]
        texts = texts.merge(found.rename(columns={"value": name}), on=["task", "way"])
    return texts.rename(columns={"text": "prompt"}).replace({"way": CALLED})


def fluent_prompts(table: pd.DataFrame, tasks: Sequence[str], layout: str) -> pd.DataFrame:
    """The prompts of the search that counts fluency: a row a seed, a column a task."""
    rows = where(table, way=FLUENT, measure="prompt", layout=layout)
    return rows.pivot(index="seed", columns="task", values="text")[[*tasks]]


def elsewhere(table: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Way -> model -> accuracy (percent) on test items, mean over tasks and layouts, (seeds,);
    people's words first, then the searches that change more than one word, then that on two models.
    """
    ways = [way for way in (BY_HAND, *searches(table)) if way not in ("exhaustive", "random")]
    return {
        CALLED.get(way, way): {name: held_out(table, way, name) for name in (MODEL, *OTHERS)}
        for way in (*ways, TOGETHER)
    }


def prompts_elsewhere(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """The prompts found for a task: a row a seed, layout and search, with accuracies (percent) on
    test items of the model it was searched for, and of the others.
    """
    rows = where(table, task=task)
    rows, key = rows[rows["way"].isin(searches(table))], ["seed", "layout", "way"]
    texts = where(rows, measure="prompt").set_index(key)["text"].rename("prompt")
    right = where(rows, measure="test").pivot_table("value", key, "model")
    return texts.to_frame().join(right[[MODEL, *OTHERS]]).reset_index(drop=True)


def after_patience(table: pd.DataFrame) -> np.ndarray:
    """RLPrompt's accuracy (percent) on test items after :data:`PATIENT` calls, mean over the tasks,
    (seeds, points).
    """
    return curve(table, "calls", measure="test after")


def _gain(way: str, model: str = MODEL) -> Callable[[pd.DataFrame], np.ndarray]:
    """By how many points a way's prompts are better than people's, by seed."""
    return lambda table: held_out(table, way, model) - held_out(table, BY_HAND, model)


def after_patience_gains(table: pd.DataFrame) -> np.ndarray:
    """RLPrompt with ten times the calls minus people's words (points), (seeds,)."""
    return after_patience(table)[:, -1] - by_seed(table, measure=BY_HAND)


def _random_gain(table: pd.DataFrame) -> dict[str, float]:
    """What a cheat gains over people's words: random words, as many calls."""
    return {"random words": float(_gain("random")(table).mean())}


HARD = Study("hard-prompts", 3, (MODEL, *OTHERS), (0, 1, 2, 3, 4), hard_prompts)
PATIENTLY = Study("patient-reinforcement", 2, (MODEL,), (0, 1, 2, 3, 4), patient)
STUDIES = (HARD, PATIENTLY)


_NEAR_CHANCE = (
    "a point or two better on the mean, as random words are: in a layout that it does not know the"
    " model stays near chance whatever words stand above, while the layout that it knows is worth"
    " forty points"
)


def _claim(
    statement: str,
    source: str,
    values: Callable[[pd.DataFrame], np.ndarray],
    study: Study = HARD,
    baselines: Callable[[pd.DataFrame], dict[str, float]] | None = None,
    judged: Callable[[str], dict[str, Any]] = fails,
    because: str = _NEAR_CHANCE,
) -> Claim:
    """A claim that prompts beat the best of people's instructions by more than three points, which
    none is seen to do.
    """
    return Claim(
        "6a",
        statement,
        MoreThan(3),
        source,
        varies=(Varies.ITEMS, Varies.TRAINING),
        studies=(study,),
        values=values,
        baselines=baselines,
        **judged(because),
    )


CLAIMS = (
    *(
        _claim(
            f"In unseen layouts {way}'s prompts beat the best of people's instructions.",
            source,
            _gain(way),
            baselines=_random_gain,
        )
        for way, source in (
            ("AutoPrompt", "shin2020autoprompt"),
            ("PEZ", "wen2023hard"),
            ("RLPrompt", "deng2022rlprompt"),
        )
    ),
    _claim(
        "With ten times the calls, RLPrompt's prompts beat them.",
        "deng2022rlprompt",
        after_patience_gains,
        PATIENTLY,
    ),
    _claim(
        "AutoPrompt's prompts still beat them if it counts fluency.",
        "wen2023hard",
        _gain(FLUENT),
        judged=undecided,
    ),
    _claim(
        "AutoPrompt's prompts beat them on a model of another seed, too.",
        "deng2022rlprompt",
        _gain("AutoPrompt", THIRD),
        because="they are no better on the mean: the little that they gained is not carried over",
    ),
    _claim(
        "Prompts searched on two models beat them on a third one.",
        "deng2022rlprompt",
        _gain(TOGETHER, THIRD),
        judged=undecided,
    ),
)

"""Study of chapter 6: searches of hard prompts at one budget, what fluency costs, and what prompts
are worth to another model.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import all_profiles, questions, scores
from course.prompting.prompts import LIST_TEMPLATES, UNSEEN_TEMPLATES, Template
from course.search.base import Method, SearchResult, search
from course.search.baselines import Exhaustive, RandomSearch
from course.search.fluency import Fluent, fluency, is_gibberish, least_fluent
from course.search.gradient import AutoPrompt, Pez
from course.search.objective import Answers, answers
from course.search.reinforce import RLPrompt
from course.search.words import words_of
from course.studies.claims import Claim, Varies, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.studies.verdicts import MoreThan
from course.world.exercises import EXERCISES
from course.world.instructions import INSTRUCTIONS

#: The model that prompts are searched for, and those that they are then given to.
MODEL, OTHERS = "gpt-middle", ("gpt-middle-seed1", "gpt-small", "gpt-large")
#: Task -> a layout of items that the corpus does not have for it: the model knows the task and does
#: not see that it is asked.
LAYOUTS = {
    "sentiment": UNSEEN_TEMPLATES["comma"],
    "inference": UNSEEN_TEMPLATES["comma"],
    "grammar": LIST_TEMPLATES["colon"],
}
TASKS = tuple(LAYOUTS)
#: Task -> the layout that it has there.
KNOWN_LAYOUTS = {"sentiment": LIST_TEMPLATES["colon"]} | {
    name: Template(EXERCISES[name].frame) for name in ("inference", "grammar")
}
#: Model calls of a search, words of a prompt, and items to search with and to report on.
BUDGET, LENGTH, TRAINED, TESTED = 5000, 5, 64, 150
#: The ways that are no search of :func:`methods`: people's words, and a search that counts fluency.
BY_HAND, FLUENT = "by hand", "AutoPrompt with fluency"
#: Points on the axis of calls, for curves.
CALLS = tuple(range(500, BUDGET + 1, 500))
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
    seed: int = 0,
    train: int = TRAINED,
    test: int = TESTED,
    wanted_tier: str | None = None,
) -> Answers:
    """A task in a layout that the corpus does not have for it."""
    return answers(
        task, train, test, seed, measure="gap", template=LAYOUTS[task], wanted_tier=wanted_tier
    )


def by_hand(model: LanguageModel, objective: Answers, task: str) -> str:
    """The best of people's instructions for a task, by the training items."""
    return search(
        Exhaustive(INSTRUCTIONS[task]), objective, model, len(INSTRUCTIONS[task]) * objective.size
    ).prompt


def hard_prompts(
    seed: int, tasks: Sequence[str] = TASKS, budget: int = BUDGET, others: Sequence[str] = OTHERS
) -> list[Row]:
    """By task and way: the prompt, its accuracies (percent) here and on other models, how it reads,
    and the accuracy along the search.
    """
    bound = least_fluent(_load(MODEL))
    return [row for task in tasks for row in _of_task(task, seed, budget, others, bound)]


def _of_task(
    task: str, seed: int, budget: int, others: Sequence[str], bound: float
) -> Iterator[Row]:
    model, items = _load(MODEL), objective(task, seed)
    results = {
        method.title: search(method, items, model, budget, seed)
        for method in methods(words_of(model).texts, seed=seed)
    }
    fluent = search(AutoPrompt(LENGTH), Fluent(items, WEIGHT), model, budget, seed)
    prompts = {BY_HAND: by_hand(model, items, task)}
    prompts |= {title: result.prompt for title, result in results.items()}
    for way, prompt in (prompts | {FLUENT: fluent.prompt}).items():
        yield from rows_of(_described(model, items, prompt, bound), task=task, way=way, model=MODEL)
    for way, result in results.items():
        yield from ({"task": task, "way": way, **row} for row in _along(result))
    known = _in_known_layout(model, task, seed, prompts[BY_HAND])
    yield from rows_of({"known layout": known}, task=task, way=BY_HAND)
    for name in others:
        for way, prompt in prompts.items():
            right = {"test": items.held_out(_load(name), prompt)}
            yield from rows_of(right, task=task, way=way, model=name)


def patient(seed: int) -> list[Row]:
    """By task: RLPrompt's accuracy (percent) on test items after so many calls, with
    :data:`PATIENT` calls at most, and the calls that it made.
    """
    model, rows = _load(MODEL), []
    for task in TASKS:
        result = search(RLPrompt(LENGTH), objective(task, seed), model, PATIENT[-1], seed)
        for calls in PATIENT:
            rows += rows_of({"test after": _right_after(result, calls)}, task=task, calls=calls)
        rows += rows_of({"calls": result.calls}, task=task)
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
    drawn = questions(
        all_profiles(task), 0, TESTED, seed, template=KNOWN_LAYOUTS[task], instruction=instruction
    )
    return 100 * float(scores(model, list(dict.fromkeys(drawn))).mean())


def held_out(table: pd.DataFrame, way: str, model: str = MODEL) -> np.ndarray:
    """Accuracy (percent) on test items, here or on another model, mean over the tasks, (seeds,)."""
    return by_seed(table, measure="test", way=way, model=model)


def known_layout(table: pd.DataFrame) -> np.ndarray:
    """Accuracy (percent) of people's best instruction in the layout of the corpus, mean over the
    tasks, (seeds,).
    """
    return by_seed(table, measure="known layout")


def searches(table: pd.DataFrame) -> list[str]:
    """The ways that have a curve, in their order."""
    return [*where(table, measure="test after")["way"].unique()]


def mean_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Search -> accuracy (percent) on test items at :data:`CALLS`, mean over the tasks, (seeds,
    points).
    """
    return {way: curve(table, "calls", measure="test after", way=way) for way in searches(table)}


def by_task(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) on test items, mean over seeds: a row a way, a column a task."""
    found = means(table, "way", "task", TASKS, measure="test", model=MODEL)
    return found.drop(index=FLUENT, errors="ignore")


def reading(table: pd.DataFrame) -> pd.DataFrame:
    """How prompts do and how they read, mean over seeds and tasks: a row a way, with accuracies in
    percent, nats a word, and the share of gibberish in percent.
    """
    found = means(table, "way", "measure", ("train", "test", "fluency", "gibberish"), model=MODEL)
    found["gibberish"] *= 100
    return found.rename(columns={"fluency": "nats a word"})


def prompts_found(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """What one seed's searches found: a row a task and way, with the words (``prompt``), test
    accuracy (percent), and 1 if they are gibberish.
    """
    rows = where(table, seed=seed, model=MODEL)
    rows = rows[rows["way"] != FLUENT]
    texts = where(rows, measure="prompt")[["task", "way", "text"]]
    for name in ("test", "gibberish"):
        found = where(rows, measure=name)[["task", "way", "value"]]
        texts = texts.merge(found.rename(columns={"value": name}), on=["task", "way"])
    return texts.rename(columns={"text": "prompt"})


def fluent_prompts(table: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """The prompts of the search that counts fluency: a row a seed, a column a task."""
    rows = where(table, way=FLUENT, measure="prompt")
    return rows.pivot(index="seed", columns="task", values="text")[[*tasks]]


def elsewhere(table: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Way -> model -> accuracy (percent) on test items, mean over the tasks, (seeds,); people's
    words first, then the searches that change more than one word.
    """
    ways = [way for way in (BY_HAND, *searches(table)) if way not in ("exhaustive", "random")]
    return {way: {name: held_out(table, way, name) for name in (MODEL, *OTHERS)} for way in ways}


def prompts_elsewhere(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """The prompts found for a task: a row a seed and search, with accuracies (percent) on test
    items of the model it was searched for, and of the others.
    """
    rows = where(table, task=task)
    rows = rows[rows["way"].isin(searches(table))]
    texts = where(rows, measure="prompt").set_index(["seed", "way"])["text"].rename("prompt")
    right = where(rows, measure="test").pivot_table("value", ["seed", "way"], "model")
    return texts.to_frame().join(right[[MODEL, *OTHERS]]).reset_index(drop=True)


def after_patience(table: pd.DataFrame) -> np.ndarray:
    """RLPrompt's accuracy (percent) on test items after :data:`PATIENT` calls, mean over the tasks,
    (seeds, points).
    """
    return curve(table, "calls", measure="test after")


def _gain(way: str, model: str = MODEL) -> Callable[[pd.DataFrame], np.ndarray]:
    """By how many points a way's prompts are better than people's, by seed."""
    return lambda table: held_out(table, way, model) - held_out(table, BY_HAND, model)


_SEEDS = (0, 1, 2, 3, 4)
HARD = Study("hard-prompts", 2, (MODEL, *OTHERS), _SEEDS, hard_prompts)
PATIENTLY = Study("patient-reinforcement", 1, (MODEL,), _SEEDS, patient)
STUDIES = (HARD, PATIENTLY)

_SCATTER = undecided("the mean gain lies near the threshold, and seeds differ by more")
_SEARCHED = (Varies.ITEMS, Varies.TRAINING)


def _over_people(
    statement: str, source: str, values: Callable[..., np.ndarray], **more: Any
) -> Claim:
    """A claim that prompts that were found beat people's by three points."""
    settings = {"studies": (HARD,), **more}
    return Claim("6a", statement, MoreThan(3), source, _SEARCHED, values=values, **settings)


CLAIMS = (
    _over_people(
        "AutoPrompt's prompts beat the best of people's instructions.",
        "shin2020autoprompt",
        _gain("AutoPrompt"),
    ),
    _over_people(
        "PEZ's prompts beat the best of people's instructions.",
        "wen2023hard",
        _gain("PEZ"),
        **_SCATTER,
    ),
    _over_people(
        "RLPrompt's prompts beat the best of people's instructions.",
        "deng2022rlprompt",
        _gain("RLPrompt"),
        **undecided("seeds differ by more than the gain; the budget pays for twenty updates"),
    ),
    _over_people(
        "With ten times the calls, RLPrompt's prompts beat them.",
        "deng2022rlprompt",
        lambda late, table: after_patience(late)[:, -1] - held_out(table, BY_HAND),
        studies=(PATIENTLY, HARD),
        **undecided("the mean is above the threshold, but five seeds scatter"),
    ),
    _over_people(
        "AutoPrompt's prompts still beat them if it minds fluency.", "wen2023hard", _gain(FLUENT)
    ),
    _over_people(
        "AutoPrompt's prompts beat them on a model of another seed.",
        "deng2022rlprompt",
        _gain("AutoPrompt", OTHERS[0]),
        **_SCATTER,
    ),
)

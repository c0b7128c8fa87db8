"""Study of chapter 6: searches of hard prompts at one budget, what fluency costs, and what prompts
are worth to another model.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import all_profiles, questions, scores
from course.prompting.prompts import LIST_TEMPLATES, UNSEEN_TEMPLATES, Template
from course.search import (
    Answers,
    AutoPrompt,
    Exhaustive,
    Fluent,
    Method,
    Pez,
    RandomSearch,
    RLPrompt,
    SearchResult,
    answers,
    fluency,
    is_gibberish,
    least_fluent,
    search,
    words_of,
)
from course.studies.records import Study, columns
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
#: Points on the axis of calls, for curves.
CALLS = tuple(range(500, BUDGET + 1, 500))
#: Where a search by reinforcement is looked at that may take ten times as long.
PATIENT = (BUDGET, 2 * BUDGET, 4 * BUDGET, 10 * BUDGET)
#: What a nat a word is worth to a search that minds fluency, in units of the gap between the
#: labels' probabilities.
WEIGHT = 0.02


def methods(words: Sequence[str], length: int = LENGTH, seed: int = 0) -> tuple[Method, ...]:
    """The searches that are compared, the floors first.

    Args:
        words: the vocabulary, which the exhaustive search tries word by word, as far as it gets.
        seed: of the order in which it does.
    """
    single = Exhaustive(tuple(Rng(f"single words/{seed}").sample(words, len(words))))
    return (
        single, RandomSearch(tuple(words), length), AutoPrompt(length, guided=False), Pez(length), RLPrompt(length), AutoPrompt(length),
    )  # fmt: skip


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
) -> dict:
    """Task -> what people wrote, what every search found and when, with and without minding
    fluency, here and on other models.
    """
    model = _load(MODEL)
    below = least_fluent(model)
    found = {}
    for task in tasks:
        items = objective(task, seed)
        results = {
            method.title: search(method, items, model, budget, seed)
            for method in methods(words_of(model).texts, seed=seed)
        }
        minded = search(AutoPrompt(LENGTH), Fluent(items, WEIGHT), model, budget, seed)
        hand = by_hand(model, items, task)
        prompts = {"by hand": hand} | {title: result.prompt for title, result in results.items()}
        found[task] = {
            "by hand": _described(model, items, hand, below),
            "known layout": _in_known_layout(model, task, seed, hand),
            "found": {
                title: _curve(result) | _described(model, items, result.prompt, below)
                for title, result in results.items()
            },
            "fluent": _described(model, items, minded.prompt, below),
            "transfer": {
                name: {title: items.held_out(_load(name), text) for title, text in prompts.items()}
                for name in others
            },
        }
    return found


def patient(seed: int) -> dict:
    """Task -> RLPrompt's accuracy (percent) on test items after so many calls, with :data:`PATIENT`
    calls at most.
    """
    model, found = _load(MODEL), {}
    for task in TASKS:
        result = search(RLPrompt(LENGTH), objective(task, seed), model, PATIENT[-1], seed)
        found[task] = {"calls": result.calls, "curve": [result.at(calls) for calls in PATIENT]}
    return found


@cache
def _load(name: str) -> LanguageModel:
    return load(name)


def _described(model: LanguageModel, items: Answers, prompt: str, below: float) -> dict:
    """A prompt with its accuracies (percent) on training and test items, and how it reads."""
    right = scores(model, items.asked(prompt, range(items.size))).mean()
    return {
        "prompt": prompt,
        "train": 100 * float(right),
        "held_out": items.held_out(model, prompt),
        "fluency": float(fluency(model, [prompt])[0]),
        "gibberish": bool(is_gibberish(model, [prompt], below)[0]),
    }


def _curve(result: SearchResult) -> dict:
    """Accuracy (percent) on test items of the best prompt after so many calls; before the first
    prompt, that of the first one.
    """
    reached = [result.at(calls) for calls in CALLS]
    return {
        "calls": result.calls,
        "curve": [result.steps[0].held_out if right is None else right for right in reached],
    }


def _in_known_layout(model: LanguageModel, task: str, seed: int, instruction: str) -> float:
    """Accuracy (percent) of an instruction where the items are laid out as in the corpus."""
    asked = questions(
        all_profiles(task), 0, TESTED, seed, template=KNOWN_LAYOUTS[task], instruction=instruction
    )
    return 100 * float(scores(model, list(dict.fromkeys(asked))).mean())


def by_task(values: Sequence[dict], *place: str) -> dict[str, float]:
    """Task -> accuracy (percent) on test items, mean over seeds: ``by_task(values, "found",
    "PEZ")``.
    """
    return {task: float(np.mean(columns(values, task, *place, "held_out"))) for task in TASKS}


def held_out(values: Sequence[dict], *place: str) -> np.ndarray:
    """Accuracy (percent) on test items, mean over the tasks, by seed."""
    return np.mean([columns(values, task, *place, "held_out") for task in TASKS], axis=0)


def known_layout(values: Sequence[dict]) -> np.ndarray:
    """Accuracy (percent) of people's best instruction in the layout of the corpus, mean over the
    tasks, by seed.
    """
    return np.mean([columns(values, task, "known layout") for task in TASKS], axis=0)


def transferred(values: Sequence[dict], model: str, title: str) -> np.ndarray:
    """Accuracy (percent) of a search's prompts, or of those by hand, on another model, mean over
    the tasks, by seed.
    """
    return np.mean([columns(values, task, "transfer", model, title) for task in TASKS], axis=0)


def mean_curves(values: Sequence[dict]) -> dict[str, np.ndarray]:
    """Method -> accuracy (percent) on test items at :data:`CALLS`, mean over the tasks, (seeds,
    points).
    """
    titles = values[0][TASKS[0]]["found"]
    return {
        title: np.mean([columns(values, task, "found", title, "curve") for task in TASKS], axis=0)
        for title in titles
    }


def reading(values: Sequence[dict], *place: str) -> dict[str, float]:
    """How prompts do and how they read, mean over seeds and tasks: accuracies in percent, nats a
    word, share of gibberish in percent.
    """
    means = {
        key: float(np.mean([columns(values, task, *place, key) for task in TASKS])) for key in _READ
    }
    return {
        "train": means["train"],
        "test": means["held_out"],
        "nats a word": means["fluency"],
        "gibberish": 100 * means["gibberish"],
    }


_READ = ("train", "held_out", "fluency", "gibberish")


def prompts_found(value: dict) -> pd.DataFrame:
    """What one seed's searches found, a row a task and method: the words, test accuracy (percent),
    and whether they are gibberish.
    """
    rows = [
        {"task": task, "method": title, "prompt": found["prompt"], "test": found["held_out"], "gibberish": found["gibberish"]}
        for task in TASKS for title, found in ({"by hand": value[task]["by hand"]} | value[task]["found"]).items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def prompts_elsewhere(values: Sequence[dict], task: str) -> pd.DataFrame:
    """A row a prompt found for a task, with its accuracies (percent) on test items: of the model it
    was searched for, and of the others.
    """
    rows = []
    for value in values:
        for title, found in value[task]["found"].items():
            others = {name: by_title[title] for name, by_title in value[task]["transfer"].items()}
            rows.append({"prompt": found["prompt"], MODEL: found["held_out"], **others})
    return pd.DataFrame(rows)


def after_patience(values: Sequence[dict]) -> np.ndarray:
    """RLPrompt's accuracy (percent) on test items after :data:`PATIENT` calls, mean over the tasks,
    (seeds, points).
    """
    return np.mean([columns(values, task, "curve") for task in TASKS], axis=0)


_SEEDS = (0, 1, 2, 3, 4)
STUDIES = (
    Study("hard-prompts", 2, (MODEL, *OTHERS), _SEEDS, hard_prompts),
    Study("patient-reinforcement", 1, (MODEL,), _SEEDS, patient),
)

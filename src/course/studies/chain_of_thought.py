"""Chain of thought: answers alone against written steps, by task, number of steps, size of the
model and trigger phrase; controls that take one part of a chain away (chapter 5).

Word problems are drawn so that the corpus states each of their sums, worked out in the order of the
story: what fails is not arithmetic.

Costs as measured on one core of a busy machine, seeds x seconds: chains 3 x 42, single-steps 3 x 5.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import Crossed
from course.lm.language_model import LanguageModel, load
from course.reasoning.problems import Problem, problems
from course.reasoning.solving import accuracy, make_prompts, solve, tokens
from course.studies.bodies import GPTS, LADDER
from course.studies.claims import Claim, MoreThan, Varies, Within, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_body, by_seed, curve, means, rows_of, where
from course.world.held_out import LONGEST_TEST_CHAIN

TASKS = ("problem", "route", "letters")
STEPS = tuple(range(1, LONGEST_TEST_CHAIN + 1))
#: The numbers of steps at which every model is asked in every way.
COMPARED = (1, 3)
#: The largest model, and the bodies of one size and recipe that differ in the seed of their
#: pretraining.
LARGE = LADDER[-1]
BODIES = GPTS
MODELS = (LADDER[0], *BODIES, LARGE)
WAYS = ("standard", "chain", "zero-shot", "trigger")
CONTROLS = ("shuffled", "filler", "answer first")
#: What a cheat does who reads no problem, or no more than its beginning.
CHEATS = ("the commonest answer", "where it starts")
#: The corpus has the first trigger phrase alone. The others are made of its words; the last two do
#: not ask for steps.
TRIGGERS = (
    "let us think step by step .",
    "let us think .",
    "step by step .",
    "let us count .",
    "north of bridge is inn .",
    "well .",
)


@cache
def _load(name: str) -> LanguageModel:
    return load(name)


def _rows(
    model: str, task: str, steps: int, way: str, seed: int, count: int, phrase: str | None = None
) -> list[Row]:
    """Accuracy (percent) and tokens generated a problem, of greedy answers."""
    chosen = problems(task, steps, count, seed, stated=True)
    attempts = solve(_load(model), make_prompts(way, chosen, seed, phrase))
    prompted = {"way": way} if phrase is None else {"way": "phrase", "phrase": phrase}
    figures = {"accuracy": accuracy(attempts), "tokens": tokens(attempts)}
    return rows_of(figures, model=model, task=task, steps=steps, **prompted)


def chains(seed: int, count: int = 24) -> list[Row]:
    """The large model by task, number of steps and way to ask, with controls and trigger phrases at
    three steps; every model at :data:`COMPARED` numbers of steps; and what a cheat would reach.

    Returns:
        Columns model, task, steps, way (``"phrase"`` with a column ``phrase`` for the trigger
        phrases, one of :data:`CHEATS` without a model), measure, value.
    """
    rows: list[Row] = []
    for task in TASKS:
        cells: list[tuple[str, int, str, str | None]] = [
            (model, n, way, None) for model in MODELS for n in COMPARED for way in WAYS
        ]
        further = [n for n in STEPS if n not in COMPARED]
        cells += [(LARGE, n, way, None) for n in further for way in ("standard", "chain")]
        cells += [(LARGE, 3, style, None) for style in CONTROLS]
        cells += [(LARGE, 3, "trigger", phrase) for phrase in TRIGGERS]
        for model, n, way, phrase in cells:
            rows += _rows(model, task, n, way, seed, count, phrase)
        for n in COMPARED:
            rows += _cheats(problems(task, n, count, seed, stated=True), task, n)
    return rows


def _cheats(chosen: Sequence[Problem], task: str, steps: int) -> list[Row]:
    """Accuracy (percent) of answers that take no step."""
    counted = Counter(problem.answer.key for problem in chosen)
    reached = {CHEATS[0]: 100 * max(counted.values()) / len(chosen)}
    if task != "letters":  # a problem's start is its first number, a route's the place it begins at
        starts = [problem.question.split()[2] for problem in chosen]
        pairs = zip(starts, chosen, strict=True)
        reached[CHEATS[1]] = 100 * float(np.mean([s == p.output for s, p in pairs]))
    columns: dict[str, str | int] = {"task": task, "steps": steps, "measure": "accuracy"}
    return [{**columns, "way": way, "value": value} for way, value in reached.items()]


def single_steps(seed: int, count: int = 40) -> list[Row]:
    """Single steps, item by item: word problems, and all held-out single steps of routes and
    letters, of which there are few. The seed draws demonstrations and word problems.

    Returns:
        The columns of :func:`chains`, and ``item`` for tasks whose items are the same for every
        seed.
    """
    return [
        row
        for model in (*BODIES, LARGE)
        for task in TASKS
        for way in ("standard", "chain")
        for row in _single(model, task, way, seed, count)
    ]


def _single(model: str, task: str, way: str, seed: int, count: int) -> list[Row]:
    if task == "problem":
        return _rows(model, task, 1, way, seed, count)
    chosen = sorted(problems(task, 1, count, seed), key=lambda problem: problem.question)
    attempts = solve(_load(model), make_prompts(way, chosen, seed))
    columns: Row = {"model": model, "task": task, "steps": 1, "way": way, "measure": "accuracy"}
    return [
        {**columns, "item": number, "value": 100.0 * tries[0].right}
        for number, tries in enumerate(attempts)
    ]


def gains(
    table: pd.DataFrame, better: str, than: str, steps: int, task: str, model: str = LARGE
) -> np.ndarray:
    """Accuracy of one way minus that of another on one task (points), one value a seed."""
    rows = where(table, measure="accuracy", model=model, task=task, steps=steps)
    return by_seed(rows, way=better) - by_seed(rows, way=than)


def gains_of_bodies(
    table: pd.DataFrame, better: str, than: str, steps: int, task: str
) -> np.ndarray:
    """Accuracy of one way minus that of another (points), (bodies, seeds), for :data:`BODIES`."""
    rows = where(table, measure="accuracy", task=task, steps=steps)
    return by_body(rows, BODIES, way=better) - by_body(rows, BODIES, way=than)


def single_gains(table: pd.DataFrame, task: str) -> np.ndarray:
    """Accuracy of chains minus that of answers alone at one step (points), for each of
    :data:`BODIES` and each seed; for routes and letters, whose items do not depend on the seed, for
    each item, mean over the seeds: (bodies, seeds) or (bodies, items).
    """
    rows = where(table, task=task, measure="accuracy", steps=1)
    if rows["item"].isna().all():
        return gains_of_bodies(table, "chain", "standard", 1, task)
    cells = rows.pivot_table("value", ["model", "item"], "way")
    difference = (cells["chain"] - cells["standard"]).unstack("item")
    return difference.loc[[*BODIES]].to_numpy()


def cheats(table: pd.DataFrame, task: str, steps: int) -> dict[str, float]:
    """Mean accuracy (percent) of each of :data:`CHEATS` that the task allows."""
    rows = where(table, task=task, steps=steps, measure="accuracy")
    return {
        way: float(by_seed(rows, way=way).mean()) for way in CHEATS if (rows["way"] == way).any()
    }


def by_steps(
    table: pd.DataFrame, tasks: Mapping[str, str], ways: Mapping[str, str]
) -> dict[str, dict[str, np.ndarray]]:
    """Accuracies of the large model (seeds, numbers of steps) in percent, by task and way.

    Args:
        tasks: task -> what it is called in the result.
        ways: way -> what it is called in the result.
    """
    rows = where(table, measure="accuracy", model=LARGE)
    return {
        title: {name: curve(rows, "steps", task=task, way=way) for way, name in ways.items()}
        for task, title in tasks.items()
    }


def at_three_steps(
    table: pd.DataFrame, tasks: Mapping[str, str]
) -> dict[str, dict[str, np.ndarray]]:
    """Accuracies (percent) of the large model's ways and controls at three steps, (seeds,), by task
    and way.

    Args:
        tasks: task -> what it is called in the result.
    """
    rows = where(table, measure="accuracy", model=LARGE, steps=3)
    return {
        title: {way: by_seed(rows, task=task, way=way) for way in (*WAYS, *CONTROLS)}
        for task, title in tasks.items()
    }


def by_model(table: pd.DataFrame, way: str, steps: int) -> pd.DataFrame:
    """Mean accuracy (percent) of one way: a row a task, a column a model."""
    found = means(table, "task", "model", MODELS, measure="accuracy", way=way, steps=steps)
    return found.rename(columns=lambda model: model.removeprefix("gpt-"))


def by_trigger(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) of the large model at three steps: a row a trigger phrase, a column a
    task.
    """
    return means(table, "phrase", "task", TASKS, measure="accuracy", way="phrase")


CHAINS = Study("chains", 2, MODELS, (0, 1, 2, 3, 4), chains)
SINGLE_STEPS = Study("single-steps", 2, (*BODIES, LARGE), (11, 12, 13, 14, 15), single_steps)
STUDIES = (CHAINS, SINGLE_STEPS)

_ITEMS_AND_BODIES = (Varies.ITEMS, Varies.PRETRAINING)
#: What written steps do where one step would do, as far as it is not decided.
_UNDECIDED = {
    "problem": undecided(
        "two of the three models gain much: a problem of one step takes two, to find the sum in the"
        " words and to do it; the third does both at once"
    ),
    "letters": undecided("one of the three models loses by writing, on few held-out names"),
}


def _at_three(
    statement: str, source: str, task: str, better: str, than: str, **settings: Any
) -> Claim:
    """A claim that one way of asking is more than twenty points ahead of another at three steps."""
    return Claim(
        "5a",
        statement,
        MoreThan(20),
        source,
        varies=_ITEMS_AND_BODIES,
        studies=(CHAINS,),
        values=lambda table: Crossed(gains_of_bodies(table, better, than, 3, task)),
        baselines=lambda table: cheats(table, task, 3),
        **settings,
    )


CLAIMS = (
    _at_three(
        "On word problems of three steps, demonstrated steps help.",
        "wei2022chain",
        "problem",
        "chain",
        "standard",
    ),
    _at_three(
        "On word problems of three steps, a trigger phrase helps.",
        "kojima2022large",
        "problem",
        "trigger",
        "zero-shot",
        reported="MultiArith 17.7 -> 78.7, last letters 0.2 -> 57.6",
    ),
    _at_three(
        "On routes of three steps, demonstrated steps help.",
        "wei2022chain",
        "route",
        "chain",
        "standard",
        exploratory=True,
        **undecided(
            "each of the three models gains, one of them by less than the margin; an interval over"
            " three that differ so is too wide"
        ),
    ),
    *(
        Claim(
            "5a",
            f"{name} of one step, written steps change little.",
            Within(5),
            "kojima2022large",
            varies=_ITEMS_AND_BODIES,
            reported="AddSub 72.2 -> 69.6",
            studies=(SINGLE_STEPS,),
            values=lambda table, task=task: Crossed(single_gains(table, task)),
            **_UNDECIDED.get(task, {}),
        )
        for task, name in (
            ("problem", "On word problems"),
            ("route", "On routes"),
            ("letters", "On last letters"),
        )
    ),
    Claim(
        "5a",
        "On last letters of three names, whose steps do not build on each other, they change"
        " little.",
        Within(5),
        "kojima2022large",
        varies=_ITEMS_AND_BODIES,
        studies=(CHAINS,),
        values=lambda table: Crossed(gains_of_bodies(table, "chain", "standard", 3, "letters")),
        baselines=lambda table: cheats(table, "letters", 3),
        **undecided("one model loses nothing by writing, the other two a little"),
    ),
)

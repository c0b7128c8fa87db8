"""Chain of thought: answers alone against written steps, by task, number of steps, size of the
model and trigger phrase; controls that take one part of a chain away (chapter 5).

Word problems are drawn so that the corpus states each of their sums: what fails is not arithmetic.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course.lm.language_model import load
from course.reasoning.problems import problems
from course.reasoning.solving import accuracy, make_prompts, solve, tokens
from course.studies.claims import Claim, Varies, undecided
from course.studies.model_quality import LADDER
from course.studies.records import Row, Study
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.studies.verdicts import MoreThan, Within
from course.world.held_out import LONGEST_TEST_CHAIN

TASKS = ("problem", "route", "letters")
STEPS = tuple(range(1, LONGEST_TEST_CHAIN + 1))
WAYS = ("standard", "chain", "zero-shot", "trigger")
CONTROLS = ("shuffled", "filler", "answer first")
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


def _rows(
    model: str, task: str, steps: int, way: str, seed: int, count: int, phrase: str | None = None
) -> list[Row]:
    """Accuracy (percent) and tokens generated a problem, of greedy answers."""
    chosen = problems(task, steps, count, seed, stated=True)
    attempts = solve(load(model), make_prompts(way, chosen, seed, phrase))
    prompted = {"way": way} if phrase is None else {"way": "phrase", "phrase": phrase}
    figures = {"accuracy": accuracy(attempts), "tokens": tokens(attempts)}
    return rows_of(figures, model=model, task=task, steps=steps, **prompted)


def chains(seed: int, count: int = 24) -> list[Row]:
    """The large model by task, number of steps and way to ask; controls and trigger phrases at
    three steps; the smaller models at one step and at three.

    Returns:
        Columns model, task, steps, way (``"phrase"`` with a column ``phrase`` for the trigger
        phrases), measure, value.
    """
    cells: list[tuple[str, str, int, str, str | None]] = []
    for task in TASKS:
        cells += [(LADDER[-1], task, n, way, None) for n in STEPS for way in WAYS]
        cells += [(LADDER[-1], task, 3, style, None) for style in CONTROLS]
        cells += [(LADDER[-1], task, 3, "trigger", phrase) for phrase in TRIGGERS]
        cells += [
            (model, task, n, way, None) for model in LADDER[:-1] for n in (1, 3) for way in WAYS
        ]
    return [
        row
        for model, task, n, way, phrase in cells
        for row in _rows(model, task, n, way, seed, count, phrase)
    ]


def single_steps(seed: int, count: int = 40) -> list[Row]:
    """The large model on single steps: all held-out ones of routes and letters; the seed draws
    demonstrations and word problems.

    Returns:
        The columns of :func:`chains`.
    """
    return [
        row
        for task in TASKS
        for way in ("standard", "chain")
        for row in _rows(LADDER[-1], task, 1, way, seed, count)
    ]


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """The accuracies (percent) of the large model, a row a seed, task, number of steps and way."""
    return where(table, measure="accuracy", model=LADDER[-1])


def gains(
    table: pd.DataFrame, better: str, than: str, steps: int, tasks: Sequence[str] = TASKS
) -> np.ndarray:
    """Accuracy of one way minus that of another (points), mean over the tasks, one value a seed."""
    rows = accuracies(table[table.task.isin(tasks)])
    return by_seed(rows, steps=steps, way=better) - by_seed(rows, steps=steps, way=than)


def by_steps(
    table: pd.DataFrame, tasks: Mapping[str, str], ways: Mapping[str, str]
) -> dict[str, dict[str, np.ndarray]]:
    """Accuracies (seeds, numbers of steps) in percent, by task and way.

    Args:
        tasks: task -> what it is called in the result.
        ways: way -> what it is called in the result.
    """
    rows = accuracies(table)
    return {
        title: {name: curve(rows, "steps", task=task, way=way) for way, name in ways.items()}
        for task, title in tasks.items()
    }


def at_three_steps(
    table: pd.DataFrame, tasks: Mapping[str, str]
) -> dict[str, dict[str, np.ndarray]]:
    """Accuracies (percent) of ways and controls at three steps, (seeds,), by task and way.

    Args:
        tasks: task -> what it is called in the result.
    """
    rows = where(accuracies(table), steps=3)
    return {
        title: {way: by_seed(rows, task=task, way=way) for way in (*WAYS, *CONTROLS)}
        for task, title in tasks.items()
    }


def by_size(table: pd.DataFrame, way: str, steps: int) -> pd.DataFrame:
    """Mean accuracy (percent) of one way: a row a task, a column a size of the model."""
    found = means(table, "task", "model", LADDER, measure="accuracy", way=way, steps=steps)
    return found.rename(columns=lambda model: model.removeprefix("gpt-"))


def by_trigger(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) at three steps: a row a trigger phrase, a column a task."""
    return means(table, "phrase", "task", TASKS, measure="accuracy", way="phrase")


CHAINS = Study("chains", 1, LADDER, (0, 1, 2), chains)
SINGLE_STEPS = Study("single-steps", 1, LADDER[-1:], tuple(range(11, 27)), single_steps)
STUDIES = (CHAINS, SINGLE_STEPS)

CLAIMS = (
    Claim(
        "5a",
        "At three steps, demonstrated steps help.",
        kind=MoreThan(20),
        source="wei2022chain",
        varies=(Varies.ITEMS,),
        studies=(CHAINS,),
        values=lambda table: gains(table, "chain", "standard", 3),
    ),
    Claim(
        "5a",
        "At three steps, a trigger phrase helps.",
        kind=MoreThan(20),
        source="kojima2022large",
        reported="MultiArith 17.7 -> 78.7, last letters 0.2 -> 57.6",
        varies=(Varies.ITEMS,),
        studies=(CHAINS,),
        values=lambda table: gains(table, "trigger", "zero-shot", 3),
        **undecided("the mean is above the threshold, but three seeds scatter"),
    ),
    Claim(
        "5a",
        "At one step, steps are no help.",
        kind=Within(5),
        source="kojima2022large",
        reported="AddSub 72.2 -> 69.6",
        varies=(Varies.ITEMS,),
        studies=(SINGLE_STEPS,),
        values=lambda table: gains(table, "chain", "standard", 1),
    ),
)

"""Least-to-most prompting: problems reduced to parts against one chain, by number of steps, and
what each way costs (chapter 5).
"""

import numpy as np
import pandas as pd

from course.lm.language_model import load
from course.reasoning.problems import Problem, problems
from course.reasoning.reduction import least_to_most, reduced_accuracy
from course.reasoning.solving import accuracy, make_prompts, solve, tokens
from course.studies.chain_of_thought import STEPS, WAYS, gains
from course.studies.claims import Claim, Varies
from course.studies.records import Row, Study
from course.studies.tables import means, rows_of
from course.studies.verdicts import MoreThan

MODEL = "gpt-large"
TASKS = ("problem", "route")


def reduction(seed: int, count: int = 20) -> list[Row]:
    """A chain, least-to-most, and least-to-most with the parts given, by number of steps.

    Returns:
        Columns model, task, steps, way, measure (accuracy in percent, tokens a problem), value.
    """
    return [
        {"model": MODEL, "task": task, "steps": steps, **row}
        for task in TASKS
        for steps in STEPS[1:]
        for row in _ways(problems(task, steps, count, seed, stated=True), seed)
    ]


def _ways(chosen: list[Problem], seed: int) -> list[Row]:
    model = load(MODEL)
    chain = solve(model, make_prompts("chain", chosen, seed))
    rows = rows_of({"accuracy": accuracy(chain), "tokens": tokens(chain)}, way="chain")
    for way, given in (("least to most", False), ("parts given", True)):
        reductions = least_to_most(model, chosen, seed, given)
        spent = sum(one.tokens for one in reductions) / len(reductions)
        rows += rows_of({"accuracy": reduced_accuracy(reductions), "tokens": spent}, way=way)
    return rows


def further_gains(table: pd.DataFrame) -> np.ndarray:
    """What reduction gains over a chain at six steps minus what it gains at three (points), one
    value a seed.
    """
    three, six = (gains(table, "least to most", "chain", steps, TASKS) for steps in (3, 6))
    return six - three


def costs(chains: pd.DataFrame, reduced: pd.DataFrame) -> pd.DataFrame:
    """What each way costs and gives on word problems and routes of two to six steps, each as often.

    Args:
        chains: the table of :data:`course.studies.chain_of_thought.CHAINS`.
        reduced: the table of :data:`REDUCTION`.

    Returns:
        A row a way; columns tokens (a problem) and accuracy (percent).
    """
    table = pd.concat([chains[chains.way.isin(WAYS)], reduced])
    rows = table[table.task.isin(TASKS) & table.steps.isin(STEPS[1:])]
    return means(rows, "way", "measure", ("tokens", "accuracy"), model=MODEL)


REDUCTION = Study("reduction", 1, (MODEL,), (0, 1, 2), reduction)
STUDIES = (REDUCTION,)

CLAIMS = (
    Claim(
        "5c",
        "Reduction pays beyond the steps shown.",
        kind=MoreThan(20),
        source="zhou2023least",
        varies=(Varies.ITEMS,),
        studies=(REDUCTION,),
        values=further_gains,
    ),
)

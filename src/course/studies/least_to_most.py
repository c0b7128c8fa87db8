"""Least-to-most prompting: problems reduced to parts against one chain, by number of steps, and
what each way costs (chapter 5).

Costs as measured on one core of a busy machine, seeds x seconds: reduction 3 x 49.
"""

import numpy as np
import pandas as pd

from course.lm.language_model import load
from course.reasoning.problems import Problem, problems
from course.reasoning.reduction import least_to_most, reduced_accuracy
from course.reasoning.solving import accuracy, make_prompts, solve, tokens
from course.studies.chain_of_thought import BODIES, LARGE, STEPS, WAYS
from course.studies.claims import Claim, MoreThan, Varies
from course.studies.records import Row, Study
from course.studies.tables import by_body, by_seed, means, rows_of, where

TASKS = {"problem": "word problems", "route": "routes"}
#: Beyond the three steps of the corpus by two and by three.
FAR = (5, 6)
REDUCED, GIVEN = "least to most", "parts given"


def reduction(seed: int, count: int = 20) -> list[Row]:
    """A chain, least-to-most, and least-to-most with the parts given: the large model from two to
    six steps, the bodies of the middle size at five and six.

    Returns:
        Columns model, task, steps, way, measure (accuracy in percent, tokens a problem), value.
    """
    cells = [(LARGE, steps) for steps in STEPS[1:]]
    cells += [(body, steps) for body in BODIES for steps in FAR]
    return [
        {"model": model, "task": task, "steps": steps, **row}
        for task in TASKS
        for model, steps in cells
        for row in _ways(model, problems(task, steps, count, seed, stated=True), seed)
    ]


def _ways(name: str, chosen: list[Problem], seed: int) -> list[Row]:
    model = load(name)
    chain = solve(model, make_prompts("chain", chosen, seed))
    rows = rows_of({"accuracy": accuracy(chain), "tokens": tokens(chain)}, way="chain")
    for way, given in ((REDUCED, False), (GIVEN, True)):
        reductions = least_to_most(model, chosen, seed, given)
        spent = sum(one.tokens for one in reductions) / len(reductions)
        rows += rows_of({"accuracy": reduced_accuracy(reductions), "tokens": spent}, way=way)
    return rows


def gains(table: pd.DataFrame, task: str, steps: int) -> np.ndarray:
    """Accuracy of the large model by reduction minus that of one chain (points), one value a
    seed.
    """
    rows = where(table, measure="accuracy", model=LARGE, task=task, steps=steps)
    return by_seed(rows, way=REDUCED) - by_seed(rows, way="chain")


def far_gains(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by reduction minus that of one chain (points), means over seeds, at :data:`FAR`
    numbers of steps: a row a model, a column a task and number of steps.
    """
    models = (*BODIES, LARGE)
    found = {}
    for task, name in TASKS.items():
        for steps in FAR:
            rows = where(table, measure="accuracy", task=task, steps=steps)
            gained = by_body(rows, models, way=REDUCED) - by_body(rows, models, way="chain")
            found[name, f"{steps} steps"] = gained.mean(1)
    return pd.DataFrame(found, index=[model.removeprefix("gpt-") for model in models])


def costs(chains: pd.DataFrame, reduced: pd.DataFrame) -> pd.DataFrame:
    """What each way costs the large model and gives on word problems and routes of two to six
    steps, each as often.

    Args:
        chains: the table of :data:`course.studies.chain_of_thought.CHAINS`.
        reduced: the table of :data:`REDUCTION`.

    Returns:
        A row a way; columns tokens (a problem) and accuracy (percent).
    """
    table = pd.concat([chains[chains.way.isin(WAYS[:1])], reduced])
    rows = table[table.task.isin(TASKS) & table.steps.isin(STEPS[1:])]
    return means(rows, "way", "measure", ("tokens", "accuracy"), model=LARGE)


REDUCTION = Study("reduction", 2, (*BODIES, LARGE), (0, 1, 2, 3, 4), reduction)
STUDIES = (REDUCTION,)

CLAIMS = tuple(
    Claim(
        "5c",
        f"On {name} of {steps} steps, the large model gains by reduction.",
        MoreThan(20),
        "zhou2023least",
        varies=(Varies.ITEMS,),
        studies=(REDUCTION,),
        values=lambda table, task=task, steps=steps: gains(table, task, steps),
    )
    for task, name in TASKS.items()
    for steps in FAR
)

"""Studies of chapter 1: GPT and BERT on blanks and continuations; specialists and a generalist."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from course.cloze import english, expectations
from course.cloze.texts import chapter_data
from course.finetuning import specialists
from course.finetuning.specialists import GENERALIST, TASKS
from course.lm.language_model import load
from course.studies.claims import Claim, Demonstration, Varies, undecided
from course.studies.records import Row, Study
from course.studies.verdicts import MoreThan, NoWorse

#: Kinds of blanks whose texts no document of the pretraining corpus contains.
HELD_OUT = ("translations", "sums")
#: Numbers of labels at which a specialist is trained for the cost of a new task, and of
#: demonstrations beside them.
LABELS, SHOTS = (8, 32, 128, 512), (1, 2, 4, 8)


def two_expectations(seed: int) -> list[Row]:
    """GPT and BERT of one size: blanks with the clue on the left and on the right, continuations.

    In the hub tier the texts are plain English, without the words that a tokenizer splits.

    Returns:
        Rows with ``task`` (a kind of text, or ``"continued"``), ``clue`` (of a blank), ``model``
        and ``value``, the percentage that is right.
    """
    models, data = {"gpt": load("gpt-middle"), "bert": load("bert-middle")}, chapter_data()
    rows: list[Row] = []
    for kind, every in data.blank_sets(seed).items():
        blanks = english.one_token(every, list(models.values()))
        for clue in ("left", "right"):
            with_clue = [blank for blank in blanks if blank.clue == clue]
            for name, model in models.items():
                value = 100 * expectations.filled_right(model, with_clue)
                rows.append({"task": kind, "clue": clue, "model": name, "value": value})
    begun = english.one_token(data.beginnings(seed), list(models.values()))
    for name, model in models.items():
        value = 100 * expectations.continued_right(model, begun)
        rows.append({"task": "continued", "model": name, "value": value})
    return rows


def specialist_matrix(seed: int) -> list[Row]:
    """Specialists and the prompted generalist on every task, and what each needs for a new one.

    Returns:
        Rows with ``value``, an accuracy in percent. Part ``"matrix"`` has ``task`` and
        ``tuned for`` (a task, or the generalist); part ``"cost"`` has ``task``, ``way``
        (``"fine-tuned"`` on ``k`` labels, or ``"prompted"`` with ``k`` demonstrations) and ``k``.
    """
    base = load("gpt-middle")
    trained = [specialists.specialise(base, task, seed=seed) for task in TASKS]
    table = specialists.matrix(base, trained, count=200, seed=seed)
    rows: list[Row] = [
        {"part": "matrix", "task": task, "tuned for": model, "value": float(table.loc[model, task])}
        for model in table.index
        for task in table.columns
    ]
    for way, curve, numbers in (
        ("fine-tuned", specialists.by_labels, LABELS),
        ("prompted", specialists.by_shots, SHOTS),
    ):
        for task in TASKS:
            rows += [
                {"part": "cost", "task": task, "way": way, "k": k, "value": value}
                for k, value in curve(base, task, numbers, seed).items()
            ]
    return rows


def accuracy_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent, mean over the seeds) of every model (rows) on every task (columns).

    Args:
        table: of the study ``specialists``.
    """
    cells = table[table["part"] == "matrix"]
    wide = cells.pivot_table(index="tuned for", columns="task", values="value")
    return wide.loc[[GENERALIST, *TASKS], list(TASKS)]


def gained(table: pd.DataFrame) -> pd.DataFrame:
    """Each specialist minus the generalist on its own task, in points: (seeds, tasks)."""
    return _by_seed(specialists.advantage, table)


def lost(table: pd.DataFrame) -> pd.DataFrame:
    """Generalist minus each specialist on the other tasks, in points: (seeds, tasks)."""
    return _by_seed(specialists.forgetting, table)


def _by_seed(measure: Callable[[pd.DataFrame], pd.Series], table: pd.DataFrame) -> pd.DataFrame:
    runs = {seed: measure(accuracy_matrix(rows)) for seed, rows in table.groupby("seed")}
    return pd.DataFrame(runs).T


def cost_of_a_new_task(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study ``specialists`` that say what a new task costs either way."""
    return table[table["part"] == "cost"].astype({"k": int})


def continued(table: pd.DataFrame) -> pd.DataFrame:
    """Continuations without a mistake, in percent: (seeds, models)."""
    rows = table[table["task"] == "continued"]
    return rows.pivot(index="seed", columns="model", values="value")


def lead_of_bert(table: pd.DataFrame) -> pd.Series:
    """BERT minus GPT on held-out blanks with the clue on the right, in points, one a seed."""
    held_out = table[(table["clue"] == "right") & table["task"].isin(HELD_OUT)]
    wide = held_out.pivot_table(index="seed", columns="model", values="value")  # mean of the kinds
    return wide["bert"] - wide["gpt"]


def lead_of_gpt(table: pd.DataFrame) -> pd.Series:
    """GPT minus BERT on continuations, in points, one a seed."""
    wide = continued(table)
    return wide["gpt"] - wide["bert"]


def _one_task(
    measure: Callable[[pd.DataFrame], pd.DataFrame], task: str, table: pd.DataFrame
) -> pd.Series:
    return measure(table)[task]


BLANKS = Study(
    "two-expectations", 1, ("gpt-middle", "bert-middle"), (0, 1, 2, 3, 4), two_expectations
)
SPECIALISTS = Study("specialists", 2, ("gpt-middle",), (0, 1, 2), specialist_matrix)
STUDIES = (BLANKS, SPECIALISTS)

_SCATTER = undecided("the mean is above the threshold, but three seeds scatter")
#: Task -> the outcome of the claim that a specialist forgets, where it is not that it holds.
_FORGOTTEN = {"sentiment": _SCATTER, "third_word": _SCATTER}

CLAIMS = (
    Demonstration(
        "1a",
        "Where the clue stands on the right, BERT fills in more held-out words than one pass of GPT"
        " can.",
        "devlin2019bert",
        "GPT has not read what stands to the right of the word that it predicts",
        studies=(BLANKS,),
        figures=lambda table: {"points": lead_of_bert(table).mean()},
    ),
    Claim(
        "1a",
        "Extended one word at a time, GPT completes more held-out phrases than BERT.",
        MoreThan(50),
        "radford2018improving",
        (Varies.ITEMS,),
        studies=(BLANKS,),
        values=lead_of_gpt,
    ),
    *(
        Claim(
            "1b",
            f"The specialist for {task} is no worse than the generalist on it.",
            NoWorse(2),
            "jiao2023chatgpt",
            (Varies.ITEMS, Varies.TRAINING),
            studies=(SPECIALISTS,),
            values=partial(_one_task, gained, task),
        )
        for task in TASKS
    ),
    *(
        Claim(
            "1b",
            f"Tuned for {task}, the model does worse on the other tasks.",
            MoreThan(20),
            "mccloskey1989catastrophic",
            (Varies.ITEMS, Varies.TRAINING),
            studies=(SPECIALISTS,),
            values=partial(_one_task, lost, task),
            **_FORGOTTEN.get(task, {}),
        )
        for task in TASKS
    ),
)

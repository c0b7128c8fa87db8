"""Specialists and a generalist: one copy of a model fine-tuned for each task, against one model
that is only prompted.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from course.adapters import adapt, tuning
from course.foundation.validation import integer
from course.lm.language_model import LanguageModel
from course.models.hub import tier
from course.prompting.in_context import accuracy, queries
from course.training.batches import completions
from course.training.fitting import FitSettings, History, fit
from course.world.split import TRAIN

#: The tasks of chapter 1's matrix. Three read the same reviews and two the same sentences, so only
#: the demonstrations (or the parameters) say what is wanted; the last one is hard for the
#: generalist.
TASKS = ("sentiment", "recommend", "topic", "find_person", "find_city", "third_word")
GENERALIST = "generalist"
#: Peak learning rate by tier: a model that is a hundred times larger takes smaller steps.
RATES = {"tiny": 3e-3, "hub": 2e-5}


@dataclass(frozen=True)
class Specialist:
    """A fine-tuned copy of a model, what it was tuned for, and how the tuning went."""

    task: str
    model: LanguageModel
    history: History


def specialise(
    base: LanguageModel,
    task: str,
    labels: int = 1000,
    steps: int = 100,
    learning_rate: float | None = None,
    seed: int = 0,
    method: str = "full",
) -> Specialist:
    """Fine-tune a copy of a causal model on ``labels`` training examples of one task; the base
    stays as it was.

    Args:
        labels: how many labelled examples; each is an input alone with its output.
        steps: optimiser steps of 32 examples.
        learning_rate: their peak learning rate (default: that of the tier in :data:`RATES`; of an
            adapter in :mod:`course.adapters.tuning`).
        seed: of the examples and of their order.
        method: how, a key of :data:`course.adapters.METHODS`.

    Raises:
        ValueError, TypeError: for fewer than one label, or as :class:`course.training.FitSettings`.
    """
    integer(1)("labels", labels)
    # in half precision a step of this size would be lost to rounding
    model = adapt(copy.deepcopy(base.model).float(), method)
    pairs = [(q.prompt, q.output) for q in queries(task, 0, labels, seed, TRAIN)]
    # in single precision everywhere: a study's figures should not depend on what the processor
    # computes fast
    usual = RATES[tier()] if method == "full" else tuning.RATES[tier()][method]
    settings = FitSettings(
        steps=steps,
        learning_rate=usual if learning_rate is None else learning_rate,
        seed=seed,
        precision="fp32",
    )
    history = fit(model, completions(base.tokenizer, pairs), settings)
    return Specialist(task, LanguageModel(model, base.tokenizer, base.batch_tokens), history)


def matrix(
    generalist: LanguageModel,
    specialists: Sequence[Specialist],
    tasks: Sequence[str] = TASKS,
    shots: int = 3,
    count: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy of every model on every task, in percent.

    Every model gets the same prompt with ``shots`` demonstrations, except that a specialist gets no
    demonstrations on its own task, as in its training.

    Returns:
        Rows: the generalist, then the specialists by their tasks. Columns: the tasks.
    """
    models = {GENERALIST: generalist} | {s.task: s.model for s in specialists}
    table = {}
    for task in tasks:
        shown = queries(task, shots, count, seed)
        bare = [query.bare for query in shown]
        table[task] = {
            name: 100 * accuracy(model, bare if name == task else shown)
            for name, model in models.items()
        }
    return pd.DataFrame(table)


def advantage(table: pd.DataFrame) -> pd.Series:
    """Specialist minus generalist on each specialist's own task, in points."""
    own = {
        task: table.loc[task, task] - table.loc[GENERALIST, task]
        for task in table.index
        if task != GENERALIST
    }
    return pd.Series(own)


def forgetting(table: pd.DataFrame) -> pd.Series:
    """How far each specialist's mean on the other tasks lies under the generalist's, in points."""
    lost = {}
    for task in table.index.drop(GENERALIST):
        others = table.columns.drop(task)
        lost[task] = table.loc[GENERALIST, others].mean() - table.loc[task, others].mean()
    return pd.Series(lost)


def by_labels(
    base: LanguageModel, task: str, labels: Sequence[int], seed: int, count: int = 200
) -> dict[int, float]:
    """A specialist's accuracy (percent) on its own task by the number of labels that it was trained
    on.
    """
    questions = queries(task, 0, count, seed)
    return {
        n: 100 * accuracy(specialise(base, task, labels=n, steps=50, seed=seed).model, questions)
        for n in labels
    }


def by_shots(
    base: LanguageModel, task: str, shots: Sequence[int], seed: int, count: int = 200
) -> dict[int, float]:
    """The generalist's accuracy (percent) by the number of demonstrations in its prompt."""
    return {k: 100 * accuracy(base, queries(task, k, count, seed)) for k in shots}


def costs(base: LanguageModel, task: str, shots: int) -> pd.DataFrame:
    """The cost of one more task either way: kilobytes stored, and tokens read for every query.

    The specialist stores another copy of the model in half precision; the generalist stores the
    text of its demonstrations.
    """
    questions = queries(task, shots, 100)
    bare = [query.bare for query in questions]
    length = {
        name: sum(len(base.tokenizer(q.prompt).input_ids) for q in asked) / 100
        for name, asked in (("specialist", bare), ("generalist", questions))
    }
    shown = questions[0].prompt.removesuffix(bare[0].prompt)
    stored = {
        "specialist": 2 * base.model.num_parameters() / 1e3,
        "generalist": len(shown.encode()) / 1e3,
    }
    return pd.DataFrame({"stored for the task (kB)": stored, "tokens read a query": length})

"""Specialists and a generalist: one copy of a model fine-tuned for each task, against one model
that is only prompted.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from course.adapters import adapt, tuning
from course.foundation.validation import integer
from course.lm.language_model import LanguageModel
from course.models.hub import tier
from course.prompting.evaluation import Question, fresh_questions, scores
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History
from course.world.split import TRAIN

#: The tasks of chapter 1's matrix. Three read the same reviews, so only the demonstrations (or the
#: parameters) say what is wanted; the others are those that a prompted model of this size finds
#: hard.
TASKS = ("sentiment", "recommend", "topic", "inference", "alike", "third_word")
#: Those of them whose answer is one of a few labels.
LABELLED = TASKS[:-1]
#: Language -> translation into it and out of it. Of Velan the pretraining corpus has much, of
#: Torvish little.
TRANSLATIONS = {
    "velan": ("to_velan", "from_velan"),
    "torvish": ("to_torvish", "from_torvish"),
}
#: Tasks whose answer is a text -> the number of demonstrations that fit beside a query.
WRITING = dict.fromkeys(sum(TRANSLATIONS.values(), ()), 3) | {"summary": 1}
GENERALIST = "generalist"
#: Peak learning rate by tier: a model that is a hundred times larger takes smaller steps.
RATES = {"tiny": 3e-3, "index": 2e-5, "hub": 2e-5}


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
    end: bool = False,
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
        end: whether it should learn to end its text behind an answer, which an answer of several
            words needs.

    Raises:
        ValueError, TypeError: for fewer than one label, or as :class:`course.training.FitSettings`.
    """
    integer(1)("labels", labels)
    # in half precision a step of this size would be lost to rounding
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = adapt(copy.deepcopy(base.model).float(), method)
    pairs = [question.pair for question in fresh_questions(task, 0, labels, seed, TRAIN)]
    # in single precision everywhere: a study's figures should not depend on what the processor
    # computes fast
    usual = RATES[tier()] if method == "full" else tuning.RATES[tier()][method]
    settings = FitSettings(
        steps=steps,
        learning_rate=usual if learning_rate is None else learning_rate,
        seed=seed,
        precision="fp32",
    )
    history = fit(model, completions(base.tokenizer, pairs, end), settings)
    return Specialist(task, LanguageModel(model, base.tokenizer, base.batch_tokens), history)


def accuracy(model: LanguageModel, questions: Sequence[Question]) -> float:
    """Share of questions (percent) whose right answer is the most probable next token.

    A model that was tuned on answers alone need not end its text after one.

    Raises:
        ValueError: if a right answer is not one token of the model.
    """
    return 100 * float(scores(model, questions, written=True, max_tokens=1).mean())


def choice_accuracy(model: LanguageModel, questions: Sequence[Question]) -> float:
    """Share of questions (percent) whose right answer is the likeliest among the labels of the
    task that is asked, whatever else the model would rather say.

    Raises:
        ValueError: for a question whose answer is no label.
    """
    if open_ended := [q.prompt.query for q in questions if not q.prompt.candidates]:
        raise ValueError(
            f"the answer to {open_ended[0]!r} is no label: expected questions of tasks with labels,"
            f" such as {', '.join(LABELLED)}"
        )
    return 100 * float(scores(model, questions).mean())


def written_accuracy(model: LanguageModel, questions: Sequence[Question]) -> float:
    """Share of questions (percent) to which the model writes the right answer, all of it."""
    return 100 * float(scores(model, questions, written=True).mean())


def matrix(
    generalist: LanguageModel,
    specialists: Sequence[Specialist],
    tasks: Sequence[str] = TASKS,
    shots: int = 3,
    count: int = 100,
    seed: int = 0,
    measure: Callable[[LanguageModel, Sequence[Question]], float] = accuracy,
) -> pd.DataFrame:
    """Accuracy of every model on every task, in percent.

    Every model gets the same prompt with ``shots`` demonstrations, except that a specialist gets no
    demonstrations on its own task, as in its training.

    Args:
        measure: of a model and questions, e.g. :func:`accuracy` or :func:`choice_accuracy`.

    Returns:
        Rows: the generalist, then the specialists by their tasks. Columns: the tasks.
    """
    models = {GENERALIST: generalist} | {s.task: s.model for s in specialists}
    table = {}
    for task in tasks:
        shown = fresh_questions(task, shots, count, seed)
        alone = [question.zero_shot for question in shown]
        table[task] = {
            name: measure(model, alone if name == task else shown) for name, model in models.items()
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
    """How far each specialist's mean on the other tasks of a table lies under the generalist's, in
    points.
    """
    lost = {}
    for task in table.index.drop(GENERALIST):
        others = table.columns.drop(task, errors="ignore")
        lost[task] = table.loc[GENERALIST, others].mean() - table.loc[task, others].mean()
    return pd.Series(lost)


def by_labels(
    base: LanguageModel, task: str, labels: Sequence[int], seed: int, count: int = 200
) -> dict[int, float]:
    """A specialist's accuracy (percent) on its own task by the number of labels that it was trained
    on.
    """
    held_out = fresh_questions(task, 0, count, seed)
    return {
        n: accuracy(specialise(base, task, labels=n, steps=50, seed=seed).model, held_out)
        for n in labels
    }


def by_shots(
    base: LanguageModel, task: str, shots: Sequence[int], seed: int, count: int = 200
) -> dict[int, float]:
    """The generalist's accuracy (percent) by the number of demonstrations in its prompt."""
    return {k: accuracy(base, fresh_questions(task, k, count, seed)) for k in shots}


def costs(base: LanguageModel, task: str, shots: int) -> pd.DataFrame:
    """The cost of one more task either way: kilobytes stored, and tokens read for every query.

    The specialist stores another copy of the model in half precision; the generalist stores the
    text of its demonstrations.
    """
    prompts = [question.prompt for question in fresh_questions(task, shots, 100)]
    texts = {
        "specialist": [prompt.zero_shot.text for prompt in prompts],
        "generalist": [prompt.text for prompt in prompts],
    }
    length = {
        name: sum(len(base.tokenizer(text).input_ids) for text in read) / len(read)
        for name, read in texts.items()
    }
    shown = texts["generalist"][0].removesuffix(texts["specialist"][0])
    stored = {
        "specialist": 2 * base.model.num_parameters() / 1e3,
        "generalist": len(shown.encode()) / 1e3,
    }
    return pd.DataFrame({"stored for the task (kB)": stored, "tokens read a query": length})

"""Objectives of prompt search: labelled items, and how well a prompt does on each.

A search sees training items alone. Test items tell how good its result is; nothing is chosen by
them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.special import log_softmax, softmax

from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question, all_profiles, questions, scores
from course.prompting.prompts import Template, Verbalizer
from course.prompting.selection import Selection
from course.tasks.registry import Task
from course.world.example import Example
from course.world.split import TEST, TRAIN

#: How an item is counted: right or wrong; by the log-probability of its answer (in nats; among the
#: labels, if there are some); or by the gap between the probability of the right label and that of
#: the likeliest wrong one, -1 to 1 (Deng et al. 2022), for tasks with labels.
MEASURES = ("accuracy", "likelihood", "gap")


class Objective(ABC):
    """Labelled items with a way to try a prompt on them.

    Each objective decides what a prompt is: an instruction, a trigger phrase, a prefix. What some
    methods need beyond that is in :mod:`course.search.protocols`.
    """

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of training items."""

    @abstractmethod
    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        """The value of each prompt on its training item, (pairs,); more is better.

        Args:
            pairs: (prompt, number of the training item).
        """

    @abstractmethod
    def held_out(self, model: TextModel, prompt: str) -> float:
        """The mean score of a prompt on all test items, in percent."""


@dataclass(frozen=True)
class Answers(Objective):
    """Questions with right answers; the prompt that is searched for is their instruction.

    Attributes:
        train, test: the questions; the instruction that they have is replaced.
        measure: one of :data:`MEASURES`, for the search alone: test items are always right or
            wrong.
    """

    train: tuple[Question, ...]
    test: tuple[Question, ...]
    measure: str = "accuracy"

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"measure={self.measure!r}: expected one of {', '.join(MEASURES)}")
        if not self.train or not self.test:
            raise ValueError(
                f"{len(self.train)} training and {len(self.test)} test items:"
                " expected at least one of each"
            )
        if self.measure == "gap" and not all(question.prompt.candidates for question in self.train):
            raise ValueError(
                "measure='gap' compares the right label with the wrong ones:"
                " expected a task with labels"
            )

    @property
    def size(self) -> int:
        return len(self.train)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The training questions with their usual answers, as they should be written."""
        return tuple(Example(question.prompt.query, question.words[0]) for question in self.train)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        questions = [instructed(self.train[item], prompt) for prompt, item in pairs]
        measures: dict[str, Callable[[TextModel, Sequence[Question]], np.ndarray]]
        measures = {"accuracy": scores, "likelihood": likelihoods, "gap": gaps}
        return measures[self.measure](model, questions)

    def questions(self, prompt: str, items: Sequence[int]) -> list[Question]:
        return [instructed(self.train[item], prompt) for item in items]

    def word_values(
        self, model: LanguageModel, before: str, ids: torch.Tensor, length: int
    ) -> float:
        """Words have no value of their own: 0."""
        return 0.0

    def held_out(self, model: TextModel, prompt: str) -> float:
        return 100 * float(
            scores(model, [instructed(question, prompt) for question in self.test]).mean()
        )


def answers(
    task: str | Task,
    train: int = 32,
    test: int = 100,
    seed: int = 0,
    shots: int = 0,
    measure: str = "accuracy",
    template: Template | None = None,
    selection: Selection | None = None,
    wanted_tier: str | None = None,
) -> Answers:
    """An objective of a task: its training examples to search with, its test examples to report on.

    Args:
        task: its name, as for :func:`course.tasks.load_task`, or a task that is loaded, such as one
            of :mod:`course.tasks.instruction_induction`.
        train, test: how many of each; fewer, if the task has no more different ones.
        seed: draws the items.
        shots: demonstrations that each question shows anyway.
        template: the layout (default: a list with colons).
    """
    tasks = all_profiles(task, wanted_tier) if isinstance(task, str) else (task,)
    drawn = {
        split: questions(tasks, shots, count, seed, selection, template, split=split)
        for split, count in ((TRAIN, train), (TEST, test))
    }
    return Answers(tuple(dict.fromkeys(drawn[TRAIN])), tuple(dict.fromkeys(drawn[TEST])), measure)


def instructed(question: Question, instruction: str) -> Question:
    """A question with another instruction."""
    return _with_prompt(question, instruction=instruction)


def exchanged(objective: Answers) -> Answers:
    """The same items, with the word for each label standing for the next label: a task that no
    wording of the usual one names.

    Raises:
        ValueError: for items whose answers are no labels.
    """

    def exchange(question: Question) -> Question:
        labels = question.prompt.verbalizer.labels
        if not labels:
            raise ValueError(
                f"{question.prompt.query[:40]!r} has no labels to exchange:"
                " expected a task with labels"
            )
        words = dict(zip(labels, labels[1:] + labels[:1], strict=True))
        return _with_prompt(question, verbalizer=Verbalizer.of(labels, words))

    return _changed(objective, exchange)


def demonstrated(objective: Answers, count: int) -> Answers:
    """The first ``count`` training items shown as demonstrations before all other items, which are
    what is left to try prompts on.

    Raises:
        ValueError: unless a training item is left.
    """
    if not 0 <= count < objective.size:
        raise ValueError(
            f"count={count}: expected 0 to {objective.size - 1} demonstrations,"
            " one less than there are training items"
        )
    pairs = tuple(
        Example(question.prompt.query, question.answers[0]) for question in objective.train[:count]
    )

    rest = replace(objective, train=objective.train[count:])
    return _changed(rest, lambda question: _with_prompt(question, demonstrations=pairs))


def _changed(objective: Answers, change: Callable[[Question], Question]) -> Answers:
    """The objective with every question changed."""
    train, test = (tuple(map(change, part)) for part in (objective.train, objective.test))
    return replace(objective, train=train, test=test)


def _with_prompt(question: Question, **changes: Any) -> Question:
    """A question with a changed prompt."""
    return replace(question, prompt=replace(question.prompt, **changes))


def likelihoods(model: TextModel, questions: Sequence[Question]) -> np.ndarray:
    """Log-probability of each right answer, (questions,), in nats; of answers that are labels,
    among the labels.
    """
    values = np.zeros(len(questions))
    for choices, rows, texts, right in _groups(questions):
        if choices:
            table = log_softmax(model.score_labels(texts, choices), axis=1)
            values[rows] = [
                row[choices.index(word)] for row, word in zip(table, right, strict=True)
            ]
        else:
            values[rows] = model.score(texts, right)
    return values


def gaps(model: TextModel, questions: Sequence[Question]) -> np.ndarray:
    """Probability of the right label minus that of the likeliest wrong one, (questions,), -1 to 1;
    positive if it is answered right.
    """
    values = np.zeros(len(questions))
    for choices, rows, texts, right in _groups(questions):
        table = softmax(model.score_labels(texts, choices), axis=1)
        for row, shares, word in zip(rows, table, right, strict=True):
            k = choices.index(word)
            values[row] = shares[k] - np.delete(shares, k).max()
    return values


def _groups(
    questions: Sequence[Question],
) -> Iterator[tuple[tuple[str, ...], list[int], list[str], list[str]]]:
    """(labels, numbers of the questions with these labels, their texts, their right answers as they
    continue the texts).
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, question in enumerate(questions):
        groups.setdefault(question.prompt.candidates, []).append(i)
    for choices, rows in groups.items():
        prompts = [questions[i].prompt for i in rows]
        right = [questions[i].continuation for i in rows]
        yield choices, rows, [prompt.text for prompt in prompts], right

"""What a prompt is searched for: labelled items, and how well a prompt does on one of them.

A search sees training items alone. Test items say how good the prompt is that it found; nothing is ever chosen by them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from course.evaluation import Question, all_profiles, questions, scores
from course.lm import TextModel
from course.prompts import Template
from course.selection import Selection
from course.tasks import Task
from course.world.example import Example
from course.world.split import TEST, TRAIN

#: How an item is counted: right or wrong, or by the log-probability of its answer (in nats; among the labels, if there are some).
MEASURES = ("accuracy", "likelihood")


class Objective(ABC):
    """Labelled items with a way to try a prompt on them. What a prompt *is* (an instruction, a trigger phrase) is up to the objective."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of training items."""

    @abstractmethod
    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        """How well each prompt does on its training item, (pairs,); more is better.

        Args:
            pairs: (prompt, number of the training item).
        """

    @abstractmethod
    def held_out(self, model: TextModel, prompt: str) -> float:
        """The mean score of a prompt on all test items, in percent."""


@dataclass(frozen=True)
class Answers(Objective):
    """The searched prompt is the instruction of questions with right answers.

    Attributes:
        train, test: the questions; the instruction that they have is replaced.
        measure: one of :data:`MEASURES`, for the search alone: test items are always right or wrong.
    """

    train: tuple[Question, ...]
    test: tuple[Question, ...]
    measure: str = "accuracy"

    def __post_init__(self):
        if self.measure not in MEASURES:
            raise ValueError(f"measure={self.measure!r}: expected one of {', '.join(MEASURES)}")
        if not self.train or not self.test:
            raise ValueError(f"{len(self.train)} training and {len(self.test)} test items: expected at least one of each")

    @property
    def size(self) -> int:
        return len(self.train)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The training questions with their usual answers, as they should be written: what a model that writes prompts may see."""
        return tuple(Example(question.prompt.query, question.words[0]) for question in self.train)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        asked = [instructed(self.train[item], prompt) for prompt, item in pairs]
        return scores(model, asked) if self.measure == "accuracy" else likelihoods(model, asked)

    def held_out(self, model: TextModel, prompt: str) -> float:
        return 100 * float(scores(model, [instructed(question, prompt) for question in self.test]).mean())


def answers(
    task: str | Task, train: int = 32, test: int = 100, seed: int = 0, shots: int = 0, measure: str = "accuracy",
    template: Template | None = None, selection: Selection | None = None, wanted_tier: str | None = None,
) -> Answers:  # fmt: skip
    """An objective of a task: its training examples to search with, its test examples to report on.

    Args:
        task: its name, as for :func:`course.tasks.load_task`, or a task that is loaded, such as one of :mod:`course.induction`.
        train, test: how many of each; fewer, if the task has no more different ones.
        seed: draws the items.
        shots: demonstrations that each question shows anyway.
        template: the layout (default: a list with colons).
    """
    tasks = all_profiles(task, wanted_tier) if isinstance(task, str) else (task,)
    drawn = {
        split: questions(tasks, shots, count, seed, selection, template, split=split) for split, count in ((TRAIN, train), (TEST, test))
    }
    return Answers(tuple(dict.fromkeys(drawn[TRAIN])), tuple(dict.fromkeys(drawn[TEST])), measure)


def instructed(question: Question, instruction: str) -> Question:
    """A question with another instruction."""
    return replace(question, prompt=replace(question.prompt, instruction=instruction))


def likelihoods(model: TextModel, asked: Sequence[Question]) -> np.ndarray:
    """Log-probability of each right answer, (questions,), in nats; of answers that are labels, among the labels."""
    found = np.zeros(len(asked))
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, question in enumerate(asked):
        groups.setdefault(question.prompt.candidates, []).append(i)
    for choices, rows in groups.items():
        prompts = [asked[i].prompt for i in rows]
        right = [prompt.template.continuation(asked[i].words[0]) for i, prompt in zip(rows, prompts, strict=True)]
        texts = [prompt.text for prompt in prompts]
        if choices:
            table = log_softmax(model.score_labels(texts, choices), axis=1)
            found[rows] = [row[choices.index(word)] for row, word in zip(table, right, strict=True)]
        else:
            found[rows] = model.score(texts, right)
    return found

"""What a prompt is searched for: labelled items, and how well a prompt does on one of them.

A search sees training items alone. Test items say how good the prompt is that it found; nothing is
ever chosen by them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """Labelled items with a way to try a prompt on them. What a prompt *is* (an instruction, a
    trigger phrase) is up to the objective.
    """

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

    def asked(self, prompt: str, items: Sequence[int]) -> list[Question]:
        """Training items as they are asked with a prompt, for methods that open the model.

        Raises:
            ValueError: if this objective is not made of questions with right answers.
        """
        raise ValueError(
            f"{type(self).__name__} has no questions with right answers, so it has no gradient: search it by trying prompts"
        )

    def worth(
        self, model: LanguageModel, before: str, ids: torch.Tensor, length: int
    ) -> torch.Tensor | float:
        """What each word is worth behind ``before`` whatever the task, in the objective's own unit,
        (words,); 0 if words cost nothing.

        Args:
            before: the words of the prompt that stand before it.
            ids: tokens of the words, (words,).
            length: words of the whole prompt.
        """
        return 0.0

    @abstractmethod
    def held_out(self, model: TextModel, prompt: str) -> float:
        """The mean score of a prompt on all test items, in percent."""


@dataclass(frozen=True)
class Answers(Objective):
    """The searched prompt is the instruction of questions with right answers.

    Attributes:
        train, test: the questions; the instruction that they have is replaced.
        measure: one of :data:`MEASURES`, for the search alone: test items are always right or
            wrong.
    """

    train: tuple[Question, ...]
    test: tuple[Question, ...]
    measure: str = "accuracy"

    def __post_init__(self):
        if self.measure not in MEASURES:
            raise ValueError(f"measure={self.measure!r}: expected one of {', '.join(MEASURES)}")
        if not self.train or not self.test:
            raise ValueError(
                f"{len(self.train)} training and {len(self.test)} test items: expected at least one of each"
            )
        if self.measure == "gap" and not all(question.prompt.candidates for question in self.train):
            raise ValueError(
                "measure='gap' compares the right label with the wrong ones: expected a task with labels"
            )

    @property
    def size(self) -> int:
        return len(self.train)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The training questions with their usual answers, as they should be written: what a model
        that writes prompts may see.
        """
        return tuple(Example(question.prompt.query, question.words[0]) for question in self.train)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        asked = [instructed(self.train[item], prompt) for prompt, item in pairs]
        return {"accuracy": scores, "likelihood": likelihoods, "gap": gaps}[self.measure](
            model, asked
        )

    def asked(self, prompt: str, items: Sequence[int]) -> list[Question]:
        return [instructed(self.train[item], prompt) for item in items]

    def held_out(self, model: TextModel, prompt: str) -> float:
        return 100 * float(
            scores(model, [instructed(question, prompt) for question in self.test]).mean()
        )


def answers(
    task: str | Task, train: int = 32, test: int = 100, seed: int = 0, shots: int = 0, measure: str = "accuracy",
    template: Template | None = None, selection: Selection | None = None, wanted_tier: str | None = None,
) -> Answers:  # fmt: skip
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
    return replace(question, prompt=replace(question.prompt, instruction=instruction))


def exchanged(objective: Answers) -> Answers:
    """The same items, with the word for each label standing for the next label: a task that no
    wording of the usual one names.

    Raises:
        ValueError: for items whose answers are no labels.
    """

    def change(question: Question) -> Question:
        labels = question.prompt.verbalizer.labels
        if not labels:
            raise ValueError(
                f"{question.prompt.query[:40]!r} has no labels to exchange: expected a task with labels"
            )
        words = dict(zip(labels, labels[1:] + labels[:1], strict=True))
        return replace(
            question, prompt=replace(question.prompt, verbalizer=Verbalizer.of(labels, words))
        )

    return replace(
        objective,
        train=tuple(map(change, objective.train)),
        test=tuple(map(change, objective.test)),
    )


def demonstrated(objective: Answers, count: int) -> Answers:
    """The first ``count`` training items shown as demonstrations before all other items, which are
    what is left to try prompts on.

    Raises:
        ValueError: unless a training item is left.
    """
    if not 0 <= count < objective.size:
        raise ValueError(
            f"count={count}: expected 0 to {objective.size - 1} demonstrations, one less than there are training items"
        )
    pairs = tuple(
        Example(question.prompt.query, question.answers[0]) for question in objective.train[:count]
    )

    def change(question: Question) -> Question:
        return replace(question, prompt=replace(question.prompt, demonstrations=pairs))

    return replace(
        objective,
        train=tuple(map(change, objective.train[count:])),
        test=tuple(map(change, objective.test)),
    )


def likelihoods(model: TextModel, asked: Sequence[Question]) -> np.ndarray:
    """Log-probability of each right answer, (questions,), in nats; of answers that are labels,
    among the labels.
    """
    found = np.zeros(len(asked))
    for choices, rows, texts, right in _groups(asked):
        if choices:
            table = log_softmax(model.score_labels(texts, choices), axis=1)
            found[rows] = [row[choices.index(word)] for row, word in zip(table, right, strict=True)]
        else:
            found[rows] = model.score(texts, right)
    return found


def gaps(model: TextModel, asked: Sequence[Question]) -> np.ndarray:
    """Probability of the right label minus that of the likeliest wrong one, (questions,), -1 to 1;
    positive if it is answered right.
    """
    found = np.zeros(len(asked))
    for choices, rows, texts, right in _groups(asked):
        table = softmax(model.score_labels(texts, choices), axis=1)
        for row, values, word in zip(rows, table, right, strict=True):
            k = choices.index(word)
            found[row] = values[k] - np.delete(values, k).max()
    return found


def _groups(asked: Sequence[Question]):
    """(labels, numbers of the questions with these labels, their texts, their right answers as they
    continue the texts).
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, question in enumerate(asked):
        groups.setdefault(question.prompt.candidates, []).append(i)
    for choices, rows in groups.items():
        prompts = [asked[i].prompt for i in rows]
        right = [
            prompt.template.continuation(asked[i].words[0])
            for i, prompt in zip(rows, prompts, strict=True)
        ]
        yield choices, rows, [prompt.text for prompt in prompts], right

"""Protocols of search objectives: what some methods need beyond trying a prompt on an item."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question
from course.search.objective import Objective
from course.world.example import Example


@runtime_checkable
class HasExamples(Protocol):
    """An objective with training examples that a model may read before it writes prompts."""

    @property
    def examples(self) -> tuple[Example, ...]:
        """Inputs with their usual answers."""


@runtime_checkable
class Differentiable(Protocol):
    """An objective of questions with right answers: their loss has a gradient with respect to the
    embeddings of the prompt.
    """

    def questions(self, prompt: str, items: Sequence[int]) -> list[Question]:
        """Training items as they are asked with a prompt."""

    def word_values(
        self, model: LanguageModel, before: str, ids: torch.Tensor, length: int
    ) -> torch.Tensor | float:
        """The value of each word after ``before`` that does not depend on the items, in the
        objective's own unit, (words,); 0 if there is none.

        Args:
            before: the words of the prompt that stand before it.
            ids: tokens of the words, (words,).
            length: words of the whole prompt.
        """


@runtime_checkable
class DialogueObjective(Protocol):
    """An objective of questions to a dialogue model, whose replies are sampled."""

    @property
    def train(self) -> tuple[str, ...]:
        """The training questions."""

    def values_anew(
        self, model: TextModel, pairs: Sequence[tuple[str, int]], seed: int
    ) -> np.ndarray:
        """The value of each prompt on its training item with replies of another seed, (pairs,)."""


def with_examples(objective: Objective) -> HasExamples:
    """The objective, known to have examples.

    Raises:
        ValueError: if it has none.
    """
    if not isinstance(objective, HasExamples):
        raise _lacking(objective, "examples to show to a writer: expected an Answers or a Trigger")
    return objective


def differentiable(objective: Objective) -> Differentiable:
    """The objective, known to have a gradient.

    Raises:
        ValueError: if it has none.
    """
    if not isinstance(objective, Differentiable):
        raise _lacking(
            objective,
            "questions with right answers, so it has no gradient: search it by trying prompts",
        )
    return objective


def of_dialogue(objective: Objective) -> DialogueObjective:
    """The objective, known to be about a dialogue.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(objective, DialogueObjective):
        raise _lacking(objective, "questions to put to a dialogue model: expected a Manner")
    return objective


def _lacking(objective: Objective, what: str) -> ValueError:
    return ValueError(f"{type(objective).__name__} has no {what}")

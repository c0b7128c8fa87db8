"""Protocols of search objectives: what some methods need beyond trying a prompt on an item."""

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch

from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question
from course.search.objective import Objective
from course.world.example import Example

Needed = TypeVar("Needed")

#: What an objective lacks that has no gradient, no examples, or no dialogue.
NO_QUESTIONS = "questions with right answers, so it has no gradient: search it by trying prompts"
NO_EXAMPLES = "examples to show to a writer: expected an objective such as Answers"
NO_DIALOGUE = "questions to put to a dialogue model: expected a Manner"


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


def require(objective: Objective, protocol: type[Needed], lacks: str) -> Needed:
    """The objective, known to follow a protocol.

    Args:
        lacks: what an objective that does not follow it lacks, for the message.

    Raises:
        ValueError: if it does not.
    """
    if not isinstance(objective, protocol):
        raise ValueError(f"{type(objective).__name__} has no {lacks}")
    return objective

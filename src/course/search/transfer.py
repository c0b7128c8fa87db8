"""Joint objective of several models, for prompts that transfer: a prompt is worth what it is worth
to all of them on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from course.foundation.validation import anything, check_fields, each, instance
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question
from course.search.objective import Answers, Objective


@dataclass(frozen=True, eq=False)
class Joint(Objective):
    """An objective of questions on more models than the one that is searched.

    The gradient is that of the searched model alone, whose vocabulary the prompt is made of; what
    it proposes is tried on all. Every trial that is counted takes as many model calls as there are
    models, so a fair budget is smaller by that factor.

    Attributes:
        answers: the questions.
        others: models beside the one that is searched.
    """

    answers: Answers
    others: tuple[TextModel, ...] = field(repr=False)

    def __post_init__(self) -> None:
        check_fields(self, answers=instance(Answers), others=each(anything(), 1))

    @property
    def size(self) -> int:
        return self.answers.size

    @property
    def calls_a_trial(self) -> int:
        """Model calls that one prompt on one item takes."""
        return 1 + len(self.others)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        return np.mean([self.answers.values(one, pairs) for one in (model, *self.others)], axis=0)

    def questions(self, prompt: str, items: Sequence[int]) -> list[Question]:
        return self.answers.questions(prompt, items)

    def word_values(
        self, model: LanguageModel, before: str, ids: torch.Tensor, length: int
    ) -> float:
        return self.answers.word_values(model, before, ids, length)

    def held_out(self, model: TextModel, prompt: str) -> float:
        """The mean score on test items of the searched model, in percent."""
        return self.answers.held_out(model, prompt)

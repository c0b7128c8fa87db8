"""Fluency of prompts: log-probability under the model, an objective that counts it, and a test for
gibberish.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course.foundation.validation import check_fields, instance, number
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question
from course.search.objective import Objective
from course.search.protocols import differentiable
from course.world.instructions import INSTRUCTIONS

#: A prompt is gibberish if it is less fluent than all but this share of the instructions that
#: people wrote.
TOLERANCE = 0.05


def fluency(model: TextModel, prompts: Sequence[str]) -> np.ndarray:
    """Log-probability of each prompt as the beginning of a document, in nats a word, (prompts,).

    Raises:
        ValueError: for an empty prompt.
    """
    if empty := [prompt for prompt in prompts if not prompt.strip()]:
        raise ValueError(f"an empty prompt {empty[0]!r} has no fluency: expected at least one word")
    return model.score([""] * len(prompts), prompts) / [len(prompt.split()) for prompt in prompts]


@dataclass(frozen=True)
class Fluent(Objective):
    """Another objective plus fluency: the value of a prompt there plus ``weight`` times its
    log-probability in nats a word.

    A model that reads a prompt gives the probability of its words, too, so fluency costs no model
    call. Test items are scored as in the other objective.

    Attributes:
        objective: the other objective.
        weight: value of a nat a word, in the unit of the other objective.
    """

    objective: Objective
    weight: float

    def __post_init__(self) -> None:
        # without fluency, the objective itself is searched
        check_fields(self, objective=instance(Objective), weight=number(above=0))

    @property
    def size(self) -> int:
        return self.objective.size

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        prompts = list(dict.fromkeys(prompt for prompt, _ in pairs))
        known = dict(zip(prompts, fluency(model, prompts), strict=True))
        return self.objective.values(model, pairs) + self.weight * np.array(
            [known[prompt] for prompt, _ in pairs]
        )

    def questions(self, prompt: str, items: Sequence[int]) -> list[Question]:
        return differentiable(self.objective).questions(prompt, items)

    def word_values(
        self, model: LanguageModel, before: str, ids: torch.Tensor, length: int
    ) -> torch.Tensor:
        """Each word's part of the prompt's fluency at that position, from the log-probabilities of
        the next word; the words after it are left out.
        """
        return self.weight / length * model.next_word([before])[0][ids]

    def held_out(self, model: TextModel, prompt: str) -> float:
        return self.objective.held_out(model, prompt)


def least_fluent(
    model: TextModel, references: Sequence[str] = (), tolerance: float = TOLERANCE
) -> float:
    """The fluency, in nats a word, below which a text counts as gibberish: all but ``tolerance`` of
    the references are more fluent.

    Args:
        references: texts that people wrote (default: the instructions of all tasks).
    """
    texts = references or [text for wordings in INSTRUCTIONS.values() for text in wordings]
    return float(np.quantile(fluency(model, texts), tolerance))


def is_gibberish(
    model: TextModel, prompts: Sequence[str], below: float | None = None
) -> np.ndarray:
    """Which prompts are less fluent than nearly everything that people wrote, (prompts,) booleans.

    Args:
        below: in nats a word (default: :func:`least_fluent`).
    """
    return fluency(model, prompts) < (least_fluent(model) if below is None else below)

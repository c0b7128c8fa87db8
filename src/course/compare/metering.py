"""What a comparison asks of its models, counted: calls, tokens read, computed, written and trained;
and the clock that stops it when the budget is spent.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from course.lm.contract import Sample, TextModel
from course.lm.language_model import LanguageModel
from course.lm.openai_api import OpenAIModel
from course.lm.tokenization import shared_length
from course.training.batches import MicroBatch

if TYPE_CHECKING:
    from course.training.batches import BatchingPlan, Data


#: Prompts that are given at once; between two such chunks the clock is looked at.
CHUNK = 128


class OutOfTime(Exception):
    """The budget is spent: what runs is stopped where it is."""


@dataclass
class Deadline:
    """A point of time after which nothing goes on.

    Attributes:
        at: on the clock; None for never.
        clock: seconds since some moment.
    """

    at: float | None = None
    clock: Callable[[], float] = time.monotonic

    def check(self) -> None:
        """Do nothing before the time.

        Raises:
            OutOfTime: from then on.
        """
        if self.at is not None and self.clock() >= self.at:
            raise OutOfTime

    @property
    def left(self) -> float:
        """Seconds that are left; infinitely many without an end."""
        return np.inf if self.at is None else self.at - self.clock()


@dataclass(frozen=True)
class TimedData:
    """Training data that looks at the clock before every step."""

    data: "Data"
    deadline: Deadline

    @property
    def tokens(self) -> Sequence[int]:
        return self.data.tokens

    @property
    def num_targets(self) -> Sequence[int]:
        return self.data.num_targets

    @property
    def fingerprint(self) -> str:
        return self.data.fingerprint

    def micro_batches(self, chosen: Sequence[int], plan: "BatchingPlan") -> list[MicroBatch]:
        self.deadline.check()
        return self.data.micro_batches(chosen, plan)

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: "BatchingPlan"
    ) -> torch.Tensor:
        return self.data.summed_loss(model, batch, plan)


@dataclass(frozen=True)
class Work:
    """What a method asked of a model, in units that no clock has a part in.

    Attributes:
        calls: prompts answered, or texts encoded.
        read: tokens that were read, as an endpoint counts them: every prompt in full.
        computed: tokens that went through the model here; what prompts share is read once.
        written: tokens that were written.
        trained: tokens of the training steps.
    """

    calls: float = 0
    read: float = 0
    computed: float = 0
    written: float = 0
    trained: float = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))

    def __sub__(self, other: "Work") -> "Work":
        return self + other.times(-1)

    def times(self, factor: float) -> "Work":
        return Work(*(factor * getattr(self, n) for n in self.__dataclass_fields__))


class Meter(TextModel):
    """A text model whose work is counted.

    Attributes:
        work: so far.
    """

    def __init__(self, model: TextModel, deadline: Deadline):
        self.model, self.deadline = model, deadline
        self.work = Work()

    @property
    def local(self) -> LanguageModel:
        """The model, which runs here."""
        assert isinstance(self.model, LanguageModel), "asked of local models only"
        return self.model

    @property
    def sent(self) -> tuple[int, int]:
        """Texts and characters that were sent to a served model."""
        return self.model.sent if isinstance(self.model, OpenAIModel) else (0, 0)

    def generate(
        self, prompts: Sequence[str], config: Any = None, **changes: Any
    ) -> list[list[Sample]]:
        samples: list[list[Sample]] = []
        for start in range(0, len(prompts), CHUNK):
            self.deadline.check()
            some = list(prompts[start : start + CHUNK])
            answers = self.model.generate(some, config, **changes)
            written = sum(sample.tokens for row in answers for sample in row)
            self._count(some, written=written)
            samples += answers
        return samples

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        self.deadline.check()
        self._count(prompts)
        return self.model.score(prompts, continuations)

    def score_labels(self, prompts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        rows = [np.empty((0, len(labels)))]
        for start in range(0, len(prompts), CHUNK):
            self.deadline.check()
            some = list(prompts[start : start + CHUNK])
            rows.append(self.model.score_labels(some, labels))
            self._count(some, labels)
        return np.concatenate(rows)

    def _count(self, prompts: Sequence[str], labels: Sequence[str] = (), written: int = 0) -> None:
        if not isinstance(self.model, LanguageModel):
            times = max(len(labels), 1)  # a label is scored by sending it with its prompt
            letters = times * sum(map(len, prompts))
            # about four letters a token
            self.work += Work(times * len(prompts), letters / 4, letters / 4, written)
            return
        encoder = self.model.encoder
        ids = sorted(encoder.prompts(list(prompts)))
        read = sum(map(len, ids))
        shared = sum(shared_length(a, b) for a, b in zip(ids, ids[1:], strict=False))
        tails = (
            [len(t) for _, t in encoder.pairs([prompts[0]] * len(labels), labels)] if labels else []
        )
        more = sum(length - 1 for length in tails) * len(prompts)
        self.work += Work(len(prompts), read, read - shared + more, written)

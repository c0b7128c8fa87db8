"""The contract of a text model: ``score`` and ``generate``, wherever the model runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.lm.generation_config import GenerationConfig
from course.models.text import checked_texts


@dataclass(frozen=True)
class Sample:
    """One continuation of a prompt.

    Attributes:
        text: what was written, up to the stop text if one was met.
        tokens: number of generated tokens, those of the stop included.
        log_probability: of these tokens under the model (at temperature 1), in nats; not a number
            if the model does not tell.
        finish: ``"stop"`` (a stop text), ``"end"`` (the model ended the text) or ``"length"``.
    """

    text: str
    tokens: int
    log_probability: float
    finish: str


class TextModel(ABC):
    """A model that takes text and gives text or probabilities: what prompting needs of it.

    :class:`course.lm.LanguageModel` runs one here, :class:`course.lm.OpenAIModel` asks an endpoint.
    Code that takes a ``TextModel`` runs on both. A model of your own says two things:

    >>> class Parrot(TextModel):
    ...     def generate(self, prompts, config=None, **changes):
    ...         config = GenerationConfig.resolve(config, changes)
    ...         last = [prompt.split()[-1] for prompt in prompts]
    ...         return [[Sample(f" {word}", 1, 0.0, "length")] * config.n for word in last]
    ...
    ...     def score(self, prompts, continuations):
    ...         pairs = zip(prompts, continuations, strict=True)
    ...         return np.log([0.9 if c.split() == p.split()[-1:] else 0.1 for p, c in pairs])
    >>> Parrot().generate(["pretty polly"])[0][0].text
    ' polly'
    >>> Parrot().score_labels(["is it red", "is it so"], ["red", "so"]).argmax(1)
    array([0, 1])
    """

    @abstractmethod
    def generate(
        self, prompts: Sequence[str], config: GenerationConfig | None = None, **changes: Any
    ) -> list[list[Sample]]:
        """Continuations of each prompt.

        Args:
            prompts: the prompts, each a text.
            config: how to write (default: greedy, 64 tokens).
            **changes: fields of :class:`GenerationConfig` by keyword, in place of those in
                ``config``: ``generate(prompts, n=5, temperature=0.7)``.

        Returns:
            For each prompt its samples, ``n`` or, with ``until``, as many as it took.

        Raises:
            TypeError: for what is no list of texts, and for settings of another type or name.
            ValueError: for settings out of range, see :class:`GenerationConfig`.
        """

    @abstractmethod
    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats, summed over its
        tokens.

        The two texts are joined as they are: to score the word ``yes`` after ``is it red ?`` pass
        ``" yes"``.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: if there are not as many prompts as continuations, or one cannot be scored.
        """

    def score_labels(self, prompts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        """Log-probability of every label after every prompt, (prompts, labels), in nats.

        Raises:
            TypeError, ValueError: as :meth:`score`.
        """
        prompts, labels = checked_texts(prompts, "prompts"), checked_texts(labels, "labels")
        every = self.score([prompt for prompt in prompts for _ in labels], [*labels] * len(prompts))
        return every.reshape(len(prompts), len(labels))


def check_pairs(prompts: Sequence[str], continuations: Sequence[str]) -> None:
    """Check that prompts and continuations are lists of texts and go in pairs.

    Raises:
        TypeError: for what is no list of texts.
        ValueError: if there are not as many prompts as continuations.
    """
    prompts = checked_texts(prompts, "prompts")
    continuations = checked_texts(continuations, "continuations")
    if len(prompts) != len(continuations):
        raise ValueError(
            f"{len(prompts)} prompts, {len(continuations)} continuations: expected one "
            "continuation for each prompt"
        )


def equal_before(prompts: Sequence[Hashable]) -> list[int]:
    """How many equal prompts stand before each: what the draws of its samples depend on, beside the
    seed, the prompt and the number of the sample.
    """
    seen: Counter[Hashable] = Counter()
    places = []
    for prompt in prompts:
        places.append(seen[prompt])
        seen[prompt] += 1
    return places

"""Settings of text generation: number of samples, temperature, stop texts, seed, length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from course.foundation.validation import check_fields, function, integer, number, optional, seed
from course.models.text import checked_texts

#: The lowest temperature above 0; logits divided by less would leave the range of single precision.
LOWEST_TEMPERATURE = 1e-6


@dataclass(frozen=True)
class GenerationConfig:
    """The settings of one call of ``generate``, the same for every :class:`~course.lm.TextModel`.

    >>> GenerationConfig(n=3, temperature=0.8, stop="\\n").stop
    ('\\n',)

    Attributes:
        n: number of samples of each prompt.
        temperature: 0 takes the likeliest token at every step (greedy decoding); otherwise the
            logits are divided by it before a token is drawn from their softmax.
        stop: one or more texts at which a continuation ends; they are no part of it. A single one
            becomes a tuple of one.
        seed: of the draws. A sample depends on the seed, its prompt, the number of equal prompts
            before that one and its own number, and on nothing else.
        max_tokens: the most tokens that a continuation may have.
        until: a stopping rule for the samples of a prompt: given the texts of the samples so far,
            in their order, it says whether they are enough. It is asked after every sample. Later
            samples are not returned, and mostly never begun. If it has a method ``at_least``, which
            tells from the same texts how many more it will take at least, only so many are begun
            at once.

    Raises:
        TypeError: for a value of another type.
        ValueError: for ``n`` or ``max_tokens`` below 1, a temperature that is negative, infinite or
            between 0 and 1e-6, several samples at temperature 0, or an empty stop text.
    """

    n: int = 1
    temperature: float = 0.0
    stop: str | Sequence[str] = ()
    seed: int = 0
    max_tokens: int = 64
    until: Callable[[list[str]], bool] | None = None

    def __post_init__(self) -> None:
        check_fields(
            self,
            n=integer(1),
            temperature=number(0),
            stop=_stop_texts,
            seed=seed(),
            max_tokens=integer(1),
            until=optional(function()),
        )
        if 0 < self.temperature < LOWEST_TEMPERATURE:
            raise ValueError(
                f"temperature={self.temperature}: expected 0 (the likeliest token) or at least "
                f"{LOWEST_TEMPERATURE}"
            )
        if self.n > 1 and self.temperature == 0:
            raise ValueError(
                f"n={self.n} samples at temperature 0 would all be the same; ask for one, or raise "
                "the temperature"
            )

    @classmethod
    def resolve(cls, config: GenerationConfig | None, changes: dict[str, Any]) -> GenerationConfig:
        """The given config (None: the defaults) with some fields changed; first line of every
        ``generate``.

        Raises:
            TypeError: for a config of another type, and a name that is no field.
            ValueError: as :class:`GenerationConfig`.
        """
        if config is not None and not isinstance(config, GenerationConfig):
            raise TypeError(
                f"config={config!r:.60}: expected a GenerationConfig; pass single settings by "
                "keyword, such as max_tokens=8"
            )
        names = [field.name for field in fields(cls)]
        if unknown := sorted(changes.keys() - set(names)):
            raise TypeError(
                f"{', '.join(unknown)}: no setting of generate; expected {', '.join(names)}"
            )
        return replace(config or cls(), **changes)


def _stop_texts(name: str, value: Any) -> tuple[str, ...]:
    stops = (value,) if isinstance(value, str) else tuple(checked_texts(value, name))
    if "" in stops:
        raise ValueError("an empty stop text would stop every sample at once; leave it out")
    return stops

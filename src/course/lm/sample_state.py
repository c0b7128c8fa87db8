"""Samples while they are written: what each has so far, when it ends, and which token comes next.

A sample draws from a stream of its own, which depends on the seed, its prompt and its number alone,
so that batches change nothing (:mod:`course.lm.decoding` writes in batches).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import torch

from course.lm.contract import Sample, equal_before
from course.lm.generation_config import GenerationConfig

#: With a stopping rule that does not tell how many samples it takes at least, so many of a prompt
#: are written at a time; those that the rule makes needless are never begun.
SAMPLES_PER_ROUND = 4


class NotANumber(ArithmeticError):
    """The logits after some tokens are not numbers.

    Attributes:
        ids: the tokens.
    """

    def __init__(self, ids: list[int]):
        super().__init__(f"no numbers after {len(ids)} tokens")
        self.ids = ids


@dataclass(eq=False)
class SampleState:
    """A sample while it is written.

    Attributes:
        rng: where its draws come from, a stream of its own.
        ids: its tokens so far.
        log_probability: of these tokens at temperature 1, in nats.
        finish: None until it has ended, then as in :class:`course.lm.Sample`; ``"cancelled"`` if
            the stopping rule made it needless.
        text: its text, once it has ended.
    """

    rng: np.random.Generator
    ids: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    finish: str | None = None
    text: str = ""

    def as_sample(self) -> Sample:
        """The sample, once it has ended."""
        assert self.finish is not None
        return Sample(self.text, len(self.ids), self.log_probability, self.finish)


class Request:
    """A prompt and its samples so far.

    Args:
        context: ids of the prompt.
        key: what the randomness of its samples depends on.
        config: how to write.
        text: (context, ids) -> the text of ids.
        end_ids: tokens that end a text.
        told: called for every token that is written.
    """

    def __init__(
        self,
        context: list[int],
        key: bytes,
        config: GenerationConfig,
        text: Callable[[list[int], list[int]], str],
        end_ids: frozenset[int],
        told: Callable[[], object] = lambda: None,
    ):
        self.context, self.config = context, config
        self._key, self._text, self._end_ids = key, text, end_ids
        self._told = told
        self.samples: list[SampleState] = []
        self._judged = 0  # so many samples the stopping rule has seen
        self._enough: int | None = None  # so many it takes, once the rule has said so

    def next_samples(self) -> list[SampleState]:
        """The samples to be written next: all of them, or with a stopping rule a few at a time."""
        if self._enough is not None:
            return []
        begun = len(self.samples)
        at_once = samples_at_once(self.config, [sample.text for sample in self.samples])
        count = min(self.config.n - begun, at_once)
        new = [SampleState(self._stream(begun + i)) for i in range(count)]
        self.samples += new
        return new

    def _stream(self, number: int) -> np.random.Generator:
        """The draws of one sample."""
        digest = blake2b(self._key + number.to_bytes(8, "big"), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))

    def add(self, sample: SampleState, token: int, log_probability: float) -> None:
        """Append a token to a sample, and see whether it has ended.

        Raises:
            NotANumber: if its log-probability is none.
        """
        if math.isnan(log_probability):
            raise NotANumber(self.context + sample.ids)
        self._told()
        sample.ids.append(token)
        sample.log_probability += log_probability
        if token in self._end_ids:
            self._finish(sample, "end", self._text(self.context, sample.ids[:-1]))
        elif (cut := self._before_stop(sample.ids)) is not None:
            self._finish(sample, "stop", cut)
        elif len(sample.ids) == self.config.max_tokens:
            self._finish(sample, "length", self._text(self.context, sample.ids))

    def _before_stop(self, ids: list[int]) -> str | None:
        """The text before the first stop, if the last tokens bring one."""
        for stop in self.config.stop:
            # a token holds a byte or more, so the stop lies within as many tokens as it has bytes
            tail = len(stop.encode())
            if stop in self._text([*self.context[-1:], *ids[:-tail]], ids[-tail:]):
                whole = self._text(self.context, ids)
                return whole[: min(whole.find(s) for s in self.config.stop if s in whole)]
        return None

    def _finish(self, sample: SampleState, finish: str, text: str) -> None:
        sample.finish, sample.text = finish, text
        if self.config.until is not None:
            self._judge(self.config.until)

    def _judge(self, until: Callable[[list[str]], bool]) -> None:
        """Ask the stopping rule about the samples in their order, however they happen to finish, so
        that the batch size changes nothing.
        """
        while self._enough is None and self._judged < len(self.samples):
            if not self.samples[self._judged].finish:
                return
            self._judged += 1
            if until([sample.text for sample in self.samples[: self._judged]]):
                self._enough = self._judged
                for needless in self.samples[self._judged :]:
                    needless.finish = needless.finish or "cancelled"

    def kept(self) -> list[SampleState]:
        """The samples that count."""
        return self.samples[: self._enough]


def samples_at_once(config: GenerationConfig, texts: list[str]) -> int:
    """How many more samples of a prompt to begin at once, after those with the given texts.

    A stopping rule that can tell gets just as many as it takes at least, so that none is wasted.
    """
    if config.until is None:
        return config.n
    at_least = getattr(config.until, "at_least", None)
    return SAMPLES_PER_ROUND if at_least is None else max(1, at_least(texts))


def requests_for(
    contexts: Sequence[list[int]],
    config: GenerationConfig,
    text: Callable[[list[int], list[int]], str],
    end_ids: frozenset[int],
    told: Callable[[], object] = lambda: None,
) -> list[Request]:
    """A request for each prompt. Equal prompts get different samples, wherever they stand among the
    others.
    """
    names = [np.asarray(context, ">u4").tobytes() for context in contexts]
    return [
        Request(context, b"%d|%d|" % (config.seed, place) + name, config, text, end_ids, told)
        for context, name, place in zip(contexts, names, equal_before(names), strict=True)
    ]


def choose_tokens(
    logits: torch.Tensor, samples: Sequence[SampleState], temperature: float
) -> tuple[list[int], list[float]]:
    """The next token of each sample and its log-probability at temperature 1.

    Args:
        logits: (samples, vocabulary).
        samples: their streams of draws.
        temperature: 0 for the likeliest token.
    """
    log_probabilities = logits.float().log_softmax(-1)  # (S, V)
    if temperature == 0:
        chosen = log_probabilities.argmax(-1, keepdim=True)  # (S, 1)
    else:
        # inverse transform sampling: the first token whose cumulated probability exceeds the draw
        probabilities = (log_probabilities / temperature).softmax(-1)
        up_to = probabilities.cumsum(-1, dtype=torch.float64)  # (S, V)
        draws = [[sample.rng.random()] for sample in samples]
        drawn = torch.tensor(draws, dtype=torch.float64, device=logits.device)  # (S, 1)
        # the last sum may stay a little under 1
        chosen = torch.searchsorted(up_to, drawn * up_to[:, -1:], right=True)  # (S, 1)
        chosen = chosen.clamp_max(logits.shape[-1] - 1)
    return chosen[:, 0].tolist(), log_probabilities.gather(1, chosen)[:, 0].tolist()

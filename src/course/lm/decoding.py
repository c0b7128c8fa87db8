"""Writing: many samples of many prompts side by side, from prompts that were read once.

A row of the batch holds the keys and values of one or more prompts and of all that was written
after them; a *slot* of it writes one sample. Each slot sees its own prompt and its own words.
Samples that are done leave the batch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import torch
from transformers import Cache, DynamicLayer

from course.lm.generation_config import GenerationConfig
from course.lm.prefill import PrefillOutput, PrefixTreeRunner
from course.lm.prefix_tree import Node, batches

#: With a stopping rule that does not tell how many samples it takes at least, so many of a prompt
#: are written at a time; what the rule makes needless beyond them is never begun.
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
    """A sample in the making. ``finish`` is None while it is being written, ``"cancelled"`` if it
    is not needed any more.
    """

    source: np.random.Generator
    ids: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    finish: str | None = None
    text: str = ""


class Request:
    """A prompt and its samples so far.

    Args:
        context: ids of the prompt.
        key: what the randomness of its samples depends on.
        config: how to write.
        text: (context, ids) -> the text of ids.
        end_ids: tokens that end a text.
    """

    def __init__(
        self,
        context: list[int],
        key: bytes,
        config: GenerationConfig,
        text: Callable,
        end_ids: frozenset[int],
    ):
        self.context, self.config = context, config
        self._key, self._text, self._end_ids = key, text, end_ids
        self.drafts: list[SampleState] = []
        self._judged = 0
        self._enough: int | None = None

    def next_drafts(self) -> list[SampleState]:
        """The samples to be written next: all of them, or with a stopping rule a few at a time."""
        if self._enough is not None:
            return []
        begun = len(self.drafts)
        count = min(
            self.config.n - begun,
            samples_at_once(self.config, [draft.text for draft in self.drafts]),
        )
        new = [SampleState(self._source(begun + i)) for i in range(count)]
        self.drafts += new
        return new

    def _source(self, number: int) -> np.random.Generator:
        digest = blake2b(self._key + number.to_bytes(8, "big"), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))

    def add(self, draft: SampleState, token: int, log_probability: float) -> None:
        """Append a token to a draft, and see whether it is finished.

        Raises:
            NotANumber: if its log-probability is none.
        """
        if math.isnan(log_probability):
            raise NotANumber(self.context + draft.ids)
        draft.ids.append(token)
        draft.log_probability += log_probability
        if token in self._end_ids:
            self._finish(draft, "end", self._text(self.context, draft.ids[:-1]))
        elif (cut := self._stopped(draft.ids)) is not None:
            self._finish(draft, "stop", cut)
        elif len(draft.ids) == self.config.max_tokens:
            self._finish(draft, "length", self._text(self.context, draft.ids))

    def _stopped(self, ids: list[int]) -> str | None:
        """The text before the first stop, if the last tokens bring one."""
        for stop in self.config.stop:
            # a token holds a byte or more, so the stop lies within as many tokens as it has bytes
            tail = len(stop.encode())
            if stop in self._text([*self.context[-1:], *ids[:-tail]], ids[-tail:]):
                whole = self._text(self.context, ids)
                return whole[: min(whole.find(s) for s in self.config.stop if s in whole)]
        return None

    def _finish(self, draft: SampleState, finish: str, text: str) -> None:
        draft.finish, draft.text = finish, text
        if self.config.until is None:
            return
        # the rule sees the samples in their order, however they happen to finish, so the batch size
        # changes nothing
        while (
            self._enough is None
            and self._judged < len(self.drafts)
            and self.drafts[self._judged].finish
        ):
            self._judged += 1
            if self.config.until([d.text for d in self.drafts[: self._judged]]):
                self._enough = self._judged
                for needless in self.drafts[self._judged :]:
                    needless.finish = needless.finish or "cancelled"

    def kept(self) -> list[SampleState]:
        """The samples that count."""
        return self.drafts[: self._enough]


def samples_at_once(config: GenerationConfig, texts: list[str]) -> int:
    """How many more samples of a prompt to begin at once, after those with the given texts.

    A stopping rule that can tell gets just as many as it takes at least, so that none of them
    is in vain.
    """
    if config.until is None:
        return config.n
    at_least = getattr(config.until, "at_least", None)
    return SAMPLES_PER_ROUND if at_least is None else max(1, at_least(texts))


def requests(
    config: GenerationConfig, contexts: Sequence[list[int]], text: Callable, end_ids: frozenset[int]
) -> list[Request]:
    """A request for each prompt. Equal prompts get different samples, wherever they stand among the
    others.
    """
    seen: Counter = Counter()
    made = []
    for context in contexts:
        name = np.asarray(context, ">u4").tobytes()
        key = b"%d|%d|" % (config.seed, seen[name]) + name
        seen[name] += 1
        made.append(Request(context, key, config, text, end_ids))
    return made


def choose(
    logits: torch.Tensor, drafts: Sequence[SampleState], config: GenerationConfig
) -> tuple[list[int], list[float]]:
    """The next token of each draft and its log-probability at temperature 1, from logits
    (drafts, vocabulary).
    """
    log_probabilities = logits.float().log_softmax(-1)
    if config.temperature == 0:
        chosen = log_probabilities.argmax(-1, keepdim=True)
    else:
        up_to = (log_probabilities / config.temperature).softmax(-1).cumsum(-1, dtype=torch.float64)
        drawn = torch.tensor(
            [[d.source.random()] for d in drafts], dtype=torch.float64, device=logits.device
        )
        # the last sum may stay a little under 1
        chosen = torch.searchsorted(up_to, drawn * up_to[:, -1:], right=True).clamp_max(
            logits.shape[-1] - 1
        )
    return chosen[:, 0].tolist(), log_probabilities.gather(1, chosen)[:, 0].tolist()


@dataclass(frozen=True)
class Prompted:
    """A row of keys and values, and the prompts that end in it.

    Attributes:
        layers: (keys, values) of each layer, (heads, K, head width) each.
        ends: (job, which of the K keys it may see, logits of its first token) for each prompt.
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    ends: tuple[tuple[Request, torch.Tensor, torch.Tensor], ...]

    @property
    def keys(self) -> int:
        return self.layers[0][0].shape[1]


def prompted_rows(
    reader: PrefixTreeRunner, reading: PrefillOutput, jobs: dict[Node, list[Request]]
) -> list[Prompted]:
    """The rows of a reading in which prompts end."""
    rows: dict[int, list] = {}
    visible = torch.from_numpy(reading.rows.visible())
    before = torch.ones(reading.before, dtype=torch.bool)
    for node, (row, at) in reading.rows.places.items():
        for job in jobs.get(node, ()):
            index = at + len(node.tokens) - 1
            rows.setdefault(row, []).append((job, torch.cat([before, visible[row, index]]), index))
    made = []
    for row, ends in rows.items():
        logits = reader.logits(reading.hidden[row, [index for _, _, index in ends]])
        layers = tuple((layer.keys[row], layer.values[row]) for layer in reading.cache.layers)
        made.append(
            Prompted(
                layers,
                tuple(
                    (job, seen, first) for (job, seen, _), first in zip(ends, logits, strict=True)
                ),
            )
        )
    return made


def decode(reader: PrefixTreeRunner, rows: Sequence[Prompted], config: GenerationConfig) -> None:
    """Write all samples of the prompts in some rows into their jobs."""
    while True:
        begun = [(row, slots) for row in rows if (slots := _first_tokens(row, config))]
        if not begun:
            return
        # as many keys as a row will have at its longest
        for part in batches(
            begun, lambda row: row[0].keys + len(row[1]) * config.max_tokens, reader.batch_tokens
        ):
            if any(draft.finish is None for _, slots in part for _, draft, _ in slots):
                batch = Batch(reader, part, config)
                while batch.drop_finished():
                    batch.step()


def _first_tokens(
    row: Prompted, config: GenerationConfig
) -> list[tuple[Request, SampleState, torch.Tensor]]:
    """New samples of a row's prompts, each with its first token: (job, draft, keys it may see)."""
    slots = [
        (job, draft, seen, first) for job, seen, first in row.ends for draft in job.next_drafts()
    ]
    if not slots:
        return []
    chosen = choose(
        torch.stack([first for *_, first in slots]), [draft for _, draft, _, _ in slots], config
    )
    for (job, draft, _, _), token, value in zip(slots, *chosen, strict=True):
        job.add(draft, token, value)
    return [(job, draft, seen) for job, draft, seen, _ in slots]


class PreallocatedCacheLayer(DynamicLayer):
    """A layer of a cache with room for what is still to come, so that a new token is written and
    nothing is copied.

    Args:
        keys, values: what is known, (B, heads, K, head width).
        room: how many more keys there will be at most.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, room: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        size = (*keys.shape[:2], keys.shape[2] + room, keys.shape[3])
        self._buffers = keys.new_empty(size), values.new_empty(size)
        self._length = 0
        self.update(keys, values)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_, **__
    ) -> tuple[torch.Tensor, torch.Tensor]:
        end = self._length + key_states.shape[2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._length : end] = new
        self._length = end
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)
        return self.keys, self.values


class Batch:
    """Rows of slots that write side by side.

    Shorter rows are padded on the left, and rows with fewer slots by None.
    """

    def __init__(self, reader: PrefixTreeRunner, rows: list, config: GenerationConfig):
        self.reader, self.config = reader, config
        keys, slots = max(row.keys for row, _ in rows), max(len(found) for _, found in rows)
        allowed = torch.zeros(len(rows), slots, keys, dtype=torch.bool)
        for r, (row, found) in enumerate(rows):
            for s, (_, _, seen) in enumerate(found):
                allowed[r, s, keys - row.keys :] = seen
        layers = []
        for i in range(len(rows[0][0].layers)):
            layers.append(
                tuple(
                    _left_padded([row.layers[i][kind] for row, _ in rows], keys) for kind in (0, 1)
                )
            )
        drafts = [
            [(job, draft) for job, draft, _ in found] + [None] * (slots - len(found))
            for _, found in rows
        ]
        self._settle(drafts, allowed, layers)

    def _settle(self, slots: list[list], allowed: torch.Tensor, layers: list) -> None:
        """Begin, or go on, with some slots, the keys that each may see (R, S, K), and (keys,
        values) of each layer.
        """
        self.slots, self.keys = slots, allowed.shape[2]
        longest = max(
            self.config.max_tokens - len(slot[1].ids) for row in slots for slot in row if slot
        )
        room = longest * len(slots[0])
        device, dtype = self.reader.model.device, self.reader.model.dtype
        self.mask = torch.full((*allowed.shape[:2], self.keys + room), float("-inf"), dtype=dtype)
        self.mask[:, :, : self.keys].masked_fill_(allowed, 0)
        # token after token, each slot sees what it wrote itself
        self.mask[:, :, self.keys :].unflatten(2, (longest, -1)).diagonal(dim1=1, dim2=3).zero_()
        self.mask = self.mask.to(device)
        self.cache = Cache(
            layers=[PreallocatedCacheLayer(keys, values, room) for keys, values in layers]
        )

    def drop_finished(self) -> bool:
        """Let finished samples and their keys leave once they are half of the batch; False if
        nothing is left to write.
        """
        live = [
            [s for s, slot in enumerate(row) if slot and slot[1].finish is None]
            for row in self.slots
        ]
        count = sum(map(len, live))
        if 2 * count <= len(self.slots) * len(self.slots[0]) and count:
            self._keep(live)
        return count > 0

    def _keep(self, live: list[list[int]]) -> None:
        rows = [r for r, slots in enumerate(live) if slots]
        width = max(len(live[r]) for r in rows)
        seen = [(self.mask[r, live[r], : self.keys] == 0).cpu() for r in rows]
        useful = [s.any(0).nonzero()[:, 0] for s in seen]
        keys = max(map(len, useful))
        index = torch.zeros(len(rows), keys, dtype=torch.long)
        allowed = torch.zeros(len(rows), width, keys, dtype=torch.bool)
        for i, (s, columns) in enumerate(zip(seen, useful, strict=True)):
            index[i, keys - len(columns) :] = columns
            allowed[i, : len(s), keys - len(columns) :] = s[:, columns]
        slots = [
            [self.slots[r][s] for s in live[r]] + [None] * (width - len(live[r])) for r in rows
        ]
        layers = [
            (_picked(layer.keys, rows, index), _picked(layer.values, rows, index))
            for layer in self.cache.layers
        ]
        self._settle(slots, allowed, layers)

    def step(self) -> None:
        """Write one more token of every sample that is not finished."""
        width = len(self.slots[0])
        ids, positions = torch.zeros(2, len(self.slots), width, dtype=torch.long)
        places, jobs, drafts = [], [], []
        for r, row in enumerate(self.slots):
            for s, slot in enumerate(row):
                if slot and slot[1].finish is None:
                    job, draft = slot
                    ids[r, s], positions[r, s] = (
                        draft.ids[-1],
                        len(job.context) + len(draft.ids) - 1,
                    )
                    places.append(r * width + s)
                    jobs.append(job)
                    drafts.append(draft)
        self.keys += width
        hidden = self.reader.step(
            ids, positions, self.mask[:, None, :, : self.keys], self.cache
        ).flatten(0, 1)
        logits = self.reader.logits(hidden[places])
        for job, draft, token, value in zip(
            jobs, drafts, *choose(logits, drafts, self.config), strict=True
        ):
            job.add(draft, token, value)


def _left_padded(parts: list[torch.Tensor], keys: int) -> torch.Tensor:
    """(heads, K_i, head width) tensors -> (B, heads, keys, head width)."""
    made = parts[0].new_zeros(len(parts), parts[0].shape[0], keys, parts[0].shape[2])
    for row, part in enumerate(parts):
        made[row, :, keys - part.shape[1] :] = part
    return made


def _picked(values: torch.Tensor, rows: list[int], index: torch.Tensor) -> torch.Tensor:
    """The keys at ``index`` (rows, K) of some rows of (B, heads, _, head width)."""
    chosen = index.to(values.device)[:, None, :, None].expand(
        -1, values.shape[1], -1, values.shape[3]
    )
    return values[rows].gather(2, chosen)

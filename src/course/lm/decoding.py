"""Batched sampling with a KV cache: many samples of many prompts side by side.

The prompts were read before (:mod:`course.lm.prefill`). A row of the decoding batch begins with the
keys and values of one or more prompts; each *slot* of the row writes one sample, one token a step.
The attention mask lets a slot see its own prompt and its own tokens. A row that holds the prompts
"the fox" and "the cat", with a slot for each, after two steps::

    key        0    1    2     3    4     5    6
             the  fox  cat    A1   B1    A2   B2
    slot A     x    x    .     x    .     x    .
    slot B     x    .    x     .    x     .    x
             from the prefill  step 1    step 2

Rows with fewer keys are padded on the left, rows with fewer slots by None. Once half of the slots
have finished, the batch is rebuilt without them and without keys that nobody sees any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache, DynamicLayer

from course.lm.generation_config import GenerationConfig
from course.lm.prefill import PrefillOutput, PrefixTreeRunner
from course.lm.prefix_tree import Node, batches
from course.lm.sample_state import Request, SampleState, choose_tokens


@dataclass(frozen=True, eq=False)
class PromptEnd:
    """The end of a prompt in a row of the prefill.

    Attributes:
        request: of the prompt.
        visible: which keys of the row belong to the prompt, (K,) booleans.
        logits: of the token after it, (vocabulary,).
    """

    request: Request
    visible: torch.Tensor
    logits: torch.Tensor


@dataclass(frozen=True, eq=False)
class PromptRow:
    """A row of keys and values, and the prompts that end in it.

    Attributes:
        layers: (keys, values) of each layer, (heads, K, head_dim) each.
        ends: its prompts.
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    ends: tuple[PromptEnd, ...]

    @property
    def num_keys(self) -> int:
        return self.layers[0][0].shape[1]


@dataclass(frozen=True, eq=False)
class Slot:
    """A place in a row at which one sample is written.

    Attributes:
        request: the prompt.
        sample: what is written.
        visible: which keys of the prefill the sample may see, (K,) booleans.
    """

    request: Request
    sample: SampleState
    visible: torch.Tensor

    @property
    def is_live(self) -> bool:
        """Whether the sample is still being written."""
        return self.sample.finish is None

    @property
    def position(self) -> int:
        """Place of the last token in its own sequence."""
        return len(self.request.context) + len(self.sample.ids) - 1


def prompt_rows(
    runner: PrefixTreeRunner, prefill: PrefillOutput, requests: dict[Node, list[Request]]
) -> list[PromptRow]:
    """The rows of a prefill in which prompts end.

    Args:
        requests: node -> requests whose prompts end with it.
    """
    ends: dict[int, list[tuple[Request, int]]] = {}
    for node, (row, start) in prefill.rows.places.items():
        for request in requests.get(node, ()):
            ends.setdefault(row, []).append((request, start + len(node.tokens) - 1))
    assert prefill.cache is not None, "a prefill whose keys and values were kept"
    visible = torch.from_numpy(prefill.rows.visible())  # (R, L, L)
    prefix = torch.ones(prefill.before, dtype=torch.bool)  # (P,): all see the prefix cache
    found = []
    for row, pairs in ends.items():
        logits = runner.logits(prefill.hidden[row, [last for _, last in pairs]])  # (ends, V)
        layers = tuple((layer.keys[row], layer.values[row]) for layer in prefill.cache.layers)
        prompt_ends = tuple(
            PromptEnd(request, torch.cat([prefix, visible[row, last]]), first)
            for (request, last), first in zip(pairs, logits, strict=True)
        )
        found.append(PromptRow(layers, prompt_ends))
    return found


def decode(runner: PrefixTreeRunner, rows: Sequence[PromptRow], config: GenerationConfig) -> None:
    """Write all samples of the prompts in some rows, into their requests."""
    # with a stopping rule several rounds, each with the samples that are begun next
    while begun := [(row, slots) for row in rows if (slots := _begin_samples(row, config))]:
        # as many keys as a row will have at its longest
        for part in batches(
            begun,
            lambda item: item[0].num_keys + len(item[1]) * config.max_tokens,
            runner.batch_tokens,
        ):
            if any(slot.is_live for _, slots in part for slot in slots):
                batch = DecodingBatch(runner, part, config)
                while batch.drop_finished():
                    batch.step()


def _begin_samples(row: PromptRow, config: GenerationConfig) -> list[Slot]:
    """New samples of a row's prompts, each with its first token, from the logits of the prefill."""
    begun = [(end, sample) for end in row.ends for sample in end.request.next_samples()]
    if not begun:
        return []
    logits = torch.stack([end.logits for end, _ in begun])  # (S, V)
    slots = [Slot(end.request, sample, end.visible) for end, sample in begun]
    _append_tokens(slots, logits, config)
    return slots


def _append_tokens(slots: Sequence[Slot], logits: torch.Tensor, config: GenerationConfig) -> None:
    """Choose the next token of each slot from logits (slots, vocabulary)."""
    chosen = choose_tokens(logits, [slot.sample for slot in slots], config.temperature)
    for slot, token, value in zip(slots, *chosen, strict=True):
        slot.request.add(slot.sample, token, value)


class PreallocatedCacheLayer(DynamicLayer):
    """A layer of a KV cache with room for what is still to come, so that a new token is written in
    place and nothing is copied.

    Args:
        keys, values: what is known, (B, heads, K, head_dim).
        room: how many more keys there will be at most.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, room: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        size = (*keys.shape[:2], keys.shape[2] + room, keys.shape[3])
        # (B, heads, K + room, head_dim) each
        self._buffers = keys.new_empty(size), values.new_empty(size)
        self._length = 0
        self.update(keys, values)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        end = self._length + key_states.shape[2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._length : end] = new
        self._length = end
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)
        return self.keys, self.values


class DecodingBatch:
    """Rows of slots that write side by side, one token a step; see the drawing above.

    Attributes:
        slots: R rows of S slots, None where a row has fewer.
        num_keys: keys in the cache, K.
        mask: what is added to the attention scores, (R, S, K and those to come): 0 or -inf.
        cache: keys and values of every layer, (R, heads, K, head_dim).

    Args:
        runner: the model.
        rows: rows of the prefill, each with its slots.
        config: how to write.
    """

    def __init__(
        self,
        runner: PrefixTreeRunner,
        rows: Sequence[tuple[PromptRow, list[Slot]]],
        config: GenerationConfig,
    ):
        self.runner, self.config = runner, config
        num_keys = max(row.num_keys for row, _ in rows)
        num_slots = max(len(slots) for _, slots in rows)
        allowed = torch.zeros(len(rows), num_slots, num_keys, dtype=torch.bool)  # (R, S, K)
        for r, (row, slots) in enumerate(rows):
            for s, slot in enumerate(slots):
                allowed[r, s, num_keys - row.num_keys :] = slot.visible
        layers = [
            (
                _left_padded([keys for keys, _ in same_layer], num_keys),
                _left_padded([values for _, values in same_layer], num_keys),
            )
            for same_layer in zip(*(row.layers for row, _ in rows), strict=True)
        ]  # for each layer (keys, values), (R, heads, K, head_dim) each
        self._lay([_filled(slots, num_slots) for _, slots in rows], allowed, layers)

    def _lay(
        self,
        slots: list[list[Slot | None]],
        allowed: torch.Tensor,
        layers: list[tuple[torch.Tensor, torch.Tensor]],
    ) -> None:
        """Begin, or go on, with some slots.

        Args:
            allowed: the keys that each may see, (R, S, K) booleans.
            layers: (keys, values) of each layer, (R, heads, K, head_dim) each.
        """
        self.slots, self.num_keys = slots, allowed.shape[2]
        steps = max(
            self.config.max_tokens - len(slot.sample.ids) for row in slots for slot in row if slot
        )
        room = steps * len(slots[0])  # every step adds a key for every slot
        device, dtype = self.runner.model.device, self.runner.model.dtype
        mask = torch.full((*allowed.shape[:2], self.num_keys + room), float("-inf"), dtype=dtype)
        mask[:, :, : self.num_keys].masked_fill_(allowed, 0)
        # of the keys to come, (R, S, steps, S), each slot sees those that it wrote itself
        mask[:, :, self.num_keys :].unflatten(2, (steps, -1)).diagonal(dim1=1, dim2=3).zero_()
        self.mask = mask.to(device)  # (R, S, K + room)
        self.cache = Cache(layers=[PreallocatedCacheLayer(*layer, room) for layer in layers])

    def drop_finished(self) -> bool:
        """Let finished samples and their keys leave once they are half of the batch; False if
        nothing is left to write.
        """
        live = [
            [s for s, slot in enumerate(row) if slot is not None and slot.is_live]
            for row in self.slots
        ]
        count = sum(map(len, live))
        if 0 < 2 * count <= len(self.slots) * len(self.slots[0]):
            self._keep(live)
        return count > 0

    def _keep(self, live: list[list[int]]) -> None:
        """Rebuild the batch with the given slots of each row, and the keys that they see."""
        rows = [r for r, kept in enumerate(live) if kept]
        num_slots = max(len(live[r]) for r in rows)
        seen = [(self.mask[r, live[r], : self.num_keys] == 0).cpu() for r in rows]  # (S', K) each
        useful = [s.any(0).nonzero()[:, 0] for s in seen]
        num_keys = max(map(len, useful))
        index = torch.zeros(len(rows), num_keys, dtype=torch.long)
        allowed = torch.zeros(len(rows), num_slots, num_keys, dtype=torch.bool)
        for i, (s, columns) in enumerate(zip(seen, useful, strict=True)):
            index[i, num_keys - len(columns) :] = columns
            allowed[i, : len(s), num_keys - len(columns) :] = s[:, columns]
        slots = [_filled([self.slots[r][s] for s in live[r]], num_slots) for r in rows]
        layers = [
            (_picked(layer.keys, rows, index), _picked(layer.values, rows, index))
            for layer in self.cache.layers
        ]
        self._lay(slots, allowed, layers)

    def step(self) -> None:
        """Write one more token of every sample that has not ended."""
        num_rows, num_slots = len(self.slots), len(self.slots[0])
        # 1. the last token of every live slot, and its place in its own sequence
        ids, positions = torch.zeros(2, num_rows, num_slots, dtype=torch.long)  # (R, S) each
        live: dict[int, Slot] = {}
        for r, row in enumerate(self.slots):
            for s, slot in enumerate(row):
                if slot is not None and slot.is_live:
                    ids[r, s], positions[r, s] = slot.sample.ids[-1], slot.position
                    live[r * num_slots + s] = slot
        # 2. one forward pass; it appends a key for every slot, padding included
        self.num_keys += num_slots
        mask = self.mask[:, None, :, : self.num_keys]  # (R, 1, S, K)
        hidden = self.runner.step(ids, positions, mask, self.cache)  # (R, S, width)
        # 3. the next token of every live slot
        logits = self.runner.logits(hidden.flatten(0, 1)[list(live)])  # (live, V)
        _append_tokens(list(live.values()), logits, self.config)


def _filled(slots: Sequence[Slot | None], count: int) -> list[Slot | None]:
    """Slots, filled up with None."""
    return [*slots, *[None] * (count - len(slots))]


def _left_padded(parts: Sequence[torch.Tensor], num_keys: int) -> torch.Tensor:
    """(heads, K_i, head_dim) tensors -> (B, heads, num_keys, head_dim)."""
    heads, _, head_dim = parts[0].shape
    padded = parts[0].new_zeros(len(parts), heads, num_keys, head_dim)
    for row, part in enumerate(parts):
        padded[row, :, num_keys - part.shape[1] :] = part
    return padded


def _picked(values: torch.Tensor, rows: list[int], index: torch.Tensor) -> torch.Tensor:
    """The keys at ``index`` (rows, K) of some rows of (B, heads, _, head_dim)."""
    _, heads, _, head_dim = values.shape
    chosen = index.to(values.device)[:, None, :, None].expand(-1, heads, -1, head_dim)
    return values[rows].gather(2, chosen)  # (rows, heads, K, head_dim)

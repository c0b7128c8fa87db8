"""Prefill of a prefix tree: a causal model reads each distinct prefix once, into a KV cache.

A tree that fits into a row is read in one forward pass, with the attention mask of
:mod:`course.lm.prefix_tree`. Of a larger one the top node is read first, alone; its keys and values
become the *prefix cache*, which all subtrees below it see::

    top node (P tokens)          keys, values (1, heads, P, head_dim)
      ├─ subtrees a, b           rows of L tokens: the cache is expanded to R rows,
      ├─ subtrees c, d, e        (R, heads, P, head_dim), which see it and their ancestors,
      └─ a large subtree         and their keys are appended, (R, heads, P + L, head_dim)
           └─ ...                the same again, with a prefix cache of P + its own tokens

A soft prompt is the prefix cache of the whole tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import torch
from transformers import Cache, DynamicCache

from course.lm.prefix_tree import Node, Rows, Tree, batches, build_tree, lay, lay_alone, pack
from course.lm.soundness import evaluating
from course.models.peft_wrapper import get_base_model, num_virtual_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Tokens that a row of subtrees holds. Longer rows waste attention on neighbours, shorter ones copy
#: the prefix cache more often.
ROW = 192


@dataclass(frozen=True, slots=True)
class LogitsRequest:
    """A place at which the logits are wanted.

    Attributes:
        index: of the token in its node (without a tree: in its sequence); the logits are those of
            the token after it.
        sequence: number of the sequence.
    """

    index: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ScoreRequest(LogitsRequest):
    """One log-probability that is wanted: that of a token of a continuation.

    Attributes:
        token: its id.
        number: of the token in the continuation, from 0.
    """

    token: int
    number: int


AnyRequest = TypeVar("AnyRequest", bound=LogitsRequest)


@dataclass(frozen=True)
class PrefillOutput:
    """The result of one forward pass over rows.

    Attributes:
        rows: what was read.
        hidden: the last layer's output, (R, L, width).
        cache: keys and values of prefix and rows, (R, heads, P + L, head_dim) in every layer; None
            if they were not to be kept.
        before: tokens of the prefix, P, which stand before the rows in the cache.
    """

    rows: Rows
    hidden: torch.Tensor
    cache: DynamicCache | None
    before: int


def cache_of(layers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> DynamicCache:
    """A cache that begins with the given (keys, values) of each layer, (B, heads, K, head_dim)
    each.
    """
    cache = DynamicCache()
    for i, (keys, values) in enumerate(layers):
        cache.update(keys, values, i)
    return cache


class PrefixTreeRunner:
    """A causal model that reads prefix trees.

    Args:
        model: a causal language model of ``transformers``, or a ``peft`` model around one.
        batch_tokens: how many tokens one forward pass may hold, padding included.
    """

    def __init__(self, model: PreTrainedModel, batch_tokens: int):
        self.model, self.batch_tokens = model, batch_tokens
        # adapters stand inside the model that they were put into; a soft prompt does not, and
        # becomes the prefix cache
        self._core = get_base_model(model)

    @cached_property
    def supports_tree_attention(self) -> bool:
        """Whether the model's architecture can read trees: it is tried once, for not every one
        respects the mask and the positions.
        """
        config = self.model.config
        layer_types = set(getattr(config, "layer_types", None) or ())
        if getattr(config, "sliding_window", None) or layer_types - {"full_attention"}:
            return False
        ids = [3 + i % (config.vocab_size - 3) for i in range(9)]
        sequences = [ids[:7], ids[:6] + ids[7:9], ids[:2] + ids[4:7]]
        plain = self._last_logits_alone(sequences)
        try:
            by_tree = self._last_logits_by_tree(sequences)
        # whatever an unknown architecture does not take
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
            return False
        tolerance = 1e-3 if self.model.dtype == torch.float32 else 0.1
        return all(
            torch.allclose(by_tree[i], row, atol=tolerance, rtol=tolerance)
            for i, row in enumerate(plain)
        )

    def _last_logits_alone(self, sequences: Sequence[list[int]]) -> list[torch.Tensor]:
        """Logits (vocabulary,) after each sequence, one by one."""
        device = self.model.device
        with torch.inference_mode(), evaluating(self.model):
            return [
                self.model(input_ids=torch.tensor([s], device=device)).logits[0, -1]
                for s in sequences
            ]

    def _last_logits_by_tree(self, sequences: Sequence[list[int]]) -> dict[int, torch.Tensor]:
        """Number of the sequence -> logits (vocabulary,) after it, by a tree in short rows."""
        tree = build_tree(sequences)
        found: dict[int, torch.Tensor] = {}
        with evaluating(self.model):
            for requests, hidden in self.hidden(tree, last_tokens(tree), row=2):
                rows = self.logits(hidden)
                found |= {r.sequence: row for r, row in zip(requests, rows, strict=True)}
        return found

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (N, vocabulary) of hidden states (N, width) of the last layer."""
        return self._core.get_output_embeddings()(hidden)

    def hidden(
        self, tree: Tree, wanted: dict[Node, list[AnyRequest]], row: int = ROW
    ) -> Iterator[tuple[list[AnyRequest], torch.Tensor]]:
        """(requests, hidden states (requests, width)) for all requests, in parts and in no
        particular order.

        Args:
            wanted: node -> requests for places in it.
        """
        for prefill in self.prefill(tree, row, lambda node: node.size, keep=False):
            requests, rows, columns = [], [], []
            for node, (r, start) in prefill.rows.places.items():
                for request in wanted.get(node, ()):
                    requests.append(request)
                    rows.append(r)
                    columns.append(start + request.index)
            if requests:
                yield requests, prefill.hidden[rows, columns]  # (requests, width)

    def prefill(
        self, tree: Tree, row: int, weight: Callable[[Node], int], keep: bool
    ) -> Iterator[PrefillOutput]:
        """Forward passes that read every node of a tree exactly once.

        Args:
            row, weight: rows hold subtrees whose weights come to ``row`` at most.
            keep: whether the outputs should hold their keys and values.
        """

        def fits(node: Node) -> bool:
            # a subtree that is hardly more than one long sequence gains nothing from a prefix cache
            return weight(node) <= row or 2 * node.size <= 3 * node.longest

        pending: list[tuple[Node, DynamicCache | None]] = [(tree.root, self._soft_prompt())]
        while pending:
            node, prefix_cache = pending.pop()
            small = [node]
            if not fits(node):
                if len(node.tokens):
                    output = self._forward(lay_alone(node), prefix_cache, keep=True)
                    prefix_cache = output.cache
                    yield output
                small = [child for child in node.children if fits(child)]
                pending += [(child, prefix_cache) for child in node.children if not fits(child)]
            before = prefix_cache.get_seq_length() if prefix_cache else 0
            packed = pack(small, row, weight)
            for batch in batches(
                packed,
                partial(_row_length, before),
                self.batch_tokens,
            ):
                yield self._forward(lay(batch), prefix_cache, keep)

    @torch.inference_mode()
    def _soft_prompt(self) -> DynamicCache | None:
        """Keys and values of the soft prompt before every text, if there is one; read anew each
        time, for it may be learning.
        """
        if not num_virtual_tokens(self.model):
            return None
        prompt = self.model.get_prompt(batch_size=1)
        if not isinstance(prompt, torch.Tensor):  # prefix tuning learns keys and values themselves
            return prompt
        cache = DynamicCache()
        self._core.base_model(
            inputs_embeds=prompt.to(self.model.dtype), past_key_values=cache, use_cache=True
        )
        return cache

    @torch.inference_mode()
    def _forward(self, rows: Rows, prefix_cache: DynamicCache | None, keep: bool) -> PrefillOutput:
        """Read rows behind a prefix.

        Args:
            rows: R rows of L tokens.
            prefix_cache: keys and values of P tokens, (1, heads, P, head_dim) in every layer.
            keep: whether the output should hold keys and values.
        """
        num_rows = len(rows.tokens)
        before = prefix_cache.get_seq_length() if prefix_cache else 0
        mask = additive_mask(rows, self.model.dtype, before)  # (R, 1, L, P + L)
        # the prefix is the same for every row; it is copied when the rows' keys are appended
        cache = DynamicCache() if keep else None
        if prefix_cache:
            cache = cache_of(
                [
                    (_expanded(layer.keys, num_rows), _expanded(layer.values, num_rows))
                    for layer in prefix_cache.layers
                ]
            )
        # the forward pass appends to the cache: (R, heads, P + L, head_dim)
        tokens, positions = torch.from_numpy(rows.tokens), torch.from_numpy(rows.positions)
        hidden = self.step(tokens, positions, mask.to(self.model.device), cache)  # (R, L, width)
        return PrefillOutput(rows, hidden, cache if keep else None, before)

    @torch.inference_mode()
    def step(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        mask: torch.Tensor,
        cache: Cache | None,
    ) -> torch.Tensor:
        """Hidden states (B, T, width) of tokens (B, T) at their positions behind the soft prompt;
        the cache grows by them.

        Args:
            mask: what is added to the attention scores, (B, 1, T, keys in the cache + T).
        """
        device = self.model.device
        output = self._core.base_model(
            ids.to(device),
            position_ids=(positions + num_virtual_tokens(self.model)).to(device),
            attention_mask=mask,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state  # (B, T, width)


def additive_mask(rows: Rows, dtype: torch.dtype, before: int = 0) -> torch.Tensor:
    """What is added to the attention scores of rows of L tokens behind a prefix that all of them
    see, (R, 1, L, before + L): 0 for the prefix and for a token's ancestors, else -inf.
    """
    num_rows, length = rows.tokens.shape
    mask = torch.zeros(num_rows, 1, length, before + length, dtype=dtype)
    mask[:, 0, :, before:].masked_fill_(~torch.from_numpy(rows.visible()), float("-inf"))
    return mask


def _row_length(before: int, nodes: Sequence[Node]) -> int:
    """Tokens of subtrees in a row, behind those of the prefix."""
    return before + sum(node.size for node in nodes)


def _expanded(values: torch.Tensor, num_rows: int) -> torch.Tensor:
    """(1, heads, P, head_dim) -> (num_rows, heads, P, head_dim), without copying."""
    return values.expand(num_rows, -1, -1, -1)


def last_tokens(tree: Tree) -> dict[Node, list[LogitsRequest]]:
    """Node -> requests for the logits after the sequences that end with it."""
    wanted: dict[Node, list[LogitsRequest]] = {}
    for sequence, leaf in enumerate(tree.leaves):
        wanted.setdefault(leaf, []).append(LogitsRequest(len(leaf.tokens) - 1, sequence))
    return wanted

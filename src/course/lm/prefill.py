"""Reading a tree of token sequences with a causal model, each distinct prefix once.

A part of the tree that is too large for a row becomes a *trunk*: it is read once, and its keys and
values serve all that stands below it. A soft prompt is the trunk of the whole tree.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from transformers import DynamicCache, PreTrainedModel

from course.lm.prefix_tree import Node, Rows, Tree, batches, build_tree, lay, lay_alone, pack
from course.lm.soundness import evaluating
from course.models.loading import get_base_model, num_virtual_tokens

#: Tokens that a row of subtrees holds. Longer rows waste attention on neighbours, shorter ones copy
#: the trunk more often.
ROW = 192


@dataclass(frozen=True)
class PrefillOutput:
    """What one forward pass over rows gave.

    Attributes:
        rows: what was read.
        hidden: the last layer's output, (R, L, width).
        cache: keys and values of the trunk and the rows, or None if they were not to be kept.
        before: tokens of the trunk, which stand before the rows in the cache.
    """

    rows: Rows
    hidden: torch.Tensor
    cache: DynamicCache | None
    before: int


def cache_of(layers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> DynamicCache:
    """A cache that begins with the given (keys, values) of each layer, (B, heads, K, head width)
    each.
    """
    made = DynamicCache()
    for i, (keys, values) in enumerate(layers):
        made.update(keys, values, i)
    return made


class PrefixTreeRunner:
    """A causal model that reads trees.

    Args:
        model: a causal language model of ``transformers``, or a ``peft`` model around one.
        batch_tokens: how many tokens one forward pass may hold, padding included.
    """

    def __init__(self, model: PreTrainedModel, batch_tokens: int):
        self.model, self.batch_tokens = model, batch_tokens
        # adapters stand inside the model that they were put into; a soft prompt does not, and is
        # read as a trunk
        self._core = get_base_model(model)

    @cached_property
    def supports_tree_attention(self) -> bool:
        """Whether the model's architecture can read trees: it is tried once, for not every one
        heeds the mask and the positions.
        """
        config = self.model.config
        if getattr(config, "sliding_window", None) or set(
            getattr(config, "layer_types", None) or ()
        ) - {"full_attention"}:
            return False
        ids = [3 + i % (config.vocab_size - 3) for i in range(9)]
        sequences = [ids[:7], ids[:6] + ids[7:9], ids[:2] + ids[4:7]]
        with torch.inference_mode(), evaluating(self.model):
            plain = [
                self.model(input_ids=torch.tensor([s], device=self.model.device)).logits[0, -1]
                for s in sequences
            ]
        tree, tolerance = build_tree(sequences), 1e-3 if self.model.dtype == torch.float32 else 0.1
        wanted = {leaf: [(len(leaf.tokens) - 1, i)] for i, leaf in enumerate(tree.leaves)}
        try:
            found = []
            with evaluating(self.model):
                for entries, hidden in self.hidden(tree, wanted, row=2):
                    found += zip([i for _, i in entries], self.logits(hidden), strict=True)
        except (
            AttributeError,
            IndexError,
            RuntimeError,
            TypeError,
            ValueError,
        ):  # whatever an unknown architecture does not take
            return False
        return all(
            torch.allclose(row, plain[i], atol=tolerance, rtol=tolerance) for i, row in found
        )

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (N, vocabulary) of hidden states (N, width) of the last layer."""
        return self._core.get_output_embeddings()(hidden)

    def hidden(
        self, tree: Tree, wanted: dict[Node, list], row: int = ROW
    ) -> Iterator[tuple[list, torch.Tensor]]:
        """(entries, hidden states (entries, width)) for all entries of ``wanted``, in parts and in
        no particular order.

        Args:
            wanted: node -> entries; each begins with the place of a token in the node.
        """
        for reading in self.read(tree, row, lambda node: node.size, keep=False):
            entries, rows, columns = [], [], []
            for node, (r, at) in reading.rows.places.items():
                for entry in wanted.get(node, ()):
                    entries.append(entry)
                    rows.append(r)
                    columns.append(at + entry[0])
            if entries:
                yield entries, reading.hidden[rows, columns]

    def read(
        self, tree: Tree, row: int, weight: Callable[[Node], int], keep: bool
    ) -> Iterator[PrefillOutput]:
        """Every node of a tree exactly once.

        Args:
            row, weight: rows hold subtrees whose weights come to ``row`` at most.
            keep: whether the readings should hold their keys and values.
        """

        def fits(node: Node) -> bool:
            # a subtree that is hardly more than one long sequence gains nothing from a trunk
            return weight(node) <= row or 2 * node.size <= 3 * node.longest

        pending: list[tuple[Node, DynamicCache | None]] = [(tree.root, self._soft_prompt())]
        while pending:
            node, prefix_cache = pending.pop()
            small = [node]
            if not fits(node):
                if len(node.tokens):
                    reading = self._forward(lay_alone(node), prefix_cache, keep=True)
                    prefix_cache = reading.cache
                    yield reading
                small = [child for child in node.children if fits(child)]
                pending += [(child, prefix_cache) for child in node.children if not fits(child)]
            before = prefix_cache.get_seq_length() if prefix_cache else 0
            packed = pack(small, row, weight)
            for batch in batches(
                packed,
                lambda nodes, before=before: before + sum(node.size for node in nodes),
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
        device, dtype = self.model.device, self.model.dtype
        count, length = rows.tokens.shape
        before = prefix_cache.get_seq_length() if prefix_cache else 0
        hidden_from = ~torch.from_numpy(rows.visible())
        mask = torch.zeros(count, 1, length, before + length, dtype=dtype)
        mask[:, 0, :, before:].masked_fill_(hidden_from, float("-inf"))
        cache = None
        if prefix_cache:
            cache = cache_of(
                [
                    (layer.keys.expand(count, -1, -1, -1), layer.values.expand(count, -1, -1, -1))
                    for layer in prefix_cache.layers
                ]
            )
        elif keep:
            cache = DynamicCache()
        hidden = self.step(
            torch.from_numpy(rows.tokens), torch.from_numpy(rows.positions), mask.to(device), cache
        )
        return PrefillOutput(rows, hidden, cache if keep else None, before)

    @torch.inference_mode()
    def step(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        mask: torch.Tensor,
        cache: DynamicCache | None,
    ) -> torch.Tensor:
        """Hidden states (B, T, width) of tokens (B, T) at their positions behind the soft prompt;
        the cache grows by them.

        Args:
            mask: what is added to the attention scores, (B, 1, T, keys in the cache + T).
        """
        device = self.model.device
        places = {
            "position_ids": (positions + num_virtual_tokens(self.model)).to(device),
            "attention_mask": mask,
        }
        read = self._core.base_model(
            ids.to(device), **places, past_key_values=cache, use_cache=cache is not None
        )
        return read.last_hidden_state

"""Micro-batches: examples of a training step, packed into rows or grouped by length.

Examples differ in length, and padding is computed like everything else. What can be packed stands
in rows of nearly equal length; what cannot is sorted by length and cut into micro-batches where the
padding saved is worth another forward pass.
"""

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.validation import boolean, check_fields, integer
from course.models.peft_wrapper import get_base_model, num_virtual_tokens


@dataclass(frozen=True)
class BatchingPlan:
    """How examples are put into micro-batches.

    Attributes:
        packed: several examples may share a row; takes a model whose attention accepts a mask of
            four dimensions.
        chosen_logits: the model can compute logits at chosen positions only.
        max_tokens_per_batch: most tokens of a micro-batch, padding included; a longer example has
            one of its own.
        pass_cost: the tokens that could be computed in the time that a forward pass costs by
            itself.
    """

    packed: bool
    chosen_logits: bool
    max_tokens_per_batch: int = 16_384
    pass_cost: int = 128

    def __post_init__(self) -> None:
        check_fields(
            self,
            packed=boolean(),
            chosen_logits=boolean(),
            max_tokens_per_batch=integer(1),
            pass_cost=integer(0),
        )


@dataclass(frozen=True)
class MicroBatch:
    """What goes through the model in one forward pass.

    Attributes:
        tensors: the model's inputs by name, each (rows, ...).
        num_targets: how many targets its loss sums over.
    """

    tensors: dict[str, torch.Tensor]
    num_targets: int

    def to(self, device: torch.device) -> "MicroBatch":
        """The same on another device."""
        return MicroBatch(
            {name: tensor.to(device) for name, tensor in self.tensors.items()}, self.num_targets
        )


class Data(Protocol):
    """Encoded examples; a new objective is a new class with these members.

    Attributes:
        tokens: the length of each example, in tokens.
        num_targets: how many targets each example adds to the loss: tokens to predict, labels, ...
        fingerprint: changes when an example does.
    """

    @property
    def tokens(self) -> Sequence[int]: ...

    @property
    def num_targets(self) -> Sequence[int]: ...

    @property
    def fingerprint(self) -> str: ...

    def micro_batches(self, chosen: Sequence[int], plan: BatchingPlan) -> list[MicroBatch]:
        """The examples at the positions ``chosen``, each in exactly one micro-batch."""

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        """The loss of a micro-batch, summed over its targets (nats for cross-entropy)."""


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that padding is made of; a tokenizer without one (GPT-2's, SmolLM2's) has its
    end-of-text token stand in.
    """
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def fingerprint(*parts: object) -> str:
    """A sha256 of what examples are made of, for :attr:`Data.fingerprint`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def balanced_rows(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of ``lengths`` in rows of nearly equal sum, about as long as the longest (longest
    first, each into the emptiest row).

    Attention costs the square of a row's length, so rows are no longer than they need to be; and
    none has much padding.
    """
    rows: list[list[int]] = [[] for _ in range(max(1, sum(lengths) // max(lengths)))]
    filled = [0] * len(rows)
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        emptiest = filled.index(min(filled))
        rows[emptiest].append(i)
        filled[emptiest] += lengths[i]
    return rows


def similar_lengths(lengths: Sequence[int], plan: BatchingPlan) -> list[list[int]]:
    """Positions of ``lengths`` in groups for which padding and forward passes together cost least
    (by dynamic programming).
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    # costs[j]: the least cost of the first j, cuts[j]: where their last group begins
    costs, cuts = [0], [0]
    for j in range(1, len(order) + 1):
        options = [
            i
            for i in range(j)
            if i == j - 1 or (j - i) * lengths[order[i]] <= plan.max_tokens_per_batch
        ]
        cost, cut = min(
            (costs[i] + (j - i) * lengths[order[i]] + plan.pass_cost, i) for i in options
        )
        costs.append(cost)
        cuts.append(cut)
    groups, j = [], len(order)
    while j:
        groups.append(order[cuts[j] : j])
        j = cuts[j]
    return groups[::-1]


def even_shares(lengths: Sequence[int], count: int) -> list[list[int]]:
    """Positions of ``lengths`` in ``count`` parts that are much alike."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[k::count] for k in range(min(count, len(order)))]


def batching_plan(model: PreTrainedModel, max_tokens_per_batch: int) -> BatchingPlan:
    """The plan that suits a model: packed if its attention takes our mask, logits where they are
    wanted if it can choose.

    Args:
        max_tokens_per_batch: see :class:`BatchingPlan`.
    """
    plain = get_base_model(model)
    soft_prompt = num_virtual_tokens(model) > 0
    known = inspect.signature(plain.forward).parameters
    # a recurrent layer carries one example's state into the next, and other attention has masks of
    # its own
    attends = not plain._is_stateful and plain.config._attn_implementation in ("eager", "sdpa")
    return BatchingPlan(
        packed=attends and "position_ids" in known and not soft_prompt,
        chosen_logits="logits_to_keep" in known and not soft_prompt,
        max_tokens_per_batch=max_tokens_per_batch,
        pass_cost=128 if model.device.type == "cpu" else 4096,
    )

"""Opening the model: its parameters are changed by examples of one task.

One function, :func:`fit`, so that every chapter trains in the same way.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.packing import IGNORED
from course.pretrain import rate_at
from course.world.chance import Chance

#: Share of the steps over which the learning rate rises.
WARM_UP = 0.1


@dataclass(frozen=True)
class History:
    """What happened in training: the loss of every step (nats a predicted token) and the seconds it all took."""

    losses: tuple[float, ...]
    seconds: float


def fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    steps: int = 60,
    rows: int = 32,
    rate: float = 1e-3,
    seed: int = 0,
) -> History:
    """Fine-tune a causal model in place: after each prompt it should continue with the completion.

    All trainable parameters are trained with AdamW; the learning rate rises over the first tenth of the steps and falls to
    zero in a straight line. The loss counts the tokens of the completion and none of the prompt.

    Args:
        pairs: (prompt, completion) texts.
        steps, rows: optimiser steps, and examples in each.
        rate: the peak learning rate.
        seed: of the order of the examples.

    Raises:
        ValueError: if there are no pairs, or one has an empty completion.
    """
    if not pairs:
        raise ValueError("no pairs to train on: expected at least one (prompt, completion)")
    encoded = [_encode(tokenizer, prompt, completion) for prompt, completion in pairs]
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=rate, weight_decay=0.01, fused=True)
    order, losses, started = _passes(len(encoded), Chance(f"fit/{seed}")), [], time.perf_counter()
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * rate_at(step, steps, WARM_UP)
        loss = _loss(model, [encoded[next(order)] for _ in range(rows)], tokenizer.pad_token_id or 0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    model.eval()
    return History(tuple(losses), time.perf_counter() - started)


def _encode(tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str) -> tuple[list[int], int]:
    """(ids, where the completion begins)."""
    head = tokenizer(prompt).input_ids
    tail = tokenizer(f" {completion}", add_special_tokens=False).input_ids
    if not head:
        raise ValueError(f"the prompt {prompt!r} has no token before the completion; begin it with a word")
    if not tail:
        raise ValueError(f"empty completion after {prompt!r}: expected at least one word")
    return head + tail, len(head)


def _passes(count: int, chance: Chance):
    """Positions in random order, pass after pass over the data."""
    while True:
        yield from chance.some(range(count), count)


def _loss(model: PreTrainedModel, batch: list[tuple[list[int], int]], pad: int) -> torch.Tensor:
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.full((len(batch), longest), pad)
    labels = torch.full((len(batch), longest), IGNORED)
    for row, (tokens, start) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        labels[row, start - 1 : len(tokens) - 1] = torch.tensor(tokens[start:])
    # padding stands on the right, where causal attention never looks
    logits = model(input_ids=ids.to(model.device)).logits  # (B, T, V)
    return cross_entropy(logits.flatten(0, 1).float(), labels.flatten().to(model.device), ignore_index=IGNORED)

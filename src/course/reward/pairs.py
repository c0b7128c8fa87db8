"""Encoded comparisons: the two replies to each prompt side by side in a batch, for objectives that
set one against the other.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from course.models.text import UnknownWords, text_ids
from course.reward.preferences import Comparison
from course.training.batches import BatchingPlan, MicroBatch, fingerprint, similar_lengths


@dataclass(frozen=True)
class EncodedReply:
    """A prompt and a reply as one sequence.

    Attributes:
        ids: the tokens, the prompt's first.
        start: where the reply begins.
    """

    ids: tuple[int, ...]
    start: int


@dataclass(frozen=True)
class PairData(ABC):
    """Comparisons as :class:`course.training.Data`; a subclass has the loss.

    Attributes:
        pairs: (chosen, rejected) of each comparison.
        pad: the id of the padding token.
    """

    pairs: tuple[tuple[EncodedReply, EncodedReply], ...]
    pad: int

    @property
    def tokens(self) -> list[int]:
        return [len(chosen.ids) + len(rejected.ids) for chosen, rejected in self.pairs]

    @property
    def num_targets(self) -> list[int]:
        """A comparison is one target."""
        return [1] * len(self.pairs)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.pairs)

    def micro_batches(self, chosen: Sequence[int], plan: BatchingPlan) -> list[MicroBatch]:
        longest = [max(len(reply.ids) for reply in self.pairs[i]) for i in chosen]
        parts = similar_lengths([2 * length for length in longest], plan)
        return [self._micro_batch([chosen[i] for i in part]) for part in parts]

    def _micro_batch(self, chosen: Sequence[int]) -> MicroBatch:
        """The chosen replies (B of them), then the rejected ones in the same order: (2 B, T)."""
        replies = [self.pairs[i][side] for side in (0, 1) for i in chosen]
        tensors = padded(replies, self.pad) | {"examples": torch.tensor(list(chosen))}
        return MicroBatch(tensors, len(chosen))

    @abstractmethod
    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        """The loss of a micro-batch, summed over its comparisons."""


def padded(replies: Sequence[EncodedReply], pad: int) -> dict[str, torch.Tensor]:
    """Replies as rows of one length: ``input_ids`` and ``attention_mask``, (B, T), padding on the
    right, and ``starts`` of the replies, (B,).
    """
    width = max(len(reply.ids) for reply in replies)
    ids = [[*reply.ids, *[pad] * (width - len(reply.ids))] for reply in replies]
    lengths = torch.tensor([len(reply.ids) for reply in replies])
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": (torch.arange(width) < lengths[:, None]).long(),
        "starts": torch.tensor([reply.start for reply in replies]),
    }


def token_log_probabilities(
    model: torch.nn.Module, rows: dict[str, torch.Tensor], temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each token after the first, in nats, and 1 where it is a reply's, both (B,
    T - 1), for rows of :func:`padded`.
    """
    ids, mask = rows["input_ids"], rows["attention_mask"]
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    # the logits at a place are of the token after it; those of a soft prompt stand first
    logits = logits[:, -ids.shape[1] :][:, :-1]
    log_p = (logits.float() / temperature).log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    place = torch.arange(1, ids.shape[1], device=ids.device)
    return log_p, ((place >= rows["starts"][:, None]) & (mask[:, 1:] == 1)).float()


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase,
    comparisons: Sequence[Comparison],
    stop: str = "",
    unknown: str = "warn",
) -> tuple[tuple[EncodedReply, EncodedReply], ...]:
    """The two replies of each comparison after its prompt.

    Args:
        stop: what a reply ends with, such as a line break: a policy has to learn to write it.
        unknown: what to do about words that the tokenizer does not know, see
            :func:`course.training.completions`.

    Raises:
        ValueError: if there are no comparisons, for one that is longer than the tokenizer's models
            read, and for unknown words that are to be refused.
    """
    if not comparisons:
        raise ValueError("no comparisons: expected at least one")
    sides = [
        encode_replies(tokenizer, [(c.prompt, reply) for c, reply in side], stop, unknown)
        for side in (
            [(c, c.chosen) for c in comparisons],
            [(c, c.rejected) for c in comparisons],
        )
    ]
    return tuple(zip(*sides, strict=True))


def encode_replies(
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    stop: str = "",
    unknown: str = "warn",
) -> list[EncodedReply]:
    """(prompt, reply) texts as sequences; arguments and errors as :func:`encode_pairs`."""
    tails_of = [f" {reply}{stop}" for _, reply in pairs]
    heads = text_ids(tokenizer, [prompt for prompt, _ in pairs])
    tails = text_ids(tokenizer, tails_of, begin=False)
    joined = [head + tail for head, tail in zip(heads, tails, strict=True)]
    texts = [prompt + tail for (prompt, _), tail in zip(pairs, tails_of, strict=True)]
    UnknownWords(tokenizer, unknown).check(texts, joined, "reply")
    for text, ids in zip(texts, joined, strict=True):
        if len(ids) > tokenizer.model_max_length:
            raise ValueError(
                f"{text[:40]!r}… has {len(ids)} tokens; at most {tokenizer.model_max_length} fit: "
                "shorten the reply"
            )
    return [EncodedReply(tuple(ids), len(head)) for ids, head in zip(joined, heads, strict=True)]

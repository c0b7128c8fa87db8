"""Prompts with completions for a causal language model: the loss counts the completion alone.

Examples are packed: several in a row, each read as if it stood alone (as in pretraining; Krell et
al. 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerBase

from course.foundation.validation import shown
from course.models.text import UnknownWords, checked_texts, text_ids
from course.training.batches import (
    BatchingPlan,
    MicroBatch,
    balanced_rows,
    even_shares,
    fingerprint,
    similar_lengths,
)
from course.training.packing import IGNORED, attention_mask, lay_out


@dataclass(frozen=True)
class Completions:
    """Prompts with completions, for a causal model: see :func:`completions`.

    Attributes:
        ids: the tokens of each example, the prompt's first.
        starts: where each completion begins.
    """

    ids: tuple[list[int], ...]
    starts: tuple[int, ...]

    @property
    def tokens(self) -> list[int]:
        return [len(ids) for ids in self.ids]

    @property
    def num_targets(self) -> list[int]:
        return [len(ids) - start for ids, start in zip(self.ids, self.starts, strict=True)]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.ids, self.starts)

    def micro_batches(self, chosen: Sequence[int], plan: BatchingPlan) -> list[MicroBatch]:
        lengths = [len(self.ids[i]) for i in chosen]
        if plan.packed:
            parts = even_shares(lengths, -(-sum(lengths) // plan.max_tokens_per_batch))
            batches = [
                [[part[j] for j in row] for row in balanced_rows([lengths[i] for i in part])]
                for part in parts
            ]
        else:
            batches = [[[i] for i in part] for part in similar_lengths(lengths, plan)]
        return [self._micro_batch([[chosen[i] for i in row] for row in rows]) for rows in batches]

    def _micro_batch(self, rows: list[list[int]]) -> MicroBatch:
        labels = [
            [
                [IGNORED] * (self.starts[i] - 1) + self.ids[i][self.starts[i] :] + [IGNORED]
                for i in row
            ]
            for row in rows
        ]
        length = max(sum(len(self.ids[i]) for i in row) for row in rows)
        batch = lay_out([[self.ids[i] for i in row] for row in rows], labels, length)
        arrays = {"input_ids": batch.ids, "labels": batch.labels}
        # a row with one example needs no mask: padding stands on the right, where causal attention
        # never looks
        if any(len(row) > 1 for row in rows):
            arrays |= {"document": batch.document, "position_ids": batch.position}
        return MicroBatch(
            {name: torch.from_numpy(array) for name, array in arrays.items()}, batch.num_targets
        )

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        ids, labels = batch.tensors["input_ids"], batch.tensors["labels"]  # (B, T)
        inputs = {"input_ids": ids, "use_cache": False}
        if "document" in batch.tensors:
            mask = attention_mask(batch.tensors["document"], causal=True)
            inputs |= {"attention_mask": mask, "position_ids": batch.tensors["position_ids"]}
        predicted = labels != IGNORED  # (B, T), true N times
        if plan.chosen_logits:
            logits = model(**inputs, logits_to_keep=predicted).logits  # (N, V)
        else:
            # a soft prompt stands before the text: its positions are left out
            logits = model(**inputs).logits[:, -ids.shape[1] :][predicted]  # (N, V)
        return cross_entropy(logits.float(), labels[predicted], reduction="sum")


def completions(
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    end: bool = False,
    unknown: str = "warn",
) -> Completions:
    """Encode (prompt, completion) texts: after the prompt, a causal model should continue with the
    completion.

    The loss counts the tokens of the completion and none of the prompt. Text is text: nothing in it
    becomes a special token.

    Args:
        end: whether the model should also learn to end the text there.
        unknown: what to do about words that the tokenizer does not know: ``"warn"`` (with their
            share), ``"refuse"`` or ``"allow"``.

    Raises:
        ValueError: if there are no pairs, or if one is no two texts, has half a character in it, no
            token before its completion, an empty completion, or more tokens than the tokenizer's
            models read; for unknown words that are to be refused.
    """
    if not pairs:
        raise ValueError("no pairs to train on: expected at least one (prompt, completion)")
    for i, pair in enumerate(pairs):
        _check_pair(i, pair)
    prompts = checked_texts([prompt for prompt, _ in pairs], "prompts")
    outputs = checked_texts([completion for _, completion in pairs], "completions")
    heads = text_ids(tokenizer, prompts)
    tails = text_ids(tokenizer, [f" {text}" for text in outputs], begin=False)
    texts = [f"{a} {b}" for a, b in zip(prompts, outputs, strict=True)]
    joined = [a + b for a, b in zip(heads, tails, strict=True)]
    UnknownWords(tokenizer, unknown).check(texts, joined, "training example")
    for prompt, head, tail in zip(prompts, heads, tails, strict=True):
        _check_lengths(prompt, len(head), len(tail), end, tokenizer.model_max_length)
    ids = tuple(row + [tokenizer.eos_token_id] * end for row in joined)
    return Completions(ids, tuple(len(head) for head in heads))


def _check_pair(i: int, pair: tuple[str, str]) -> None:
    texts = isinstance(pair, list | tuple) and all(isinstance(text, str) for text in pair)
    if not texts or len(pair) != 2:
        raise ValueError(f"pair {i} is {shown(pair)}: expected two texts, (prompt, completion)")


def _check_lengths(prompt: str, head: int, tail: int, end: bool, most: int) -> None:
    """Refuse an example whose prompt has no token, whose completion has none, or with too many."""
    if not head:
        raise ValueError(
            f"the prompt {prompt!r} has no token before the completion; begin it with a word"
        )
    if not tail:
        raise ValueError(f"empty completion after {prompt!r}: expected at least one word")
    if head + tail + end > most:
        raise ValueError(
            f"{prompt[:40]!r}… with its completion has {head + tail + end} tokens; "
            f"at most {most} fit"
        )

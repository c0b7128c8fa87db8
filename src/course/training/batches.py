"""Training data and micro-batches: encoded examples, sequence packing, padding by length.

Examples differ in length, and padding is computed like everything else. Completions of a causal
model are packed: several examples in a row, each read as if it stood alone (as in pretraining;
Krell et al. 2021). What cannot be packed is sorted by length and cut into micro-batches where the
padding saved is worth another forward pass.
"""

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.validation import boolean, check_fields, integer, shown
from course.models.peft_wrapper import get_base_model, num_virtual_tokens
from course.models.text import UnknownWords, checked_texts, text_ids
from course.training.packing import IGNORED, attention_mask, lay_out


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
            parts = _shares(lengths, -(-sum(lengths) // plan.max_tokens_per_batch))
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


#: What stands beside each token in the features of ``transformers``, and its value where there is
#: no token.
_PADDING = {"attention_mask": 0, "token_type_ids": 0, "labels": IGNORED}


@dataclass(frozen=True)
class Encoded:
    """Examples for a model that computes its own mean loss, such as a head: see :func:`encoded`."""

    features: tuple[dict, ...]
    pad: int

    @property
    def tokens(self) -> list[int]:
        return [len(feature["input_ids"]) for feature in self.features]

    @property
    def num_targets(self) -> list[int]:
        return [_num_targets(feature) for feature in self.features]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.features)

    def micro_batches(self, chosen: Sequence[int], plan: BatchingPlan) -> list[MicroBatch]:
        return [batch for _, batch in self.micro_batches_with_positions(chosen, plan)]

    def micro_batches_with_positions(
        self, chosen: Sequence[int], plan: BatchingPlan
    ) -> list[tuple[list[int], MicroBatch]]:
        """The micro-batches, each with the positions of the examples in its rows: for outputs that
        have to find back to their examples.
        """
        parts = similar_lengths([len(self.features[i]["input_ids"]) for i in chosen], plan)
        rows = [[chosen[i] for i in part] for part in parts]
        return [(part, self._micro_batch([self.features[i] for i in part])) for part in rows]

    def _micro_batch(self, rows: list[dict]) -> MicroBatch:
        length = max(len(row["input_ids"]) for row in rows)
        tensors = {}
        for name in rows[0]:
            fill = self.pad if name == "input_ids" else _PADDING.get(name)
            tensors[name] = torch.tensor(
                [
                    row[name] + [fill] * (length - len(row["input_ids"]))
                    if _each_token(name, row)
                    else row[name]
                    for row in rows
                ]
            )
        return MicroBatch(tensors, sum(_num_targets(row) for row in rows))

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        return model(**batch.tensors).loss * batch.num_targets


def encoded(features: Sequence[dict], pad: int) -> Encoded:
    """Examples for ``AutoModelForSequenceClassification``, ``...TokenClassification``,
    ``...QuestionAnswering`` and the like.

    The loss is the model's own. (That of a question-answering head runs over padding, so it depends
    a little on what shares a micro-batch.)

    Args:
        features: for each example ``input_ids`` and what else the model takes, ``labels`` or
            ``start_positions`` included. What has one value a token is padded; labels of
            :data:`course.training.packing.IGNORED` do not count.
        pad: the id of the padding token.

    Raises:
        ValueError: if there are no features, if they have different keys, or if one has no
            ``input_ids``, nothing to predict, labels that are no numbers of classes, or lists of
            other lengths than its ``input_ids``.
    """
    if not features:
        raise ValueError(
            "no features to train on: expected at least one, with input_ids and labels"
        )
    for i, feature in enumerate(features):
        _check_keys(i, feature, features[0])
        _check_values(i, feature)
    return Encoded(tuple({"attention_mask": [1] * len(f["input_ids"]), **f} for f in features), pad)


def _check_keys(i: int, feature: dict, first: dict) -> None:
    """Refuse a feature without inputs or targets, or with other keys than the first one."""
    if not feature.get("input_ids"):
        raise ValueError(
            f"feature {i} has no input_ids but {', '.join(feature) or 'nothing'}; "
            "encode it with a tokenizer"
        )
    if feature.keys() != first.keys():
        raise ValueError(
            f"feature {i} has {', '.join(feature)}; expected {', '.join(first)}, as in feature 0"
        )
    if not {"labels", "start_positions"} & feature.keys() or not _num_targets(feature):
        raise ValueError(
            f"feature {i} has nothing to predict: expected labels (not all {IGNORED}) "
            "or start_positions"
        )


def _check_values(i: int, feature: dict) -> None:
    """Refuse what would be trained on without a word, or fail far from here."""
    length, labels = len(feature["input_ids"]), feature.get("labels")
    values = labels if isinstance(labels, list) else [labels]
    # a target with several parts, or one for a regression
    targets = all(isinstance(value, float) for value in values)
    if "labels" in feature and not targets and not all(_is_class(value) for value in values):
        raise ValueError(
            f"feature {i} has labels={shown(labels)}: "
            f"expected numbers of classes from 0 on (or {IGNORED}), or floats"
        )
    for name in _PADDING.keys() & feature.keys():
        one_each = isinstance(feature[name], list) and not (name == "labels" and targets)
        if one_each and len(feature[name]) != length:
            raise ValueError(
                f"feature {i} has {length} input_ids and {len(feature[name])} {name}: "
                "expected one for each"
            )


def _is_class(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return int(value) >= 0 or int(value) == IGNORED


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that padding is made of; a tokenizer without one (GPT-2's, SmolLM2's) has its
    end-of-text token stand in.
    """
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def _each_token(name: str, feature: dict) -> bool:
    """Whether a feature has one value a token; a list of floats is one target of several parts."""
    value = feature[name]
    if name == "labels" and isinstance(value, list):
        return len(value) == len(feature["input_ids"]) and not isinstance(value[0], float)
    return name == "input_ids" or name in _PADDING and isinstance(value, list)


def _num_targets(feature: dict) -> int:
    if "labels" in feature and _each_token("labels", feature):
        return sum(label != IGNORED for label in feature["labels"])
    return 1


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


def _shares(lengths: Sequence[int], count: int) -> list[list[int]]:
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

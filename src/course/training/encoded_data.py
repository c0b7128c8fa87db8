"""Encoded examples for a model that computes its own loss, such as a head of ``transformers``;
padded by length, labels included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import torch

from course.foundation.validation import shown
from course.training.batches import BatchingPlan, MicroBatch, fingerprint, similar_lengths
from course.training.packing import IGNORED

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

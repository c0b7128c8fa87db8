"""The base class of heads: rows in, predictions and scores out, and a body with a fresh head."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput

from course.models.loading import AutoModelClass, load_tokenizer, load_with_head
from course.training.batches import batching_plan, pad_id
from course.training.encoded_data import Encoded, encoded


class Piece(NamedTuple):
    """A part of a text, and the name of what marks it (an entity's kind, a label, ``"answer"``),
    None for the rest of the text.
    """

    text: str
    mark: str | None = None


#: Rows that are sorted by length together: grouping them takes time with their square.
_ROWS_SORTED_TOGETHER = 256
_MAX_TOKENS_PER_BATCH = 16_384


@dataclass(frozen=True)
class Head(ABC):
    """The head for one kind of task. A row is a row of ``Task.data[split]``.

    Attributes:
        labels: the names of the head's outputs, in their order.
        loader: which of ``transformers``' classes makes the model.
        measure: the name of the score.
    """

    labels: tuple[str, ...]
    loader: ClassVar[AutoModelClass]
    measure: ClassVar[str]

    @property
    @abstractmethod
    def kind(self) -> str:
        """The kind of task: ``"sequence"``, ``"pair"``, ``"tokens"`` or ``"span"``."""

    @abstractmethod
    def features(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]) -> list[dict]:
        """Inputs and labels of the model; a long row may have several features.

        Raises:
            ValueError: if a row is longer than the tokenizer's models read; the message names it.
        """

    @abstractmethod
    def predict(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> list:
        """One prediction a row, of the same type as :meth:`truth`."""

    @abstractmethod
    def truth(self, row: dict) -> Any:
        """The right prediction for a row."""

    @abstractmethod
    def measures(self, rows: Sequence[dict], predictions: Sequence) -> dict[str, float]:
        """All measures of some predictions, in percent; the head's own (:attr:`measure`) comes
        first.
        """

    @abstractmethod
    def pieces(self, row: dict, prediction: Any) -> tuple[Piece, ...]:
        """The row's text with the prediction marked in it."""

    @abstractmethod
    def cases(self, row: dict, prediction: Any) -> list[tuple[str, bool]]:
        """(kind of case, whether it is right) for all that can be right or wrong in a row."""

    def is_right(self, row: dict, prediction: Any) -> bool:
        """Whether a row as a whole is predicted right."""
        return self.pieces(row, prediction) == self.pieces(row, self.truth(row))

    def heading(self, row: dict) -> str:
        """The question of a row, where rows have their own; otherwise empty."""
        return ""

    def new_model(
        self, name: str, pretrained: bool = True, seed: int = 0, wanted_tier: str | None = None
    ) -> PreTrainedModel:
        """A model to train: a body with this head, in single precision and evaluation mode.

        Args:
            name: as for :func:`course.models.load_model`.
            pretrained: whether the body is pretrained; otherwise the same architecture has fresh
                weights (from scratch).
            seed: of the fresh weights, those of the head.
            wanted_tier: overrides ``COURSE_TIER``.

        Raises:
            ValueError, WeightsError, HubError: as :func:`course.models.load_with_head`.
        """
        settings = {
            "id2label": dict(enumerate(self.labels)),
            "label2id": {label: i for i, label in enumerate(self.labels)},
            # a causal model's head looks for the last token that is no padding
            "pad_token_id": pad_id(load_tokenizer(name, wanted_tier)),
        }
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return load_with_head(name, self.loader, pretrained, wanted_tier, **settings)

    def encode(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]) -> Encoded:
        """Rows as :func:`course.training.fit` takes them.

        Raises:
            ValueError: as :meth:`features`, and for no rows.
        """
        return encoded(self.features(tokenizer, rows), pad_id(tokenizer))

    def scores(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> dict[str, float]:
        """All measures of the model's predictions, in percent."""
        return self.measures(rows, self.predict(model, tokenizer, rows))

    def score(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> float:
        """The head's own measure (:attr:`measure`) of the model's predictions, in percent."""
        return self.scores(model, tokenizer, rows)[self.measure]


def too_long(number: int, row: dict, length: int, tokenizer: PreTrainedTokenizerBase) -> ValueError:
    """The error for a row that does not fit."""
    shown = str(next(iter(row.values())))[:40]
    return ValueError(
        f"row {number} ({shown}…) has {length} tokens, and at most {tokenizer.model_max_length} "
        "fit; shorten, split or leave it out"
    )


@torch.inference_mode()
def outputs(
    model: PreTrainedModel, features: Sequence[dict], pad: int
) -> Iterator[tuple[list[int], ModelOutput]]:
    """The model's outputs for batches of features of similar length, each with the positions of its
    features.

    Args:
        features: as :meth:`Head.features` gives them; what they say of the truth is left out.
    """
    inputs = [
        {name: f[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in f}
        for f in features
    ]
    data, plan = Encoded(tuple(inputs), pad), batching_plan(model, _MAX_TOKENS_PER_BATCH)
    order = sorted(range(len(inputs)), key=lambda i: -len(inputs[i]["input_ids"]))
    model.eval()
    for start in range(0, len(order), _ROWS_SORTED_TOGETHER):
        for positions, batch in data.micro_batches_with_positions(
            order[start : start + _ROWS_SORTED_TOGETHER], plan
        ):
            yield positions, model(**batch.to(model.device).tensors)


def errors_by_kind(head: Head, rows: Sequence[dict], predictions: Sequence) -> pd.DataFrame:
    """How many cases of each kind there are, and the share of them that is wrong, in percent; the
    commonest kind first.

    What is a case is up to the head (:meth:`Head.cases`): a text, a pair, an entity, a question.
    """
    cases = [
        case
        for row, prediction in zip(rows, predictions, strict=True)
        for case in head.cases(row, prediction)
    ]
    table = (
        pd.DataFrame(cases, columns=["kind", "right"])
        .groupby("kind")["right"]
        .agg(["size", "mean"])
    )
    errors = pd.DataFrame({"cases": table["size"], "wrong (%)": 100 * (1 - table["mean"])})
    return errors.sort_values(["cases"], ascending=False, kind="stable")


def confusion(
    labels: Sequence[str], right: Sequence[str], predicted: Sequence[str]
) -> pd.DataFrame:
    """Of each right label (rows) the share that was given each label (columns), in percent."""
    table = pd.crosstab(
        pd.Categorical(right, labels), pd.Categorical(predicted, labels), dropna=False
    )
    table.index.name, table.columns.name = "right", "predicted"
    return 100 * table.div(table.sum(axis=1).clip(lower=1), axis=0)

"""Sequence classification: one label for a text or a pair, from the vector of one position."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sklearn.metrics import accuracy_score, f1_score
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from course.heads.head import Head, Piece, outputs, too_long
from course.heads.rows import number_of, text_in
from course.models.loading import AutoModelClass
from course.training.batches import pad_id
from course.world.example import Example

_NEGATIONS = frozenset(("not", "n't", "never", "no"))


@dataclass(frozen=True)
class SequenceHead(Head):
    """A label for one text (SST-2) or two (SNLI).

    BERT's head reads the vector of ``[CLS]``, through the pooler. A causal model's reads the vector
    of the last token, the only one that has seen the whole text.

    Attributes:
        labels: the label words, in the order of the numbers in the column ``label``; the column may
            hold the words themselves, too.
        read: turns a row into an example; its input is what a model reads that has no separator
            token for two texts.
        columns: where the text or the two texts stand.
    """

    read: Callable[[dict], Example]
    columns: tuple[str, ...] = ("sentence",)
    loader: ClassVar[AutoModelClass] = AutoModelForSequenceClassification
    measure: ClassVar[str] = "accuracy"

    @property
    def kind(self) -> str:
        return "sequence" if len(self.columns) == 1 else "pair"

    def features(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]) -> list[dict]:
        rows = list(rows)
        numbers = [
            number_of(row.get("label"), self.labels, f"row {i}") for i, row in enumerate(rows)
        ]
        return [
            inputs | {"labels": number}
            for inputs, number in zip(self._inputs(tokenizer, rows), numbers, strict=True)
        ]

    def _inputs(self, tokenizer: PreTrainedTokenizerBase, rows: list[dict]) -> list[dict]:
        texts = [
            [text_in(row, column, f"row {i}") for i, row in enumerate(rows)]
            for column in self.columns
        ]
        if tokenizer.sep_token is None:
            texts = [[self.read(row).input for row in rows]]
        encoded = tokenizer(*texts, split_special_tokens=True, verbose=False)
        features = [{name: encoded[name][i] for name in encoded} for i in range(len(rows))]
        for i, feature in enumerate(features):
            if len(feature["input_ids"]) > tokenizer.model_max_length:
                raise too_long(i, rows[i], len(feature["input_ids"]), tokenizer)
        return features

    def predict(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> list[str]:
        """The likeliest label word of each row, which needs no label of its own."""
        rows = list(rows)
        predictions = [""] * len(rows)
        for positions, output in outputs(model, self._inputs(tokenizer, rows), pad_id(tokenizer)):
            for i, label in zip(
                positions, output.logits.argmax(-1).tolist(), strict=True
            ):  # (B, C)
                predictions[i] = self.labels[label]
        return predictions

    def truth(self, row: dict) -> str:
        return self.labels[number_of(row.get("label"), self.labels, "the row")]

    def pieces(self, row: dict, prediction: str) -> tuple[Piece, ...]:
        *before, last = (row[column] for column in self.columns)
        return (*(Piece(text) for text in before), Piece(last, prediction))

    def cases(self, row: dict, prediction: str) -> list[tuple[str, bool]]:
        """One text by what is hard about it, ``not`` or ``but``; a pair by its label."""
        right = self.truth(row) == prediction
        if len(self.columns) > 1:
            return [(self.truth(row), right)]
        words = set(row[self.columns[0]].lower().split())
        negated, turned = bool(words & _NEGATIONS), "but" in words
        kind = {(0, 0): "neither", (1, 0): "with not", (0, 1): "with but", (1, 1): "with both"}[
            negated, turned
        ]
        return [(kind, right)]

    def measures(self, rows: Sequence[dict], predictions: Sequence[str]) -> dict[str, float]:
        """Accuracy, and the mean of the labels' F1."""
        right = [self.truth(row) for row in rows]
        macro = f1_score(right, predictions, labels=self.labels, average="macro", zero_division=0)
        return {"accuracy": 100 * accuracy_score(right, predictions), "macro F1": 100 * macro}

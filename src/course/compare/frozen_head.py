"""A head on a frozen encoder: logistic regression on its vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.compare.base import TRIALS, Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench
from course.compare.controls import STRENGTHS, Linear
from course.compare.encoder_inputs import (
    CHUNK,
    encoder_obstacle,
    full_length,
    item_tokens,
    most_tokens,
    rows_of,
)
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.task import Item, Prediction, TableTask
from course.heads.head import outputs
from course.heads.tags import first_pieces
from course.training.batches import pad_id

_NUMBERS = "head.safetensors"


@dataclass
class FrozenPredictor(Predictor):
    """Logistic regression on the vectors of a frozen encoder: the mean over a text's tokens, of a
    pair both, their difference and their product (Conneau et al. 2017), of a word its first
    piece's.

    Attributes:
        linear: the head.
        centre, scale: of the vectors in training, (features,).
    """

    task: TableTask
    vectors: "Vectors"
    linear: Linear
    centre: np.ndarray
    scale: np.ndarray

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        features, counts = self.vectors(self, items)
        answers = self.linear.predict((features - self.centre) / self.scale)
        if self.task.kind != "tags":
            return [Prediction(answer) for answer in answers]
        tags = iter(answers)
        rows = [[next(tags) for _ in range(count)] for count in counts]
        return [Prediction(full_length(self.task, i, r)) for i, r in zip(items, rows, strict=True)]

    def save(self, folder: Path) -> dict[str, Any]:
        arrays = self.linear.arrays() | {"centre": self.centre, "scale": self.scale}
        save_file({n: a.astype(np.float32) for n, a in arrays.items()}, folder / _NUMBERS)
        return {"classes": list(self.linear.classes)}


@dataclass
class Vectors:
    """The vectors of items under the frozen encoder; each item is encoded once."""

    bench: Bench

    def __call__(self, who: Predictor, items: Sequence[Item]) -> tuple[np.ndarray, list[int]]:
        """(vectors (texts or words, features), how many of each item), with the work counted as if
        nothing had been encoded before.
        """
        known = self.bench.known.setdefault("vectors", {})
        missing = [i for i in dict.fromkeys(items) if (i.text, i.texts) not in known]
        for start in range(0, len(missing), CHUNK):
            self.bench.deadline.check()
            self._encode(missing[start : start + CHUNK], known)
        each = [known[item.text, item.texts] for item in items]
        who.work += sum((work for _, work in each), Work())
        vectors = [rows for rows, _ in each]
        return np.concatenate(vectors), [len(rows) for rows in vectors]

    def _encode(self, items: Sequence[Item], known: dict) -> None:
        task, tokenizer, body = self.bench.task, self.bench.encoder_tokenizer, self.bench.body
        most = most_tokens(body, tokenizer)
        rows = rows_of(task, items, tokenizer, most)
        columns = [c for c in ("premise", "hypothesis", "sentence") if c in rows[0]] or ["tokens"]
        every = [encode(body, tokenizer, [row[c] for row in rows]) for c in columns]
        for number, item in enumerate(items):
            parts = [vectors[number] for vectors, _ in every]
            if task.kind != "tags":
                parts = [part.mean(0, keepdims=True) for part in parts]
            if len(parts) == 2:
                parts = [np.concatenate([*parts, abs(parts[0] - parts[1]), parts[0] * parts[1]], 1)]
            tokens = sum(lengths[number] for _, lengths in every)
            known[item.text, item.texts] = parts[0], Work(1, tokens, tokens)


def encode(
    body: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str | list[str]]
) -> tuple[list[np.ndarray], list[int]]:
    """The vectors of each text's tokens, or, if it is a list of words, of each word's first piece;
    and the number of tokens of each.
    """
    words = isinstance(texts[0], list)
    read = tokenizer(
        list(texts), is_split_into_words=words, split_special_tokens=True, verbose=False
    )
    features = [{name: read[name][i] for name in read} for i in range(len(texts))]
    features = [f if f["input_ids"] else f | _nothing(tokenizer, f) for f in features]
    vectors = [np.empty(0)] * len(texts)
    for positions, output in outputs(body, features, pad_id(tokenizer)):
        for i, hidden in zip(
            positions, output.last_hidden_state.float().cpu().numpy(), strict=True
        ):
            if words:
                firsts = first_pieces(read.word_ids(i))
                vectors[i] = hidden[[firsts.get(w, 0) for w in range(len(texts[i]))]]
            else:
                vectors[i] = hidden[: len(features[i]["input_ids"])]
    return vectors, [len(f["input_ids"]) for f in features]


def _nothing(tokenizer: PreTrainedTokenizerBase, feature: dict) -> dict:
    """One token for a text that has none."""
    return {name: [1 if name == "attention_mask" else pad_id(tokenizer)] for name in feature}


@dataclass(frozen=True)
class FrozenHead(Method):
    """A linear head on a frozen encoder."""

    @property
    def cost(self) -> Cost:
        return Cost(
            "a logistic regression on vectors, one call for a label", "its weights", query=1
        )

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        return [{"strength": strength / 10} for strength in STRENGTHS]

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        predictor = FrozenPredictor(bench.task, Vectors(bench), None, None, None)  # type: ignore[arg-type]
        features, counts = predictor.vectors(predictor, items)
        answers = [item.answer for item in items]
        if bench.task.kind == "tags":
            split = [item.answer.split()[:n] for item, n in zip(items, counts, strict=True)]
            answers = [tag for tags in split for tag in tags]
        predictor.centre = features.mean(0)
        predictor.scale = np.maximum(features.std(0), 1e-3)
        scaled = (features - predictor.centre) / predictor.scale
        predictor.linear = Linear.fitted(scaled, answers, setting["strength"] / 10)
        return predictor

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        arrays = load_file(folder / _NUMBERS)
        linear = Linear(tuple(stored["classes"]), arrays["weights"], arrays["bias"])
        centre, scale = arrays["centre"], arrays["scale"]
        return FrozenPredictor(bench.task, Vectors(bench), linear, centre, scale)

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        return super().obstacle(bench, data) or encoder_obstacle(bench, data)

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        tokens = item_tokens(bench, data)
        counted, answered = trial_factor(self, TRIALS, size)
        choosing = tokens.times(counted * 0.75 * size + answered)
        width = bench.body.config.hidden_size * (4 if data.task.is_pair else 1)
        bytes_ = 4 * width * (len(data.task.labels) + 2) + 800
        # every item is encoded once, whatever it is used for
        return Estimate(choosing + tokens.times(size), tokens, bytes_, choosing, choosing)

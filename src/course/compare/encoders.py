"""Methods on an encoder: a head on frozen vectors, LoRA, BitFit, and the head with the whole
body."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from peft import PeftModel
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.adapters.methods import adapt
from course.adapters.storage import save as save_model
from course.compare.base import TRIALS, Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench, shortened
from course.compare.controls import STRENGTHS, Linear
from course.compare.metering import Deadline, TimedData, Work
from course.compare.preparation import Prepared
from course.compare.task import Item, Prediction, TableTask
from course.foundation.rng import Rng
from course.heads.head import Head, outputs
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead, first_pieces
from course.training.batches import pad_id
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.world.example import Example

#: Tier -> method -> the usual peak learning rate; any other model is taken as a real one.
RATES = {
    "tiny": {"lora": 3e-3, "bitfit": 1e-2, "full": 5e-4},
    "real": {"lora": 1e-3, "bitfit": 3e-3, "full": 1e-4},
}
#: Method of :mod:`course.adapters` -> the part of the model that it trains and stores.
PARTS = {
    "lora": "low-rank matrices",
    "bitfit": "biases",
    "full": "all weights",
    "prompt": "vectors of a prompt",
}
#: Factors of the usual rate between which the other trials are drawn.
_SPREAD = 4.0
#: Most tokens of an item.
_TOKENS = 256
#: Items that are encoded between two looks at the clock.
_CHUNK = 256
_NUMBERS = "head.safetensors"
#: Folder of a saved model or adapter inside that of its method.
MODEL_FOLDER = "model"


def training(size: int) -> tuple[int, int]:
    """(steps, batch size) for a number of labels: about eight epochs of few labels, at least one of
    many.
    """
    batch = 8 if size <= 128 else 16
    return max(40, min(8 * size // batch, 300), min(size // batch, 600)), batch


def rates(usual: float, name: str) -> list[Setting]:
    """The usual learning rate, and others around it, drawn once and for all (random search)."""
    rng = Rng(f"learning rates/{name}")
    factors = [1.0, *(_SPREAD ** (2 * rng.random() - 1) for _ in range(TRIALS - 1))]
    return [{"learning_rate": float(f"{usual * factor:.2g}")} for factor in factors]


# rows for the heads of course.heads


def head_of(task: TableTask) -> Head:
    """The head for a task."""
    if task.kind == "tags":
        return TokenHead(task.labels)
    columns = ("premise", "hypothesis") if task.is_pair else ("sentence",)
    return SequenceHead(task.labels, _read_row, columns)


def _read_row(row: dict) -> Example:
    text = row["sentence"] if "sentence" in row else f"{row['premise']}\n{row['hypothesis']}"
    return Example(text, row.get("label", ""))


def rows_of(
    task: TableTask, items: Sequence[Item], tokenizer: PreTrainedTokenizerBase, most: int
) -> list[dict]:
    """Items as rows of the well-known sets, with what is too long cut off; of an item without a
    known label the first one stands in.
    """
    if task.kind == "tags":
        return [_tagged(task, item, tokenizer, most) for item in items]
    rows = []
    for item in items:
        label = item.answer if item.answer in task.labels else task.labels[0]
        if task.is_pair:
            first, second = (shortened(tokenizer, text, most // 2 - 2) for text in item.texts)
            rows.append({"premise": first, "hypothesis": second, "label": label})
        else:
            rows.append({"sentence": shortened(tokenizer, item.text, most - 4), "label": label})
    return rows


def _tagged(task: TableTask, item: Item, tokenizer: PreTrainedTokenizerBase, most: int) -> dict:
    words, tags = item.text.split(), item.answer.split()
    if len(item.text) > most:  # no token is empty
        ids = tokenizer(words, is_split_into_words=True, verbose=False).word_ids(0)
        if len(ids) > most:
            words = words[: max((w for w in ids[: most - 1] if w is not None), default=0)]
    known = [tag if tag in task.labels else "O" for tag in tags] or ["O"] * len(words)
    return {"tokens": words, "ner_tags": known[: len(words)]}


def most_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Most tokens of an item for a model."""
    bounds = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min(_TOKENS, *(bound for bound in bounds if bound))


def full_length(task: TableTask, item: Item, answer: Any) -> str:
    """An answer of a head; tags that were cut off are no names."""
    if task.kind != "tags":
        return answer
    missing = len(item.text.split()) - len(answer)
    return " ".join([*answer, *["O"] * missing])


# a head on frozen vectors


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

    @classmethod
    def read(cls, bench: Bench, folder: Path, stored: dict[str, Any]) -> "FrozenPredictor":
        arrays = load_file(folder / _NUMBERS)
        linear = Linear(tuple(stored["classes"]), arrays["weights"], arrays["bias"])
        return cls(bench.task, Vectors(bench), linear, arrays["centre"], arrays["scale"])


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
        for start in range(0, len(missing), _CHUNK):
            self.bench.deadline.check()
            self._encode(missing[start : start + _CHUNK], known)
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


# an encoder that is trained


@dataclass
class HeadPredictor(Predictor):
    """A head on an encoder that was trained with it, in full or by an adapter."""

    task: TableTask
    head: Head
    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    deadline: Deadline = field(default_factory=Deadline)
    base: str = ""

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        answers: list[Prediction] = []
        most = most_tokens(self.model, self.tokenizer)
        for start in range(0, len(items), _CHUNK):
            self.deadline.check()
            some = items[start : start + _CHUNK]
            rows = rows_of(self.task, some, self.tokenizer, most)
            named = self.head.predict(self.model, self.tokenizer, rows)
            whole = [full_length(self.task, i, a) for i, a in zip(some, named, strict=True)]
            answers += [Prediction(answer) for answer in whole]
            tokens = sum(len(f["input_ids"]) for f in self.head.features(self.tokenizer, rows))
            self.work += Work(len(some), tokens, tokens)
        return answers

    def save(self, folder: Path) -> dict[str, Any]:
        save_model(self.model, folder / MODEL_FOLDER)
        if not isinstance(self.model, PeftModel):
            self.tokenizer.save_pretrained(folder / "tokenizer")
        return {"base": self.base, "adapter": isinstance(self.model, PeftModel)}


@dataclass(frozen=True)
class TrainedHead(Method):
    """A head, trained with its encoder by one of :data:`course.adapters.METHODS`.

    Attributes:
        adapter: which.
    """

    adapter: str = "full"
    iterative: ClassVar[bool] = True

    @property
    def cost(self) -> Cost:
        part = PARTS[self.adapter]
        steps = training(sys.maxsize)[0]
        return Cost(f"{part} and a head, at most {steps} steps", f"{part} and the head", query=1)

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        usual = RATES[bench.choice.kind_of(bench.choice.encoder)]
        return rates(usual[self.adapter], self.name)

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        head, tokenizer = head_of(bench.task), bench.encoder_tokenizer
        name = bench.choice.encoder or ""
        model = head.new_model(name, seed=seed, wanted_tier=bench.choice.tier)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            adapted = adapt(model, self.adapter).to(model.device)
        rows = rows_of(bench.task, items, tokenizer, most_tokens(model, tokenizer))
        steps, batch = training(len(items))
        settings = FitSettings(
            steps=max(1, round(share * steps)),
            batch_size=batch,
            learning_rate=setting["learning_rate"],
            seed=seed,
            precision=bench.choice.precision or "fp32",
        )
        data = TimedData(head.encode(tokenizer, rows), bench.deadline)
        history = fit(adapted, data, settings, bar=False)
        predictor = HeadPredictor(bench.task, head, adapted, tokenizer, bench.deadline, name)
        predictor.work = Work(trained=history.tokens)
        return predictor

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        return super().obstacle(bench, data) or encoder_obstacle(bench, data)

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        tokens = item_tokens(bench, data, joined=True)
        share, answered = trial_factor(self, TRIALS, size)
        tried = share * _trained(size - size // 4) if share else 0
        choosing = Work(trained=tried * tokens.read) + tokens.times(answered)
        learning = choosing + Work(trained=_trained(size) * tokens.read)
        return Estimate(learning, tokens, self._bytes(bench), choosing)

    def _bytes(self, bench: Bench) -> float:
        """Bytes of what is trained, from the body's sizes."""
        key = ("bytes", self.adapter)
        if key not in bench.known:
            head = head_of(bench.task)
            model = head.new_model(bench.choice.encoder or "", wanted_tier=bench.choice.tier)
            adapted = adapt(model, self.adapter)
            bench.known[key] = 4 * sum(p.numel() for p in adapted.parameters() if p.requires_grad)
        return bench.known[key] + 3000


def _trained(size: int) -> float:
    """Items that go through a training on ``size`` labels."""
    steps, batch = training(size)
    return steps * batch


def item_tokens(bench: Bench, data: Prepared, joined: bool = False) -> Work:
    """The work of encoding one item, by some of them."""
    tokenizer, some = bench.encoder_tokenizer, data.train[:100]
    rows = rows_of(data.task, some, tokenizer, _TOKENS)
    if joined:
        lengths = [len(f["input_ids"]) for f in head_of(data.task).features(tokenizer, rows)]
    else:
        columns = [c for c in ("premise", "hypothesis", "sentence", "tokens") if c in rows[0]]
        words = columns == ["tokens"]
        lengths = [
            sum(len(tokenizer(row[c], is_split_into_words=words).input_ids) for c in columns)
            for row in rows
        ]
    mean = float(np.mean(lengths))
    return Work(1, mean, mean)


def encoder_obstacle(bench: Bench, data: Prepared) -> str | None:
    """Why the encoder cannot be used on these texts; None if it can."""
    if bench.choice.encoder is None:
        return "needs an encoder, and none was named"
    if unknown := bench.unknown_words("encoder", "the encoder", data.train):
        return unknown
    return None

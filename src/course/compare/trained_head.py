"""A head on an encoder that is trained with it: by LoRA, by BitFit, or in full."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.adapters.methods import adapt
from course.adapters.storage import save as save_model
from course.compare.base import TRIALS, Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench
from course.compare.encoder_inputs import (
    CHUNK,
    encoder_obstacle,
    full_length,
    head_of,
    item_tokens,
    most_tokens,
    rows_of,
)
from course.compare.metering import Deadline, TimedData, Work
from course.compare.preparation import Prepared
from course.compare.task import Item, Prediction, TableTask
from course.compare.tuning import MODEL_FOLDER, PARTS, check_safetensors, rates
from course.heads.head import Head
from course.models.loading import load_with_head
from course.training.fit_settings import FitSettings
from course.training.fitting import fit

#: Tier -> method -> the usual peak learning rate; any other model is taken as a real one.
RATES = {
    "tiny": {"lora": 3e-3, "bitfit": 1e-2, "full": 5e-4},
    "real": {"lora": 1e-3, "bitfit": 3e-3, "full": 1e-4},
}


def training(size: int) -> tuple[int, int]:
    """(steps, batch size) for a number of labels: about eight epochs of few labels, at least one of
    many.
    """
    batch = 8 if size <= 128 else 16
    return max(40, min(8 * size // batch, 300), min(size // batch, 600)), batch


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
        for start in range(0, len(items), CHUNK):
            self.deadline.check()
            some = items[start : start + CHUNK]
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

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        head, place = head_of(bench.task), folder / MODEL_FOLDER
        check_safetensors(place)
        if stored["adapter"]:
            base = head.new_model(stored["base"], wanted_tier=bench.choice.tier)
            model = PeftModel.from_pretrained(base, str(place)).eval()
        else:
            model = load_with_head(place, head.loader)
        return HeadPredictor(bench.task, head, model, bench.encoder_tokenizer, base=stored["base"])

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

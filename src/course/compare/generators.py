"""Methods that train the prompted model itself: a soft prompt, LoRA, full fine-tuning, and LoRA
behind a searched prompt. It answers in words, as it does when it is prompted.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import PeftModel
from tokenizers import processors

from course.adapters.methods import adapt
from course.adapters.storage import save as save_model
from course.compare.base import TRIALS, Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench
from course.compare.metering import Meter, TimedData, Work
from course.compare.preparation import Prepared
from course.compare.prompt_costs import query_work, room
from course.compare.prompt_predictor import PromptPredictor, PromptState, read_state
from course.compare.prompted import ZeroShot, causal_obstacle
from course.compare.searched import CALLS, SEARCH_ITEMS, SearchedPrompt, searched
from course.compare.task import Item
from course.compare.tuning import MODEL_FOLDER, PARTS, check_safetensors, rates
from course.lm.language_model import LanguageModel
from course.models.loading import load_model
from course.models.peft_wrapper import num_virtual_tokens
from course.training.completion_data import Completions, completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit

#: Tier -> method -> the usual peak learning rate; any other model is taken as a real one.
RATES = {
    "tiny": {"prompt": 1e-1, "lora": 3e-3, "full": 5e-4},
    "real": {"prompt": 3e-2, "lora": 5e-4, "full": 3e-5},
}
#: Vectors of a soft prompt.
_VECTORS = 16
_BATCH = 8


def training(size: int) -> int:
    """Steps for a number of labels: about three epochs of few labels; a large model is slow."""
    return max(20, min(3 * size // _BATCH, 150))


@dataclass
class TunedPredictor(PromptPredictor):
    """A prompted model that was trained.

    Attributes:
        base: the name of the model that it was.
    """

    base: str = ""

    def save(self, folder: Path) -> dict[str, Any]:
        model = self.meter.local
        save_model(model.model, folder / MODEL_FOLDER)
        if not isinstance(model.model, PeftModel):
            model.tokenizer.save_pretrained(folder / "tokenizer")
        return super().save(folder) | {
            "base": self.base,
            "adapter": isinstance(model.model, PeftModel),
            "virtual_tokens": num_virtual_tokens(model.model),
        }


@dataclass(frozen=True)
class TunedGenerator(Method):
    """The prompted model, trained on the answers by one method of :mod:`course.adapters`.

    Attributes:
        adapter: which.
        search_first: whether its instruction is searched for before it is trained.
    """

    adapter: str = "lora"
    search_first: bool = False
    iterative: ClassVar[bool] = True

    @property
    def cost(self) -> Cost:
        part, steps = PARTS[self.adapter], training(sys.maxsize)
        calls = f", after at most {CALLS} calls to search" if self.search_first else ""
        kept = f"{part} and the instruction" if self.search_first else part
        return Cost(f"{part}, at most {steps} steps{calls}", kept, query=1)

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        usual = RATES[bench.choice.kind_of(bench.choice.causal)]
        return rates(usual[self.adapter], self.name)

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        instruction, before = self._instruction(bench, items, seed)
        plain = bench.fresh_causal()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            options: dict[str, Any] = {"length": _VECTORS} if self.adapter == "prompt" else {}
            adapted = adapt(plain.model, self.adapter, **options).to(plain.model.device)
        model = LanguageModel(
            adapted.eval(), tokenizer_for(plain, adapted), chat=False, unknown="allow"
        )
        state = PromptState(instruction, (), None, room(bench, items), chat=False)
        predictor = TunedPredictor(
            bench.task, Meter(model, bench.deadline), state, bench.item_tokens(items),
            method=self.name, base=bench.choice.causal or "",
        )  # fmt: skip
        settings = FitSettings(
            steps=max(1, round(share * training(len(items)))),
            batch_size=_BATCH,
            learning_rate=setting["learning_rate"],
            weight_decay=0.0,
            seed=seed,
            precision=bench.choice.precision or "fp32",
        )
        data = TimedData(answers_data(predictor, items), bench.deadline)
        history = fit(adapted, data, settings, bar=False)
        predictor.work = before + Work(trained=history.tokens)
        return predictor

    def _instruction(self, bench: Bench, items: Sequence[Item], seed: int) -> tuple[str, Work]:
        """What the model is told, and the work of finding it."""
        if not self.search_first:
            return bench.task.told, Work()
        tail = tuple(items[-SEARCH_ITEMS:])  # the same for a trial, which leaves out the first ones
        key = ("searched", seed, tail)
        if key in bench.known:
            return bench.known[key], Work()
        state = PromptState(bench.task.told, room=room(bench, items))
        like = ZeroShot(self.name, "", "", "causal", "").predictor(bench, state, items)
        before = like.meter.work
        bench.known[key] = searched(bench, tail, seed, like)
        return bench.known[key], like.meter.work - before

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        check_safetensors(folder / MODEL_FOLDER)
        if stored["adapter"]:
            plain = bench.fresh_causal()
            model = PeftModel.from_pretrained(plain.model, str(folder / MODEL_FOLDER)).eval()
            tokenizer = tokenizer_for(plain, model)
        else:
            model, tokenizer = load_model(folder / MODEL_FOLDER), bench.causal_tokenizer
        meter = Meter(LanguageModel(model, tokenizer, chat=False, unknown="allow"), bench.deadline)
        state, tokens = read_state(stored), stored["item_tokens"]
        return TunedPredictor(
            bench.task, meter, state, tokens, method=self.name, base=stored["base"]
        )

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        return super().obstacle(bench, data) or causal_obstacle(bench, data)

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        query = query_work(self, bench, data)
        share, answered = trial_factor(self, TRIALS, size)
        tried = share * training(size - size // 4) if share else 0
        choosing = Work(trained=_BATCH * tried * query.read) + query.times(answered)
        learning = choosing + Work(trained=_BATCH * training(size) * query.read)
        if self.search_first:
            found = SearchedPrompt(self.name, "", "", "causal", "")
            learning += found.estimate(bench, data, size).learning
        return Estimate(learning, query, self._bytes(bench), choosing)

    def _bytes(self, bench: Bench) -> float:
        key = ("bytes", "causal", self.adapter)
        if key not in bench.known:
            options: dict[str, Any] = {"length": _VECTORS} if self.adapter == "prompt" else {}
            adapted = adapt(bench.fresh_causal().model, self.adapter, **options)
            trained = {id(p): p.numel() for p in adapted.parameters() if p.requires_grad}
            bench.known[key] = 4 * sum(trained.values())
        return bench.known[key] + 3000


def answers_data(predictor: PromptPredictor, items: Sequence[Item]) -> Completions:
    """Prompts with the answers that should follow them, and what ends an answer."""
    model = predictor.meter.local
    end = predictor.task.layout.stop
    pairs = [(predictor._prompt(item).text, predictor.task.write(item) + end) for item in items]
    return completions(model.tokenizer, pairs, unknown="allow")


def tokenizer_for(plain: LanguageModel, adapted: Any) -> Any:
    """The model's tokenizer; before the vectors of a soft prompt it puts no token of its own."""
    tokenizer = plain.tokenizer
    if num_virtual_tokens(adapted) and tokenizer("").input_ids:
        tokenizer = copy.deepcopy(tokenizer)
        tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    return tokenizer

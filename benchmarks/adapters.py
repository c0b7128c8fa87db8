"""One base, many LoRA adapters in one batch: ``course.adapters.serving`` beside ``peft``'s
``adapter_names``, in one process.

``python benchmarks/adapters.py``. A step decodes one token for every row of a batch behind a cache
of earlier tokens; each row has its own adapter. A line gives the median step of each over rounds
that take turns, the ratio, the largest difference of a logit, and the megabytes that the adapters
take in memory (the bank's with the rows that it gathers for the batch). "in turn" switches adapters
with ``set_adapter`` and runs each on its rows.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from statistics import median

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from subjects import subject
from transformers import DynamicCache

from course.adapters import adapt
from course.adapters.serving import AdapterBank


@dataclass(frozen=True)
class Workload:
    """A step of ``rows`` rows behind ``past`` tokens, shared out among ``adapters`` adapters of
    rank ``r``.
    """

    adapters: int = 16
    rows: int = 64
    past: int = 32
    r: int = 4


def grow(model: PeftModel, count: int, r: int) -> PeftModel:
    """Add LoRA adapters until there are ``count``, with weights drawn at random."""
    have = len(model.peft_config) if isinstance(model, PeftModel) else 0
    torch.manual_seed(have)
    for number in range(have, count):
        model = adapt(model, "lora", f"task-{number}", r=r)
        for layer in model.modules():
            if isinstance(layer, LoraLayer):
                torch.nn.init.normal_(layer.lora_B[f"task-{number}"].weight, std=0.05)
    return model.eval()


class Steps:
    """The same decoding step, three ways; the cache is cut back after each."""

    def __init__(self, model: PeftModel, work: Workload):
        self.model, self.bank = model, AdapterBank(model)
        self.names = [f"task-{row % work.adapters}" for row in range(work.rows)]
        ids = torch.randint(10, 900, (work.rows, work.past + 1))
        self.last = ids[:, -1:]
        with self.bank.rows(self.names) as served:
            self.cache = served(input_ids=ids[:, :-1], use_cache=True).past_key_values
        self.parts = self._set_apart()

    def _step(self, model, cache, ids, **more) -> torch.Tensor:
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True, **more).logits[:, -1]
        cache.crop(-1)
        return logits

    def course(self) -> torch.Tensor:
        # a generation gathers its rows once, before its first step
        return self._step(self.bank.model, self.cache, self.last)

    def peft(self) -> torch.Tensor:
        return self._step(self.model, self.cache, self.last, adapter_names=self.names)

    def in_turn(self) -> torch.Tensor:
        """Every adapter on its own rows, whose caches were set apart beforehand."""
        found = [None] * len(self.names)
        for name, (places, cache) in self.parts.items():
            self.model.set_adapter(name)
            for place, row in zip(
                places, self._step(self.model, cache, self.last[places]), strict=True
            ):
                found[place] = row
        return torch.stack(found)

    def _set_apart(self) -> dict[str, tuple[list[int], DynamicCache]]:
        """Adapter -> its rows, and their part of the cache."""
        parts = {}
        for name in dict.fromkeys(self.names):
            places = [i for i, other in enumerate(self.names) if other == name]
            cache = DynamicCache(
                [(layer.keys[places], layer.values[places]) for layer in self.cache.layers]
            )
            parts[name] = (places, cache)
        return parts


def megabytes(model: PeftModel, bank: AdapterBank) -> tuple[float, float]:
    """What the adapters take in memory: in the bank, rows of the batch included, and in
    ``peft``.
    """
    own = sum(
        t.nbytes
        for layer in bank._routed
        for t in (*layer.stacked.values(), *(layer.chosen or {}).values())
    )
    return own / 1e6, sum(p.nbytes for name, p in model.named_parameters() if "lora_" in name) / 1e6


def measure(model: PeftModel, work: Workload, rounds: int) -> str:
    steps = Steps(model, work)
    times, logits = {"course": [], "peft": [], "in_turn": []}, {}
    with steps.bank.rows(steps.names):
        for _ in range(rounds):  # they take turns, so that a busy moment of the machine meets all
            for name, taken in times.items():
                started = time.perf_counter()
                logits[name] = getattr(steps, name)()
                taken.append(1e3 * (time.perf_counter() - started))
        stored = megabytes(model, steps.bank)
    course, peft, turn = (median(taken[rounds // 4 :]) for taken in times.values())
    difference = max(
        (logits["course"] - logits[name]).abs().max().item() for name in ("peft", "in_turn")
    )
    return (
        f"{work.adapters:8}{work.rows:6}{course:11.2f}{peft:10.2f}{turn:10.2f}"
        f"{peft / course:8.1f}x{turn / course:8.1f}x"
        f"{difference:12.1e}{stored[0]:10.2f}{stored[1]:9.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="gpt-middle")
    parser.add_argument("--adapters", type=int, nargs="*", default=[1, 4, 16, 64, 100])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=30)
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    model = subject(chosen.model).model
    print(
        f"{chosen.model}, {torch.get_num_threads()} threads, median of {chosen.rounds} steps of "
        f"one token, LoRA of rank {Workload.r}"
    )
    titles = {
        "adapters": 8,
        "rows": 6,
        "course ms": 11,
        "peft ms": 10,
        "in turn": 10,
        "peft": 9,
        "in turn ": 9,
        "difference": 12,
        "bank MB": 10,
        "peft MB": 9,
    }
    print("".join(f"{title:>{width}}" for title, width in titles.items()))
    for count in chosen.adapters:
        work = Workload(count, chosen.rows)
        model = grow(model, work.adapters, work.r)
        print(measure(model, work, chosen.rounds), flush=True)


if __name__ == "__main__":
    main()

"""fit() beside ``transformers.Trainer``: ``python benchmarks/training.py [--model NAME] [--seconds N] [--runs N]``.

The same model, examples, batch size, optimiser and schedule for an equal time, in one process. The examples are a mixture of the
world's tasks with 0 to 4 demonstrations, so their lengths differ much. Tokens are real ones: padding is not counted. The goal is
1.8 times the Trainer's tokens a second (at its defaults) at no worse a loss. Its own remedies, sampling by length and bfloat16,
stand in the table beside it.
"""

import argparse
import copy
import logging
import tempfile
import time
from dataclasses import dataclass

import pandas as pd
import torch
from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

from course.batches import Completions, completions
from course.in_context import queries
from course.lm import LanguageModel, load
from course.packing import IGNORED
from course.training import FitSettings, fit, mean_loss
from course.world.exercises import CHAINS, EXERCISES
from course.world.lists import list_tasks
from course.world.split import TRAIN, VALIDATION

SETTINGS = FitSettings(batch_size=32, rate=1e-3, warm_up=0.1, weight_decay=0.01, clip=1.0)
TRAINERS = {
    "Trainer": {},
    "Trainer, by length": {"train_sampling_strategy": "group_by_length"},
    "Trainer, by length, bf16": {"train_sampling_strategy": "group_by_length", "bf16": True},
}
FIT = "fit()"


@dataclass(frozen=True)
class Outcome:
    """What one run did: optimiser steps, seconds, real tokens, and the validation loss at its end (nats a predicted token)."""

    steps: int
    seconds: float
    tokens: int
    loss: float


def mixture(base: LanguageModel, split: str, count: int, seed: int) -> Completions:
    """``count`` examples of every task for every number of demonstrations, where the task has enough inputs."""
    pairs = []
    for name in [*list_tasks(), *(name for name in EXERCISES if name not in CHAINS)]:
        for shots in (0, 1, 2, 4):
            try:
                asked = queries(name, shots, count, seed, split)
            except (ValueError, IndexError):  # too few inputs in this split
                continue
            pairs += [(query.prompt, query.output) for query in asked]
    return completions(base.tokenizer, pairs)


def run_fit(base: LanguageModel, train: Completions, held_out: Completions, steps: int) -> Outcome:
    model = copy.deepcopy(base.model)
    history = fit(model, train, FitSettings(**{**vars(SETTINGS), "steps": steps}), bar=False)
    return Outcome(steps, history.seconds, history.tokens, fp32_loss(model, held_out))


def run_trainer(base: LanguageModel, train: Completions, held_out: Completions, steps: int, options: dict) -> Outcome:
    model, read = copy.deepcopy(base.model), []
    rows = [{"input_ids": ids, "labels": [IGNORED] * start + ids[start:]} for ids, start in zip(train.ids, train.starts, strict=True)]
    pad = DataCollatorForSeq2Seq(base.tokenizer)

    def collate(features: list[dict]) -> dict:
        read.append(sum(len(feature["input_ids"]) for feature in features))
        return pad(features)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=steps, per_device_train_batch_size=SETTINGS.batch_size, learning_rate=SETTINGS.rate,
            warmup_steps=SETTINGS.warm_up, weight_decay=SETTINGS.weight_decay, max_grad_norm=SETTINGS.clip, seed=0,
            save_strategy="no", report_to="none", disable_tqdm=True, logging_strategy="no", use_cpu=True, **options,
        )  # fmt: skip
        trainer = Trainer(model, arguments, data_collator=collate, train_dataset=Dataset.from_list(rows))
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    return Outcome(steps, seconds, sum(read[:steps]), fp32_loss(trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False), held_out))


def fp32_loss(model, data: Completions) -> float:
    return mean_loss(model, data, FitSettings(precision="fp32"))


def compare(base: LanguageModel, seconds: float, runs: int, names: list[str]) -> pd.DataFrame:
    """Every way ``runs`` times in turn, each for about ``seconds``; the fastest run of each, beside the Trainer at its defaults."""
    train, held_out = mixture(base, TRAIN, 100, 0), mixture(base, VALIDATION, 4, 1)
    ways = {FIT: lambda steps: run_fit(base, train, held_out, steps)}
    for name, options in TRAINERS.items():
        ways[name] = lambda steps, options=options: run_trainer(base, train, held_out, steps, options)
    found = {name: [] for name in names}
    for name in names:  # how many steps fill the time; the first few, which warm up, do not count
        ways[name](3)
        probe = ways[name](15)
        found[name] = [max(2, round(seconds * probe.steps / probe.seconds))]
    for _ in range(runs):
        for name in names:
            outcome = ways[name](found[name][0])
            found[name].append(outcome)
            print(f"{name}: {outcome.tokens / outcome.seconds:,.0f} tokens/s, loss {outcome.loss:.4f}", flush=True)
    best = {name: max(outcomes[1:], key=lambda o: o.tokens / o.seconds) for name, outcomes in found.items()}
    speed = {name: o.tokens / o.seconds for name, o in best.items()}
    return pd.DataFrame({
        "tokens/s": {name: round(value) for name, value in speed.items()},
        "times Trainer": {name: round(value / speed["Trainer"], 2) for name, value in speed.items()},
        "steps": {name: o.steps for name, o in best.items()},
        "seconds": {name: round(o.seconds, 1) for name, o in best.items()},
        "validation loss": {name: round(o.loss, 4) for name, o in best.items()},
    })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="fit() beside transformers.Trainer, for an equal time.")
    parser.add_argument("--model", default="gpt-middle", help="a shipped GPT (default: gpt-middle)")
    parser.add_argument("--seconds", type=float, default=60, help="of each run (default: 60; 20 for a quick look)")
    parser.add_argument("--runs", type=int, default=3, help="of each way; the best counts (default: 3)")
    parser.add_argument("--short", action="store_true", help="leave out the Trainer's own remedies")
    chosen = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    base = load(chosen.model)
    table = compare(base, chosen.seconds, chosen.runs, [FIT, "Trainer"] if chosen.short else [FIT, *TRAINERS])
    print(f"\n{chosen.model}, {torch.get_num_threads()} threads, best of {chosen.runs}\n{table.to_string()}")
    held = table.loc[FIT, "times Trainer"] >= 1.8 and table.loc[FIT, "validation loss"] <= table.loc["Trainer", "validation loss"]
    print(f"goal (1.8 times the tokens a second, no worse a loss): {'reached' if held else 'not reached'}")


if __name__ == "__main__":
    main()

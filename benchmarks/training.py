"""fit() beside ``transformers.Trainer``: ``python benchmarks/training.py [--seconds N ...] [--runs
N] [--precision fp32]``.

The same model, examples, batch size, optimiser, peak rate and schedule for an equal time, in one
process. The examples are a mixture of the world's tasks with 0 to 4 demonstrations, so their
lengths differ much. Tokens are real ones: padding is not counted. The goal is 1.8 times the
Trainer's tokens a second (at its defaults) at no worse a loss. Its own remedies, sampling by length
and bfloat16 (where the processor computes in it), stand in the table beside it, and so does fit()
for as many steps as the Trainer came to: whether a step of one is worth a step of the other shows
there.

Loss after equal time tells which way trains better only where more training does lower the loss. So
no example comes twice, whatever the time, and the loss is that of new examples about the same
inputs. Inputs that were held out would not do: nobody can tell the plural of a word that is in no
example, and a model that has seen more of the others is surer of a wrong one. (The loss of held-out
inputs is printed beside it; it falls, and rises again.)
"""

import argparse
import copy
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import mean

import pandas as pd
import torch
from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import fresh_questions
from course.training.completion_data import Completions, completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.packing import IGNORED
from course.training.precision import PRECISIONS, best_precision
from course.training.validation import mean_loss
from course.world.exercises import CHAINS, EXERCISES
from course.world.lists import list_tasks
from course.world.split import TRAIN, VALIDATION

SETTINGS = FitSettings(
    batch_size=32, learning_rate=3e-4, warmup_ratio=0.1, weight_decay=0.01, max_grad_norm=1.0
)
FIT, SAME_STEPS, TRAINER = "fit()", "fit(), Trainer's steps", "Trainer"
REMEDIES = {"Trainer, by length": {"train_sampling_strategy": "group_by_length"}}
IN_BF16 = {"Trainer, by length, bf16": {"train_sampling_strategy": "group_by_length", "bf16": True}}
#: Seeds of examples, kept apart: training takes 0, 1, 2, ...
NEW, HELD_OUT = 1000, 1001
#: A round of training examples lasts fit() at least so many seconds.
_ROUND_SECONDS = 15
#: Words of the longest prompt: it has to fit the models' window.
_LONGEST = 240
#: Steps that tell how fast a way is, after the first few, which warm up.
_WARM, _PROBE = 3, 15

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Examples:
    """What is trained on, as fit() and as the Trainer take it; and what the loss is measured on,
    none of which is trained on.
    """

    train: Completions
    rows: Dataset
    new: Completions
    held_out: Completions


@dataclass(frozen=True)
class Outcome:
    """What one run did: optimiser steps, seconds, real tokens, and its losses at the end (nats a
    predicted token).
    """

    steps: int
    seconds: float
    tokens: int
    loss: float
    held_out: float


def mixture(split: str, count: int, seed: int) -> Pairs:
    """``count`` examples of every task for every number of demonstrations, where the task has
    enough inputs.
    """
    pairs = []
    for name in [*list_tasks(), *(name for name in EXERCISES if name not in CHAINS)]:
        for shots in (0, 1, 2, 4):
            try:
                questions = fresh_questions(name, shots, count, seed, split)
            except (ValueError, IndexError):  # too few inputs in this split
                continue
            pairs += [
                question.pair
                for question in questions
                if len(question.prompt.text.split()) <= _LONGEST
            ]
    return pairs


def examples(base: LanguageModel, seconds: float) -> Examples:
    """Examples for so many seconds of training, all different."""
    train = dict.fromkeys(
        pair
        for seed in range(2 + int(seconds / _ROUND_SECONDS))
        for pair in mixture(TRAIN, 100, seed)
    )
    new = [pair for pair in mixture(TRAIN, 10, NEW) if pair not in train]
    encoded, *others = (
        completions(base.tokenizer, list(pairs))
        for pairs in (train, new, mixture(VALIDATION, 10, HELD_OUT))
    )
    rows = [
        {"input_ids": ids, "labels": [IGNORED] * start + ids[start:]}
        for ids, start in zip(encoded.ids, encoded.starts, strict=True)
    ]
    return Examples(encoded, Dataset.from_list(rows), *others)


def run_fit(base: LanguageModel, shown: Examples, settings: FitSettings) -> Outcome:
    model = copy.deepcopy(base.model)
    history = fit(model, shown.train, settings, bar=False)
    return Outcome(settings.steps, history.seconds, history.tokens, *fp32_losses(model, shown))


def run_trainer(
    base: LanguageModel, shown: Examples, settings: FitSettings, options: dict
) -> Outcome:
    model, read, pad = copy.deepcopy(base.model), [], DataCollatorForSeq2Seq(base.tokenizer)

    def collate(features: list[dict]) -> dict:
        read.append(sum(len(feature["input_ids"]) for feature in features))
        return pad(features)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=settings.steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_ratio,
            weight_decay=settings.weight_decay,
            max_grad_norm=settings.max_grad_norm,
            seed=settings.seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=True,
            **options,
        )
        trainer = Trainer(model, arguments, data_collator=collate, train_dataset=shown.rows)
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    trained = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    return Outcome(
        settings.steps, seconds, sum(read[: settings.steps]), *fp32_losses(trained, shown)
    )


def fp32_losses(model, shown: Examples) -> tuple[float, float]:
    """The losses on new examples and on held-out inputs, of every way in single precision."""
    return tuple(
        mean_loss(model, data, FitSettings(precision="fp32"))
        for data in (shown.new, shown.held_out)
    )


Way = Callable[[FitSettings], Outcome]


def ways(base: LanguageModel, shown: Examples, trainers: dict[str, dict]) -> dict[str, Way]:
    made = {FIT: lambda settings: run_fit(base, shown, settings)}
    for name, options in trainers.items():
        made[name] = lambda settings, options=options: run_trainer(base, shown, settings, options)
    return made


def steps_for(way: Way, settings: FitSettings, seconds: float, step_tokens: float) -> int:
    """How many steps fill the time, for steps of so many tokens in the mean: those of a probe may
    be longer, if they go by length.
    """
    way(replace(settings, steps=_WARM))
    probe = way(replace(settings, steps=_PROBE))
    return max(2, round(seconds * probe.tokens / probe.seconds / step_tokens))


def compare(
    found: dict[str, Way], settings: FitSettings, step_tokens: float, seconds: float, runs: int
) -> pd.DataFrame:
    """Every way ``runs`` times in turn, each time in another order of the examples; the means,
    beside the Trainer at its defaults.
    """
    steps = {name: steps_for(way, settings, seconds, step_tokens) for name, way in found.items()}
    tried = found | {SAME_STEPS: found[FIT]}
    steps[SAME_STEPS] = steps[TRAINER]
    outcomes = {name: [] for name in tried}
    for seed in range(runs):
        for name, way in tried.items():
            outcome = way(replace(settings, steps=steps[name], seed=seed))
            outcomes[name].append(outcome)
            print(
                f"{name}: {outcome.tokens / outcome.seconds:,.0f} tokens/s, "
                f"loss {outcome.loss:.4f}",
                flush=True,
            )
    speed = {name: mean(o.tokens / o.seconds for o in some) for name, some in outcomes.items()}
    return pd.DataFrame(
        {
            "tokens/s": {name: round(value) for name, value in speed.items()},
            "times Trainer": {
                name: round(value / speed[TRAINER], 2) for name, value in speed.items()
            },
            "steps": steps,
            "seconds": {
                name: round(mean(o.seconds for o in some), 1) for name, some in outcomes.items()
            },
            "loss, new examples": {
                name: round(mean(o.loss for o in some), 4) for name, some in outcomes.items()
            },
            "held-out inputs": {
                name: round(mean(o.held_out for o in some), 4) for name, some in outcomes.items()
            },
        }
    )


def reached(table: pd.DataFrame) -> bool:
    loss = table["loss, new examples"]
    return table.loc[FIT, "times Trainer"] >= 1.8 and loss[FIT] <= loss[TRAINER]


def main() -> None:
    parser = argparse.ArgumentParser(
        description="fit() beside transformers.Trainer, for an equal time."
    )
    parser.add_argument("--model", default="gpt-middle", help="a shipped GPT (default: gpt-middle)")
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        default=[15, 60, 240],
        help="of each run (default: 15, 60 and 240)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=2,
        help="of each way, each with an order of its own (default: 2)",
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of fit() (default: the faster one on this machine)"
    )
    parser.add_argument("--short", action="store_true", help="leave out the Trainer's own remedies")
    chosen = parser.parse_args()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    base = load(chosen.model)
    precision = chosen.precision or best_precision(base.model)
    trainers = {TRAINER: {}} | (
        {} if chosen.short else REMEDIES | (IN_BF16 if precision == "bf16" else {})
    )
    shown = examples(base, max(chosen.seconds))
    loss, held_out = fp32_losses(base.model, shown)
    print(
        f"{len(shown.train.ids):,} examples; "
        f"before training: loss {loss:.4f}, held-out inputs {held_out:.4f}",
        flush=True,
    )
    step_tokens = SETTINGS.batch_size * mean(shown.train.tokens)
    for seconds in chosen.seconds:
        table = compare(
            ways(base, shown, trainers),
            replace(SETTINGS, precision=precision),
            step_tokens,
            seconds,
            chosen.runs,
        )
        print(
            f"\n{chosen.model}, {precision}, {torch.get_num_threads()} threads, {seconds:g} s, "
            f"mean of {chosen.runs}"
        )
        print(table.to_string())
        print(
            "goal (1.8 times the tokens a second, no worse a loss): "
            f"{'reached' if reached(table) else 'not reached'}\n",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Studies of chapter 3: methods side by side, by model size, a hundred tasks on disk, forgetting,
and how a prefix starts.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from course.adapters import METHODS
from course.adapters.storage import benchmark_adapter_storage, benchmark_storage
from course.adapters.tuning import tune
from course.finetuning import forgetting, specialists
from course.lm.language_model import load
from course.models.loading import load_model
from course.studies.records import Study
from course.tasks.registry import Task, load_task

#: Task -> optimiser steps, for all methods alike. Both need more than the body has; for tags or
#: reviews the head alone is enough.
STEPS = {"inference": 800, "extraction": 250}
#: The ladder of models, the methods that are compared on it, and the steps there.
LADDER, LADDER_METHODS, LADDER_STEPS = (
    ("gpt-small", "gpt-middle", "gpt-large"),
    ("bitfit", "lora", "bottleneck", "full"),
    200,
)
#: Numbers of tasks at which disk and clock are looked at.
TASKS = (1, 3, 10, 30, 100)
#: Learning rates of a prefix, from what suits LoRA up, and the steps of each.
PREFIX_RATES, PREFIX_STEPS = ("0.003", "0.01", "0.03", "0.1"), 150


def _task(name: str, seed: int) -> Task:
    return load_task(name, seed=seed, sizes={"train": 6000, "validation": 1, "test": 400})


def by_method(seed: int) -> dict:
    """Score, trained parameters and stored bytes of every method on every task."""
    found = {}
    for name in STEPS:
        task = _task(name, seed)
        found[name] = {}
        for method in METHODS:
            tuned = tune("bert-middle", task, method, steps=STEPS[name], seed=seed)
            found[name][method] = {
                "score": tuned.score(),
                "parameters": tuned.parameters,
                "bytes": tuned.stored(),
            }
    return found


def parity(seed: int) -> dict:
    """Score of Houlsby adapters and of full fine-tuning on questions, for more seeds than
    :func:`by_method` can have.
    """
    task = _task("extraction", seed)
    return {
        method: tune("bert-middle", task, method, STEPS["extraction"], seed=seed).score()
        for method in ("bottleneck", "full")
    }


def by_size(seed: int) -> dict:
    """Score and trained parameters by model and method, on sentence pairs."""
    task, found = _task("inference", seed), {}
    for model in LADDER:
        tuned = {
            method: tune(model, task, method, steps=LADDER_STEPS, seed=seed)
            for method in LADDER_METHODS
        }
        found[model] = {
            method: {"score": t.score(), "parameters": t.parameters} for method, t in tuned.items()
        }
    return found


def on_disk(seed: int) -> dict:
    """Megabytes and milliseconds for growing numbers of tasks, kept as whole models and as LoRA
    adapters of rank 4.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = benchmark_storage(load_model("gpt-middle"), Path(folder) / "whole", TASKS)
    with tempfile.TemporaryDirectory() as folder:
        small = benchmark_adapter_storage(
            load_model("gpt-middle"), "lora", Path(folder) / "small", TASKS
        )
    return {"models": asdict(whole), "adapters": asdict(small)}


def what_is_lost(seed: int) -> dict:
    """Accuracy of the GPT on its own task and on the others, before tuning and after, fully and by
    LoRA, switched on and off.
    """
    base = load("gpt-middle")
    tables = [
        forgetting.measure(base, task, specialists.TASKS, seed=seed) for task in specialists.TASKS
    ]
    return pd.concat(tables).groupby(level=0, sort=False).mean().to_dict("index")


def prefix_starts(seed: int) -> dict:
    """Score of prefix tuning by its start and its learning rate, beside the head alone, on
    questions about stories.
    """
    task = _task("extraction", seed)
    starts = {"random": None, "text": task.data["train"][0]["context"]}
    found = {
        start: {
            r: tune("bert-middle", task, "prefix", PREFIX_STEPS, float(r), seed, given).score()
            for r in PREFIX_RATES
        }
        for start, given in starts.items()
    }
    return found | {"head": tune("bert-middle", task, "head", PREFIX_STEPS, seed=seed).score()}


STUDIES = (
    Study("adapters", 1, ("bert-middle",), (0, 1, 2), by_method),
    Study("adapter-parity", 1, ("bert-middle",), (3, 4, 5, 6, 7), parity),
    Study("adapter-sizes", 1, LADDER, (0, 1, 2), by_size),
    Study("hundred-tasks", 1, ("gpt-middle",), (0, 1, 2), on_disk),
    Study("adapter-forgetting", 1, ("gpt-middle",), (0, 1, 2), what_is_lost),
    Study("prefix-starts", 1, ("bert-middle",), (0, 1, 2), prefix_starts),
)

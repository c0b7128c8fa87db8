"""Studies of chapter 3: methods side by side, by model size, a hundred tasks on disk, forgetting,
and how a prefix starts.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from course.adapters import METHODS
from course.adapters.storage import benchmark_adapter_storage, benchmark_storage
from course.adapters.tuning import tune
from course.finetuning import forgetting, specialists
from course.foundation.intervals import RatioOfMeans
from course.lm.language_model import load
from course.models.loading import load_model
from course.studies.claims import Claim, Demonstration, Varies, undecided
from course.studies.model_quality import LADDER
from course.studies.records import Row, Study
from course.studies.tables import rows_of
from course.studies.verdicts import MoreThan, NoWorse
from course.tasks.registry import Task, load_task

#: Task -> optimiser steps, for all methods alike. Both need more than the body has; for tags or
#: reviews the head alone is enough.
PAIRS, QUESTIONS = "inference", "extraction"
STEPS = {PAIRS: 800, QUESTIONS: 250}
#: The tasks as figures and claims name them.
TITLES = {PAIRS: "pairs of sentences", QUESTIONS: "questions about stories"}
#: The ladder of models, the methods that are compared on it, and the steps there.
LADDER_METHODS, LADDER_STEPS = (
    ("bitfit", "lora", "bottleneck", "full"),
    200,
)
#: Numbers of tasks at which disk and clock are looked at.
TASKS = (1, 3, 10, 30, 100)
#: Learning rates of a prefix, from what suits LoRA up, and the steps of each.
PREFIX_RATES, PREFIX_STEPS = (0.003, 0.01, 0.03, 0.1), 150


def _task(name: str, seed: int) -> Task:
    return load_task(name, seed=seed, sizes={"train": 6000, "validation": 1, "test": 400})


def by_method(seed: int) -> list[Row]:
    """Score (percent), trained parameters and stored bytes of every method on every task.

    Returns:
        Rows with ``task``, ``method``, ``measure`` and ``value``.
    """
    rows: list[Row] = []
    for name, steps in STEPS.items():
        task = _task(name, seed)
        for method in METHODS:
            tuned = tune("bert-middle", task, method, steps=steps, seed=seed)
            figures = {
                "score": tuned.score(),
                "parameters": tuned.parameters,
                "bytes": tuned.stored(),
            }
            rows += rows_of(figures, task=name, method=method)
    return rows


def parity(seed: int) -> list[Row]:
    """Houlsby adapters and full fine-tuning on questions, for more seeds than :func:`by_method` can
    have.

    Returns:
        Rows as :func:`by_method` has them.
    """
    task, rows = _task("extraction", seed), []
    for method in ("bottleneck", "full"):
        tuned = tune("bert-middle", task, method, STEPS["extraction"], seed=seed)
        rows += rows_of({"score": tuned.score()}, task="extraction", method=method)
    return rows


def by_size(seed: int) -> list[Row]:
    """Score and trained parameters by model and method, on sentence pairs.

    Returns:
        Rows with ``model``, ``method``, ``measure`` and ``value``.
    """
    task, rows = _task("inference", seed), []
    for model in LADDER:
        for method in LADDER_METHODS:
            tuned = tune(model, task, method, steps=LADDER_STEPS, seed=seed)
            figures = {"score": tuned.score(), "parameters": tuned.parameters}
            rows += rows_of(figures, model=model, method=method)
    return rows


def on_disk(seed: int) -> list[Row]:
    """Megabytes and milliseconds for growing numbers of tasks, kept as whole models and as LoRA
    adapters of rank 4.

    Returns:
        Rows with ``way`` (``"models"`` or ``"adapters"``), ``tasks``, ``measure`` and ``value``.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = benchmark_storage(load_model("gpt-middle"), Path(folder) / "whole", TASKS)
    with tempfile.TemporaryDirectory() as folder:
        small = benchmark_adapter_storage(
            load_model("gpt-middle"), "lora", Path(folder) / "small", TASKS
        )
    rows: list[Row] = []
    for way, cost in {"models": whole, "adapters": small}.items():
        for tasks, megabytes, switch_ms in zip(
            cost.tasks, cost.megabytes, cost.switch_ms, strict=True
        ):
            figures = {"megabytes": megabytes, "switch_ms": switch_ms}
            rows += rows_of(figures, way=way, tasks=tasks)
    return rows


def what_is_lost(seed: int) -> list[Row]:
    """Accuracy of the GPT on its own task and on the others, before tuning and after, fully and by
    LoRA, switched on and off.

    Returns:
        Rows with ``way``, ``task`` (``"own"`` or ``"others"``) and ``value``, in percent.
    """
    base = load("gpt-middle")
    tables = [
        forgetting.measure(base, task, specialists.TASKS, seed=seed) for task in specialists.TASKS
    ]
    mean = pd.concat(tables).groupby(level=0, sort=False).mean()
    return [
        {"way": way, "task": task, "value": float(mean.loc[way, task])}
        for way in mean.index
        for task in mean.columns
    ]


def prefix_starts(seed: int) -> list[Row]:
    """Score of prefix tuning by its start and its learning rate, beside the head alone, on
    questions about stories.

    Returns:
        Rows with ``method``, ``start`` (``"random"`` or ``"text"``), ``learning_rate`` and
        ``value``, in percent.
    """
    task = _task("extraction", seed)
    starts = {"random": None, "text": task.data["train"][0]["context"]}
    rows: list[Row] = []
    for start, text in starts.items():
        for rate in PREFIX_RATES:
            tuned = tune("bert-middle", task, "prefix", PREFIX_STEPS, rate, seed, text)
            setting: Row = {"method": "prefix", "start": start, "learning_rate": rate}
            rows.append(setting | {"value": tuned.score()})
    head = tune("bert-middle", task, "head", PREFIX_STEPS, seed=seed)
    return [*rows, {"method": "head", "value": head.score()}]


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: (task, method) or (model, method) by measure.

    Args:
        table: of the study ``adapters`` or ``adapter-sizes``.
    """
    keys = ["task" if "task" in table else "model", "method"]
    return table.pivot_table(index=keys, columns="measure", values="value", sort=False)


def scores_of(table: pd.DataFrame, task: str, method: str) -> pd.Series:
    """Scores (percent) of one method on one task, one a seed."""
    chosen = (table["task"] == task) & (table["method"] == method) & (table["measure"] == "score")
    return table[chosen].set_index("seed")["value"]


def size_and_score(table: pd.DataFrame, task: str) -> dict[str, tuple[float, float]]:
    """Title of a method -> (kilobytes stored for one more task, score in percent), means over the
    seeds.
    """
    mean = averages(table).loc[task]
    return {
        METHODS[method].title: (float(row["bytes"]) / 1e3, float(row["score"]))
        for method, row in mean.iterrows()
    }


def scores_by_size(table: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """Model -> title of a method -> scores (percent), one a seed, of ``adapter-sizes``."""
    scores = table[table["measure"] == "score"]
    curves: dict[str, dict[str, list[float]]] = {model: {} for model in LADDER}
    for (model, method), rows in scores.groupby(["model", "method"], sort=False):
        curves[model][METHODS[method].title] = rows["value"].tolist()
    return curves


def parameters_by_size(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Model -> title of a method -> trained parameters, of the study ``adapter-sizes``."""
    counts = averages(table)["parameters"]
    return {
        model: {METHODS[method].title: int(n) for method, n in counts.loc[model].items()}
        for model in LADDER
    }


def own_and_others(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Way -> accuracy (percent) on the own task and on the others, of ``adapter-forgetting``."""
    mean = table.pivot_table(index="way", columns="task", values="value", sort=False)
    return {way: (float(row["own"]), float(row["others"])) for way, row in mean.iterrows()}


def prefix_curves(table: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """Start -> learning rate, as text -> scores (percent), one a seed, of ``prefix-starts``."""
    rows = table[table["method"] == "prefix"]
    curves: dict[str, dict[str, list[float]]] = {}
    for (start, rate), values in rows.groupby(["start", "learning_rate"], sort=False):
        curves.setdefault(start, {})[f"{rate:g}"] = values["value"].tolist()
    return curves


def head_alone(table: pd.DataFrame) -> float:
    """Mean score (percent) of the head alone, of the study ``prefix-starts``."""
    return float(table[table["method"] == "head"]["value"].mean())


def minus(better: str, worse: str, task: str, *tables: pd.DataFrame) -> list[float]:
    """One method minus another on a task, in points, one a seed of each table."""
    return [
        difference
        for table in tables
        for difference in scores_of(table, task, better) - scores_of(table, task, worse)
    ]


def share_of_the_gain(table: pd.DataFrame) -> RatioOfMeans:
    """What LoRA gains over the head alone, as a share of what full fine-tuning gains, on pairs."""
    head = scores_of(table, PAIRS, "head")
    return RatioOfMeans(*(scores_of(table, PAIRS, method) - head for method in ("lora", "full")))


def disk_ratio(table: pd.DataFrame) -> pd.Series:
    """The disk space of the most whole models, in times that of as many adapters, one a seed."""
    most = table[(table["tasks"] == max(TASKS)) & (table["measure"] == "megabytes")]
    wide = most.pivot(index="seed", columns="way", values="value")
    return wide["models"] / wide["adapters"]


def saved_by_switching_off(table: pd.DataFrame) -> pd.Series:
    """Accuracy on the other tasks with LoRA switched off minus after full tuning, in points."""
    others = table[table["task"] == "others"].pivot(index="seed", columns="way", values="value")
    return others[forgetting.OFF] - others[forgetting.FULL]


BY_METHOD = Study("adapters", 1, ("bert-middle",), (0, 1, 2), by_method)
PARITY = Study("adapter-parity", 1, ("bert-middle",), (3, 4, 5, 6, 7), parity)
BY_SIZE = Study("adapter-sizes", 1, LADDER, (0, 1, 2), by_size)
ON_DISK = Study("hundred-tasks", 1, ("gpt-middle",), (0, 1, 2), on_disk)
FORGETTING = Study("adapter-forgetting", 1, ("gpt-middle",), (0, 1, 2), what_is_lost)
PREFIX_STARTS = Study("prefix-starts", 1, ("bert-middle",), (0, 1, 2), prefix_starts)
STUDIES = (BY_METHOD, PARITY, BY_SIZE, ON_DISK, FORGETTING, PREFIX_STARTS)

_VARIES = (Varies.ITEMS, Varies.TRAINING)
_GLUE = "within 0.8 % of full tuning on GLUE (preprint: 0.4 %), 3.6 % parameters"


def _no_worse(task: str, studies: tuple[Study, ...], **more: Any) -> Claim:
    return Claim(
        "3a",
        f"On {TITLES[task]} Houlsby adapters are no worse than full tuning.",
        NoWorse(2),
        "houlsby2019adapters",
        _VARIES,
        reported=_GLUE,
        studies=studies,
        values=partial(minus, "bottleneck", "full", task),
        **more,
    )


def _better(better: str, worse: str, task: str, source: str, **more: Any) -> Claim:
    return Claim(
        "3b",
        f"On {TITLES[task]}, {METHODS[better].title} is better than {METHODS[worse].title}.",
        MoreThan(0),
        source,
        _VARIES,
        studies=(BY_METHOD,),
        values=partial(minus, better, worse, task),
        **more,
    )


CLAIMS = (
    _no_worse(
        PAIRS,
        (BY_METHOD,),
        **undecided("three seeds, and they scatter by more than the margin"),
    ),
    _no_worse(QUESTIONS, (BY_METHOD, PARITY)),
    _better("bitfit", "head", QUESTIONS, "benzaken2022bitfit"),
    _better(
        "bitfit",
        "head",
        PAIRS,
        "benzaken2022bitfit",
        **undecided("three seeds, and they scatter by as much as the gain"),
    ),
    _better("lora", "bitfit", PAIRS, "hu2022lora"),
    _better("bottleneck", "bitfit", PAIRS, "houlsby2019adapters"),
    Claim(
        "3c",
        "LoRA keeps most of what full tuning gains, at a tenth of the bytes.",
        MoreThan(0.5),
        "hu2022lora",
        _VARIES,
        unit="of the gain",
        ratio=True,
        studies=(BY_METHOD,),
        values=share_of_the_gain,
    ),
    Demonstration(
        "3d",
        "A hundred models take many times the disk of a hundred adapters.",
        "hu2022lora",
        "an adapter stores a small part of the numbers that a model has",
        studies=(ON_DISK,),
        figures=lambda table: {"times": disk_ratio(table).mean()},
    ),
    Claim(
        "3d",
        "Adapter off, the other tasks go better than after full tuning.",
        MoreThan(20),
        "houlsby2019adapters",
        _VARIES,
        studies=(FORGETTING,),
        values=saved_by_switching_off,
    ),
)

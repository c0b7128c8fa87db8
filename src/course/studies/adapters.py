"""Studies of chapter 3: learning rates of all methods, methods side by side, a hundred tasks on
disk, forgetting, and how a prefix starts.

Costs as measured on one GPU shared by sixteen processes, seeds x seconds: adapter-rates 1 x 711,
adapters 5 x 140, adapter-parity 5 x 42. On one core: hundred-tasks 2 x 30, adapter-forgetting 2 x
75, prefix-starts 2 x 51.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from course.adapters import METHODS, trainable
from course.adapters.storage import benchmark_adapter_storage, benchmark_storage, bytes_on_disk
from course.adapters.tuning import tune
from course.finetuning import forgetting, specialists
from course.lm.language_model import load
from course.models.loading import load_model
from course.prompting.evaluation import fresh_questions
from course.studies.bodies import BERTS, GPTS, SMALL_GPTS
from course.studies.records import Row, Study, read_record
from course.studies.tables import best_setting, rows_of, where
from course.tasks.registry import Task, load_task
from course.world.split import TEST, VALIDATION

#: Sentence pairs and questions by a head on BERT, and translation by a small GPT itself (one of the
#: middle size knows the language). All need more than the body has; for tags or reviews the head
#: alone is enough.
PAIRS, QUESTIONS, TRANSLATION = "inference", "extraction", "to_torvish"
#: Task -> its body and the optimiser steps, for all methods alike. (With 100 steps of translation
#: LoRA had hardly begun on validation items, with 400 it was level with full tuning.)
BODIES = {PAIRS: BERTS[0], QUESTIONS: BERTS[0], TRANSLATION: SMALL_GPTS[0]}
STEPS = {PAIRS: 300, QUESTIONS: 150, TRANSLATION: 400}
#: The tasks as figures and claims name them.
TITLES = {
    PAIRS: "pairs of sentences",
    QUESTIONS: "questions about stories",
    TRANSLATION: "translation",
}
#: What tuning starts from: the head alone, or the model as it was.
UNTUNED = "untuned"
#: ModernBERT's attention reads no prefix, and a translation has no head.
TASK_METHODS = {
    PAIRS: tuple(method for method in METHODS if method != "prefix"),
    QUESTIONS: tuple(method for method in METHODS if method != "prefix"),
    TRANSLATION: tuple(method for method in METHODS if method != "head"),
}
#: Peak learning rates that a method tries on validation items, three each: the fewer parameters,
#: the larger the steps.
TRIED = dict.fromkeys(METHODS, (0.003, 0.01, 0.03)) | {
    "prefix": (1e-2, 3e-2, 1e-1),
    "lora": (1e-3, 3e-3, 1e-2),
    "bottleneck": (1e-3, 3e-3, 1e-2),
    "full": (3e-4, 1e-3, 3e-3),
}
#: Numbers of tasks at which disk and clock are looked at.
TASKS = (1, 3, 10, 30, 100)
#: The tasks that are tuned for to see what is forgotten.
FORGETFUL = ("sentiment", "inference", "third_word")
#: Learning rates of a prefix, from what suits LoRA up, and the steps of each.
PREFIX_RATES, PREFIX_STEPS = (0.003, 0.03, 0.1), 100


def _task(name: str, seed: int) -> Task:
    return load_task(name, seed=seed, sizes={"train": 6000, "validation": 200, "test": 400})


def measured(
    body: str, task: str, method: str, rate: float, seed: int, steps: int, split: str = TEST
) -> dict[str, float]:
    """Score (percent), trained parameters and stored bytes of one method on one task."""
    if task == TRANSLATION:
        return _translated(body, method, rate, seed, steps, split)
    tuned = tune(body, _task(task, seed), method, steps, rate, seed)
    return {"score": tuned.score(split), "parameters": tuned.parameters, "bytes": tuned.stored()}


def _translated(
    body: str, method: str, rate: float, seed: int, steps: int, split: str
) -> dict[str, float]:
    base = load(body)
    questions = [q.zero_shot for q in fresh_questions(TRANSLATION, 0, 400, seed, split)]
    if method == UNTUNED:
        return {"score": specialists.written_accuracy(base, questions)}
    tuned = specialists.specialise(
        base, TRANSLATION, 6000, steps, rate, seed, method, end=True
    ).model
    return {
        "score": specialists.written_accuracy(tuned, questions),
        "parameters": trainable(tuned.model),
        "bytes": bytes_on_disk(tuned.model),
    }


def rates(seed: int) -> list[Row]:
    """Validation scores of every learning rate, for each method on each task with as many tries.

    Returns:
        Rows with ``model``, ``task``, ``method``, ``learning_rate`` and ``value`` in percent.
    """
    settings = [
        (BODIES[task], task, method, STEPS[task])
        for task, methods in TASK_METHODS.items()
        for method in methods
    ]
    rows: list[Row] = []
    for model, task, method, steps in settings:
        for rate in TRIED[method]:
            value = measured(model, task, method, rate, seed, steps, VALIDATION)["score"]
            tried: Row = {"model": model, "task": task, "method": method, "learning_rate": rate}
            rows.append(tried | {"value": value})
    return rows


def chosen_rate(table: pd.DataFrame, model: str, task: str, method: str) -> float:
    """The learning rate with the best validation score; of equals the smallest.

    Args:
        table: of the study ``adapter-rates``.
    """
    scores = where(table, model=model, task=task, method=method)
    return best_setting(scores, "learning_rate")


def _by_method(seed: int, methods: Mapping[str, Sequence[str]]) -> list[Row]:
    tried = read_record(RATES).table()
    rows: list[Row] = []
    for task, chosen in methods.items():
        for method in chosen:
            rate = chosen_rate(tried, BODIES[task], task, method)
            figures = measured(BODIES[task], task, method, rate, seed, STEPS[task])
            rows += rows_of(figures, task=task, method=method)
    return rows


def by_method(seed: int) -> list[Row]:
    """Score (percent), trained parameters and stored bytes of every method on every task.

    Returns:
        Rows with ``task``, ``method``, ``measure`` and ``value``; for the translation also the
        score of the model as it was (:data:`UNTUNED`).
    """
    figures = _translated(BODIES[TRANSLATION], UNTUNED, 0.0, seed, 0, TEST)
    untuned = rows_of(figures, task=TRANSLATION, method=UNTUNED)
    return [*_by_method(seed, TASK_METHODS), *untuned]


def parity(seed: int) -> list[Row]:
    """Houlsby adapters and full fine-tuning, for more seeds than :func:`by_method` can have.

    Returns:
        Rows as :func:`by_method` has them.
    """
    return _by_method(seed, dict.fromkeys(TASK_METHODS, ("bottleneck", "full")))


def on_disk(seed: int) -> list[Row]:
    """Megabytes and milliseconds for growing numbers of tasks, kept as whole models and as LoRA
    adapters of rank 4.

    Returns:
        Rows with ``way`` (``"models"`` or ``"adapters"``), ``tasks``, ``measure`` and ``value``.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = benchmark_storage(load_model(GPTS[0]), Path(folder) / "whole", TASKS)
    with tempfile.TemporaryDirectory() as folder:
        small = benchmark_adapter_storage(
            load_model(GPTS[0]), "lora", Path(folder) / "small", TASKS
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
    base = load(GPTS[0])
    tables = [forgetting.measure(base, task, specialists.TASKS, seed=seed) for task in FORGETFUL]
    mean = pd.concat(tables).groupby(level=0, sort=False).mean()
    return [
        {"way": way, "task": task, "value": float(mean.loc[way, task])}
        for way in mean.index
        for task in mean.columns
    ]


def prefix_starts(seed: int) -> list[Row]:
    """Score of prefix tuning by its start and its learning rate, beside the head alone, on
    sentence pairs with the GPT.

    Returns:
        Rows with ``method``, ``start`` (``"random"`` or ``"text"``), ``learning_rate`` and
        ``value``, in percent.
    """
    task = _task(PAIRS, seed)
    # two premises: one may be shorter than the prefix
    premises = [row["premise"] for row in list(task.data["train"])[:2]]
    starts = {"random": None, "text": " ".join(premises)}
    rows: list[Row] = []
    for start, text in starts.items():
        for rate in PREFIX_RATES:
            tuned = tune(GPTS[0], task, "prefix", PREFIX_STEPS, rate, seed, text)
            setting: Row = {"method": "prefix", "start": start, "learning_rate": rate}
            rows.append(setting | {"value": tuned.score()})
    head = tune(GPTS[0], task, "head", PREFIX_STEPS, seed=seed)
    return [*rows, {"method": "head", "value": head.score()}]


RATES = Study("adapter-rates", 2, (BERTS[0], SMALL_GPTS[0]), (100,), rates)
BY_METHOD = Study("adapters", 2, (BERTS[0], SMALL_GPTS[0]), (0, 1, 2, 3, 4), by_method)
PARITY = Study("adapter-parity", 2, (BERTS[0], SMALL_GPTS[0]), (5, 6, 7, 8, 9), parity)
ON_DISK = Study("hundred-tasks", 1, (GPTS[0],), (0, 1, 2, 3, 4), on_disk)
FORGETTING = Study("adapter-forgetting", 2, (GPTS[0],), (0, 1, 2, 3, 4), what_is_lost)
PREFIX_STARTS = Study("prefix-starts", 2, (GPTS[0],), (0, 1, 2, 3, 4), prefix_starts)
STUDIES = (RATES, BY_METHOD, PARITY, ON_DISK, FORGETTING, PREFIX_STARTS)

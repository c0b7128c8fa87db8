"""Adapters under a real encoder and a real LLM: what they reach and what they take on disk (chapter
3).

BitFit is not tried under the LLM, which has no biases; IA3, which tunes vectors, too, is.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from course.adapters import tuning
from course.adapters.methods import METHODS
from course.adapters.storage import (
    StorageCost,
    benchmark_adapter_storage,
    benchmark_storage,
    bytes_on_disk,
)
from course.lm.language_model import load
from course.models.loading import load_model
from course.studies.on_real_models.questions import ASKED, PRECISION, right, with_instruction
from course.studies.on_real_models.tuned import tuned_on_snippets
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.studies.tables import rows_of
from course.tasks.registry import load_task
from course.world.split import TEST, TRAIN

#: Labels and steps of every method under the encoder.
ADAPTED_LABELS, ADAPTED_STEPS = 1000, 100
#: Methods that are tried on pairs of sentences.
PAIR_METHODS = ("head", "bitfit", "prefix", "lora", "full")
#: Methods under the LLM, the steps of each, and its labels: each is seen once.
LLM_METHODS, LLM_STEPS, LLM_LABELS = ("ia3", "prefix", "lora"), 30, 480
#: Numbers of tasks that are stored as adapters of the LLM.
STORED_TASKS = (1, 10, 100)


def _under_encoder(name: str, methods: Sequence[str], seed: int) -> list[Row]:
    """Methods under the encoder on one task: the score and what is stored.

    Returns:
        Rows with ``model``, ``task``, ``method``, ``measure`` and ``value``.
    """
    rows: list[Row] = []
    task = load_task(name, seed=seed, sizes={TRAIN: ADAPTED_LABELS, TEST: 300})
    for method in methods:
        tuned = tuning.tune(
            "bert-middle", task, method, ADAPTED_STEPS, seed=seed, precision=PRECISION
        )
        measures = {"score": tuned.score(), "bytes": float(tuned.stored())}
        rows += rows_of(measures, model="bert-middle", task=name, method=method)
    return rows


def real_adapters(seed: int) -> list[Row]:
    """All methods on film snippets: see :func:`_under_encoder`."""
    return _under_encoder("sentiment", [*METHODS], seed)


def adapters_on_pairs(seed: int) -> list[Row]:
    """Some methods on pairs of sentences: see :func:`_under_encoder`."""
    return _under_encoder("inference", PAIR_METHODS, seed)


def adapters_of_llm(seed: int) -> list[Row]:
    """Adapters of the LLM on film snippets, with as many steps and labels: accuracy and what is
    stored; and the LLM that is only prompted, as the method ``"none"``.

    Returns:
        Rows with ``model``, ``task``, ``method``, ``measure`` and ``value``.
    """
    base = load("gpt-middle", precision=PRECISION)
    asked = with_instruction(load_task("sentiment", seed=seed), 0, ASKED, seed)
    named = {"model": "gpt-middle", "task": "sentiment"}
    rows = rows_of({"score": right(base, asked), "bytes": 0.0}, **named, method="none")
    for method in LLM_METHODS:
        tuned = tuned_on_snippets(base, method, LLM_LABELS, LLM_STEPS, seed)
        measures = {"score": right(tuned, asked), "bytes": float(bytes_on_disk(tuned.model))}
        rows += rows_of(measures, **named, method=method)
    return rows


def hundred_adapters(seed: int) -> list[Row]:
    """LoRA adapters of the LLM, each written to a folder of its own beside the one model, and a
    whole model: megabytes on disk, and the time to switch to another task. Nothing is trained,
    which changes no size; between seeds only the time differs.

    Returns:
        Rows with ``way`` (``"models"``, of which one is written, or ``"adapters"``), ``tasks``,
        ``measure`` (``"MB"`` or ``"switch_ms"``) and ``value``.
    """
    rows: list[Row] = []
    model = load_model("gpt-middle")
    with tempfile.TemporaryDirectory() as folder:
        whole = benchmark_storage(model, Path(folder) / "models", (1,))
        rows += _stored("models", whole)
    with tempfile.TemporaryDirectory() as folder:
        added = benchmark_adapter_storage(model, "lora", Path(folder), STORED_TASKS)
    return rows + _stored("adapters", added)


def _stored(way: str, cost: StorageCost) -> list[Row]:
    rows: list[Row] = []
    for tasks, size, switch in zip(cost.tasks, cost.megabytes, cost.switch_ms, strict=True):
        rows += rows_of({"MB": size, "switch_ms": switch}, way=way, tasks=tasks)
    return rows


_ENCODER, _LLM = ("bert-middle",), ("gpt-middle",)
STUDIES = (
    RealStudy("adapters", 1, _ENCODER, SEEDS, real_adapters, ("sentiment",)),
    RealStudy("adapters-on-pairs", 1, _ENCODER, SEEDS, adapters_on_pairs, ("inference",)),
    RealStudy("adapters-of-llm", 1, _LLM, SEEDS, adapters_of_llm, ("sentiment",)),
    RealStudy("hundred-adapters", 1, _LLM, SEEDS, hundred_adapters),
)

"""Training one method on one task with a head, and what the result costs to store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.adapters.methods import METHODS, adapt, trainable
from course.adapters.prefix import start_prefix_from
from course.adapters.storage import bytes_on_disk
from course.heads import Head, head_for
from course.models.hub import is_real, tier
from course.models.loading import load_tokenizer
from course.tasks.registry import Task
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History

_USUAL = {
    "head": 1e-3,
    "bitfit": 1e-3,
    "adapter_bias": 1e-3,
    "ia3": 3e-3,
    "prefix": 5e-3,
    "lora": 3e-4,
    "bottleneck": 3e-4,
    "full": 2e-5,
}
#: Tier -> method -> peak learning rate. Those of the shipped models were chosen on validation items
#: (``python -m course.studies`` measures on test items); fewer parameters want larger steps. Those
#: for real models are what models of their size are usually trained with.
RATES = {
    "tiny": {
        "head": 1e-2,
        "bitfit": 1e-2,
        "adapter_bias": 1e-2,
        "ia3": 1e-2,
        "prefix": 3e-2,
        "lora": 3e-3,
        "bottleneck": 3e-3,
        "full": 1e-3,
    },
    "index": _USUAL,
    "hub": _USUAL,
}


@dataclass(frozen=True)
class LiveSettings:
    """The amount of live training and storing in chapter 3; real models get less of it.

    Attributes:
        labels: labelled examples of each task.
        tested: test items.
        steps: optimiser steps of each training.
        stored_tasks: for how many tasks models and adapters are stored.
        learning_rates: method -> peak learning rate.
    """

    labels: int
    tested: int
    steps: int
    stored_tasks: tuple[int, ...]
    learning_rates: dict[str, float]


def chapter_data(wanted_tier: str | None = None) -> LiveSettings:
    """The settings of chapter 3 for the tier.

    Args:
        wanted_tier: overrides ``COURSE_TIER``.

    Raises:
        ValueError: for an unknown tier.
    """
    name = tier(wanted_tier)
    if is_real(name):
        return LiveSettings(64, 30, 2, (1, 2), RATES[name])
    return LiveSettings(1000, 200, 60, (1, 3, 10), RATES[name])


@dataclass(frozen=True)
class Tuned:
    """A model that was trained for a task by one method.

    Attributes:
        task, head: what it does, and the head that reads its vectors.
        method: a key of :data:`course.adapters.METHODS`.
        model, tokenizer: the trained model and what reads for it.
        history: how the training went.
    """

    task: Task
    head: Head
    method: str
    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    history: History

    def score(self, split: str = "test") -> float:
        """The head's measure on a split of the task, in percent."""
        return self.head.score(self.model, self.tokenizer, self.task.data[split])

    @property
    def parameters(self) -> int:
        """Parameters that were trained, the head's included."""
        return trainable(self.model)

    def stored(self) -> int:
        """Bytes on disk of what this task needs beside the base model; of the whole model if that
        is what changed.
        """
        return bytes_on_disk(self.model)


def compare(
    name: str, task: Task, methods: Sequence[str], steps: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Scores and costs of several methods on one task.

    Returns:
        Rows: the methods. Columns: the head's measure on test items (percent), thousands of trained
        parameters, kilobytes stored, and seconds of training.
    """
    rows = {}
    for method in methods:
        tuned = tune(name, task, method, steps, seed=seed)
        rows[METHODS[method].title] = {
            "score (%)": tuned.score(),
            "trained (k)": tuned.parameters / 1e3,
            "stored (kB)": tuned.stored() / 1e3,
            "seconds": tuned.history.seconds,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def tune(
    name: str,
    task: Task,
    method: str,
    steps: int = 100,
    learning_rate: float | None = None,
    seed: int = 0,
    start: str | None = None,
    precision: str = "fp32",
    **options: Any,
) -> Tuned:
    """Train one method on the training examples of a task.

    Args:
        name: of the model, as for :func:`course.models.load_model`.
        task: one that :func:`course.heads.head_for` has a head for.
        steps: optimiser steps of 32 examples.
        learning_rate: their peak learning rate (default: that of the tier and the method in
            :data:`RATES`).
        seed: of the head's fresh weights and of the order of the examples.
        start: a text whose keys and values a prefix begins as.
        precision: of training, see :class:`course.training.FitSettings`.
        options: of the method, as for :func:`course.adapters.adapt`.

    Raises:
        ValueError: as :func:`course.adapters.adapt` and :func:`course.heads.head_for`; for a start
            of anything but a prefix.
    """
    if start is not None and method != "prefix":
        raise ValueError(
            f"start={start[:40]!r} for the method {method!r}: only a prefix can begin as a text"
        )
    head, tokenizer = head_for(task), load_tokenizer(name)
    body = head.new_model(name, seed=seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = adapt(body, method, **options)
    if start is not None:
        start_prefix_from(model, torch.tensor(tokenizer(start, add_special_tokens=False).input_ids))
    settings = FitSettings(
        steps=steps,
        learning_rate=learning_rate or RATES[tier()][method],
        seed=seed,
        precision=precision,
    )
    history = fit(model, head.encode(tokenizer, task.data["train"]), settings)
    return Tuned(task, head, method, model, tokenizer, history)

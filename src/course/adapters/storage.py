"""Saving models and adapters, and what many tasks cost in disk space and switching time.

A task by full fine-tuning is a whole model on disk; a task by an adapter is a small folder beside
the one base model.
"""

import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from peft import PeftModel
from safetensors.torch import load_model
from transformers import PreTrainedModel

from course.adapters.methods import adapt
from course.adapters.options import checked_adapter
from course.foundation import atomic_folder
from course.models.loading import no_progress_bar

#: All that a folder of a model or an adapter may hold if another one is to replace it.
_FILES = re.compile(
    r"README\.md|generation_config\.json|model\.safetensors\.index\.json"
    r"|(adapter_)?config\.json|(adapter_)?model(-\d{5}-of-\d{5})?\.safetensors"
)
#: Switches between tasks that are timed.
_SWITCHES = 15


def save(model: PreTrainedModel | PeftModel, folder: str | Path, name: str = "default") -> Path:
    """Write one adapter of an adapted model (with its head), or a whole model, in safetensors.

    It is written whole or not at all: an interrupted call leaves what stood there.

    Args:
        folder: where it should stand. An adapter or a model that stands there, and nothing else, is
            replaced.
        name: of the adapter.

    Returns:
        The folder. ``PeftModel.from_pretrained(base, folder)`` or ``from_pretrained(folder)`` reads
        it.

    Raises:
        ValueError: for an adapter that the model does not have, or whose name is a path, and for
            the working directory or one above it.
        FileExistsError: for a file, a link, or a folder with anything but one model or adapter in
            it.
        OSError: if it cannot be written; for a full disk the message says what to free.
    """
    folder = Path(folder)
    if isinstance(model, PeftModel) and checked_adapter(name) not in model.peft_config:
        raise ValueError(f"no adapter {name!r}; choose from {', '.join(model.peft_config)}")
    size = None if isinstance(model, PeftModel) else sum(p.nbytes for p in model.parameters())
    with (
        atomic_folder(
            folder, _only_one_model, "the files of one model or adapter", size
        ) as temporary,
        no_progress_bar(),
    ):
        if isinstance(model, PeftModel):
            model.save_pretrained(temporary, selected_adapters=[name])
            if name != "default":
                _move_up(temporary / name)
        else:
            model.save_pretrained(temporary)
    return folder


def _move_up(inner: Path) -> None:
    """Undo that ``peft`` gives an adapter that is not called "default" a folder of its own."""
    for path in inner.iterdir():
        path.rename(inner.parent / path.name)
    inner.rmdir()


def _only_one_model(folder: Path) -> bool:
    """Whether a folder holds one adapter or model, and only what :func:`save` writes."""
    inside = list(folder.iterdir())
    plain = all(
        path.is_file() and not path.is_symlink() and _FILES.fullmatch(path.name) for path in inside
    )
    described = {"config.json", "adapter_config.json"} & {path.name for path in inside}
    return bool(plain and described and any(path.suffix == ".safetensors" for path in inside))


def bytes_on_disk(model: PreTrainedModel | PeftModel) -> int:
    """Bytes of what :func:`save` writes of a model."""
    with tempfile.TemporaryDirectory() as folder:
        return stored_bytes(save(model, Path(folder) / "kept"))


def stored_bytes(folder: str | Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


@dataclass(frozen=True)
class StorageCost:
    """Disk space and switching time of a growing number of tasks, stored one way.

    Attributes:
        tasks: numbers of tasks.
        megabytes: on disk, for each of these numbers; with adapters the base model is included.
        switch_ms: milliseconds from one task to another, for each of these numbers (the median of
            some switches).
    """

    tasks: tuple[int, ...]
    megabytes: tuple[float, ...]
    switch_ms: tuple[float, ...]


def benchmark_storage(model: PreTrainedModel, folder: Path, tasks: Sequence[int]) -> StorageCost:
    """The cost of a whole model a task; a switch reads another one from disk into the same model.

    The bytes of a model do not depend on what it was trained to do, so the same one is saved for
    every task.
    """

    def add(number: int) -> None:
        save(model, folder / f"task-{number}")

    def switch(number: int) -> None:
        load_model(model, folder / f"task-{number}" / "model.safetensors", strict=False)

    return _grow(add, switch, folder, tasks)


def benchmark_adapter_storage(
    model: PreTrainedModel, method: str, folder: Path, tasks: Sequence[int], **options: Any
) -> StorageCost:
    """The cost of one base model and an adapter a task; a switch activates another adapter in
    memory.

    The adapters are fresh; their bytes do not depend on training either.

    Args:
        method, options: as for :func:`course.adapters.adapt`; prefix tuning and all methods but
            full fine-tuning.
    """
    save(model, folder / "base")
    adapted = [model]

    def add(number: int) -> None:
        adapted[0] = adapt(adapted[0], method, f"task-{number}", **options)
        save(adapted[0], folder / f"task-{number}", f"task-{number}")

    return _grow(add, lambda number: adapted[0].set_adapter(f"task-{number}"), folder, tasks)


def _grow(
    add: Callable[[int], None], switch: Callable[[int], None], folder: Path, tasks: Sequence[int]
) -> StorageCost:
    """Costs measured at each number of ``tasks``, adding one task after another."""
    if not tasks or list(tasks) != sorted(set(tasks)) or tasks[0] < 1:
        raise ValueError(f"tasks={list(tasks)}: expected rising numbers from 1 up")
    megabytes, times = [], []
    for number in range(tasks[-1]):
        add(number)
        if number + 1 in tasks:
            megabytes.append(stored_bytes(folder) / 1e6)
            taken = []
            for other in range(_SWITCHES):
                started = time.perf_counter()
                switch(other * 7 % (number + 1))
                taken.append(1e3 * (time.perf_counter() - started))
            times.append(median(taken))
    return StorageCost(tuple(tasks), tuple(megabytes), tuple(times))

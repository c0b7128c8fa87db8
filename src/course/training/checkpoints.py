"""Training checkpoints: weights, optimiser state and notes in one safetensors file that is whole or
not there at all, and runs that go on from it.

The file holds a sha256 of all that is in it, so that a damaged one is never gone on from.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from course.foundation import atomic_path

#: The notes under which the sha256 and a run's progress stand.
_SHA256, _PROGRESS = "sha256", "progress"

#: Sets of tensors by name, e.g. ``{"model": model.state_dict()}``.
Weights = dict[str, dict[str, torch.Tensor]]


@dataclass
class RunCheckpoint:
    """The checkpoint of a training run: written from time to time, and gone on from by the same run
    only.

    Attributes:
        path: the file.
        identity: what must not change between the parts of a run, as texts by name.
        optimizers: whose state is kept.
        seconds: time between two checkpoints.
        remedy: what to do about a file of another run, for the error.
    """

    path: Path
    identity: dict[str, str]
    optimizers: Sequence[torch.optim.Optimizer]
    seconds: float
    remedy: str
    _saved: float = field(default_factory=time.monotonic, init=False)

    def resume(self) -> tuple[Weights, dict[str, Any]] | None:
        """The weights and the progress that :meth:`save` wrote, with the optimisers put back into
        their state; None if there is no file.

        Raises:
            ValueError: if the file is of another run, or damaged.
        """
        if not self.path.exists():
            return None
        with _whole(self.path) as (stored, notes):
            other = [part for part, value in self.identity.items() if notes.get(part) != value]
            if other:
                raise ValueError(
                    f"{self.path} is of a run with other {', '.join(other)}; {self.remedy}"
                )
            return _load(stored, self.optimizers), json.loads(notes[_PROGRESS])

    def is_due(self) -> bool:
        """Whether the last checkpoint is longer ago than :attr:`seconds`."""
        return time.monotonic() - self._saved > self.seconds

    def save(self, weights: Weights, progress: dict[str, Any]) -> None:
        """Write weights, optimiser state and progress (what JSON holds) as one file.

        Raises:
            OSError: if it cannot be written; what stood there is as it was.
        """
        _save(
            self.path, weights, self.optimizers, self.identity | {_PROGRESS: json.dumps(progress)}
        )
        self._saved = time.monotonic()


def _save(
    path: Path,
    weights: Weights,
    optimizers: Sequence[torch.optim.Optimizer],
    notes: dict[str, str],
) -> None:
    """Write a checkpoint, whole or not at all, so that a run may be killed at any time.

    Args:
        weights: sets of tensors by name.
        notes: texts that are kept beside them.

    Raises:
        OSError: if it cannot be written; what stood there is as it was.
    """
    tensors = {
        f"{owner}.{name}": tensor
        for owner, tensors_of in weights.items()
        for name, tensor in tensors_of.items()
    }
    for i, optimizer in enumerate(optimizers):
        for j, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{j}.{key}": value for key, value in state.items()}
    # tied weights share memory, which safetensors refuses to store twice
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    size = sum(value.nbytes for value in tensors.values())
    with atomic_path(path, size) as temporary:
        save_file(tensors, temporary, metadata=notes | {_SHA256: _sha256(tensors.items(), notes)})


def _sha256(tensors: Iterable[tuple[str, torch.Tensor]], notes: dict[str, str]) -> str:
    """Of the notes, and of the names, types, shapes and bytes of tensors."""
    total = hashlib.sha256(json.dumps(notes, sort_keys=True).encode())
    each = {}
    for name, value in tensors:
        content = hashlib.sha256(f"{value.dtype} {list(value.shape)}".encode())
        content.update(value.flatten().view(torch.uint8).numpy().data)
        each[name] = content.hexdigest()
    # safetensors gives the tensors back in an order of its own
    total.update(json.dumps(each, sort_keys=True).encode())
    return total.hexdigest()


@contextmanager
def _whole(path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """A checkpoint that was compared with its sha256, open, and its notes.

    Raises:
        ValueError: if the file is damaged.
    """
    with _compared(path, safe_open, path, "pt") as stored:
        yield stored, _compared(path, _compare, stored)


def _compared(path: Path, work: Callable, *given: Any) -> Any:
    """What ``work`` gives; whatever a damaged file makes go wrong is a damaged file."""
    try:
        return work(*given)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is no whole checkpoint ({error}); delete it to start again"
        ) from error


def _compare(stored: Any) -> dict[str, str]:
    """The notes of an open checkpoint, after everything in it was compared with its sha256."""
    notes = dict(stored.metadata() or {})
    expected = notes.pop(_SHA256, "none")
    actual = _sha256(((name, stored.get_tensor(name)) for name in stored.keys()), notes)  # noqa: SIM118 (no dictionary)
    if actual != expected:
        raise ValueError(f"sha256 {actual[:12]}…, expected {expected[:12]}")
    return notes


def _load(stored: Any, optimizers: Sequence[torch.optim.Optimizer]) -> Weights:
    """The weights of an open checkpoint; the optimisers are put back into their state."""
    weights: Weights = {}
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimizers]
    for name in stored.keys():  # noqa: SIM118 (a safetensors file is no dictionary)
        owner, rest = name.split(".", 1)
        if owner == "optimizer":
            i, j, key = rest.split(".", 2)
            states[int(i)].setdefault(int(j), {})[key] = stored.get_tensor(name)
        else:
            weights.setdefault(owner, {})[rest] = stored.get_tensor(name)
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict(
            {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        )
    return weights

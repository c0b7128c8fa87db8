"""Checkpoints: weights, optimiser state and notes in one safetensors file that is whole or not there at all."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


def save(path: Path, weights: dict[str, dict[str, torch.Tensor]], optimizers: Sequence[torch.optim.Optimizer], notes: dict[str, str]):
    """Write a checkpoint under a temporary name and rename it, so that a run may be killed at any time.

    Args:
        weights: sets of tensors by name, e.g. ``{"model": model.state_dict()}``.
        notes: texts that :func:`notes` gives back.
    """
    tensors = {f"{owner}.{name}": tensor for owner, found in weights.items() for name, tensor in found.items()}
    for i, optimizer in enumerate(optimizers):
        for j, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{j}.{key}": value for key, value in state.items()}
    # tied weights share memory, which safetensors refuses to store twice
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(path.name + ".part")
    save_file(tensors, written, metadata=notes)
    os.replace(written, path)


def notes(path: Path) -> dict[str, str]:
    """The notes of a checkpoint.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with safe_open(path, "pt") as stored:
            return stored.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is no whole checkpoint ({error}); delete it to start again") from error


def load(path: Path, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of a checkpoint, as :func:`save` got them; the optimisers are put back into their state."""
    weights, states = {}, [{} for _ in optimizers]
    with safe_open(path, "pt") as stored:
        for name in stored.keys():  # noqa: SIM118 (a safetensors file is no dictionary)
            owner, rest = name.split(".", 1)
            if owner == "optimizer":
                i, j, key = rest.split(".", 2)
                states[int(i)].setdefault(int(j), {})[key] = stored.get_tensor(name)
            else:
                weights.setdefault(owner, {})[rest] = stored.get_tensor(name)
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return weights

"""Shipped weights: the models that are in the package, and their sha256. Needs no torch."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

#: The folder of the shipped weights.
WEIGHTS = Path(__file__).parents[1] / "weights"
HASHES = WEIGHTS / "sha256.json"
#: Stands in the folder of a model that is shipped as an adapter of another one.
ADAPTER = "adapter_config.json"
#: How a shipped model was trained.
RECORD = "training.json"


class WeightsError(RuntimeError):
    """The shipped weights are missing, cut off or altered."""


def shipped_models() -> tuple[str, ...]:
    """The names of the models that the package ships."""
    return tuple(sorted({path.split("/")[0] for path in _hashes()}))


def checked_folder(name: str) -> Path:
    """The folder of a shipped model, after every file of it was checked against its sha256.

    Raises:
        ValueError: for an unknown name.
        WeightsError: if a file is missing, cut off or altered.
    """
    if name not in shipped_models():
        raise ValueError(
            f"no model {name!r} in the tiny tier; choose from {', '.join(shipped_models())}"
        )
    for path, expected in _hashes().items():
        if path.split("/")[0] == name:
            _check_file(WEIGHTS / path, expected)
    return WEIGHTS / name


def _check_file(path: Path, expected: str) -> None:
    repair = (
        "reinstall the package (pip install --force-reinstall), or retrain it with 'make pretrain'"
    )
    if not path.exists():
        raise WeightsError(f"{path} is missing; {repair}")
    # the size and time of the file stand in for its content, so that each version is read once a
    # process
    seen = path.stat()
    actual = _sha256(path, seen.st_size, seen.st_mtime_ns)
    if actual != expected:
        raise WeightsError(
            f"{path} is not the file that was shipped: sha256 {actual[:12]}…, "
            f"expected {expected[:12]}…; {repair}"
        )


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hashes() -> dict[str, str]:
    """File below :data:`WEIGHTS` -> sha256."""
    if not HASHES.exists():
        raise WeightsError(
            f"{HASHES} is missing, so no shipped model can be checked; reinstall the package"
        )
    return json.loads(HASHES.read_text(encoding="utf-8"))


def weights_sha256(name: str) -> str:
    """The sha256 that the weights of a shipped model (for an adapter: its own) must have. Records
    of measurements carry it.
    """
    hashes = _hashes()
    return hashes[
        f"{name}/adapter_model.safetensors"
        if f"{name}/{ADAPTER}" in hashes
        else f"{name}/model.safetensors"
    ]


def base_of(folder: Path) -> str:
    """The name of the model that the adapter in ``folder`` belongs to.

    Raises:
        WeightsError: if the adapter was trained on other weights than the package has now.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if record["base_sha256"] != weights_sha256(record["base"]):
        raise WeightsError(
            f"{folder} was trained on other weights of {record['base']} than the package has; "
            f"{record['again']}"
        )
    return record["base"]

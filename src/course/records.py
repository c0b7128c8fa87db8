"""Records: the raw figures of studies that take longer than a reader waits, stored as small JSON files in the package."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from course.models import weights_sha256

RECORDS = Path(__file__).parent / "records"


class RecordError(RuntimeError):
    """A record is missing, or was measured by another version or on other weights."""


@dataclass(frozen=True)
class Study:
    """A measurement that is recorded.

    Attributes:
        name: the record's file name.
        version: raised whenever the way it measures changes.
        models: the shipped models that it measures.
        seeds: one run each.
        run: measures one seed and returns plain numbers, lists and dictionaries.
    """

    name: str
    version: int
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    run: Callable[[int], dict]

    @property
    def path(self) -> Path:
        return RECORDS / f"{self.name}.json"

    def weights(self) -> dict[str, str]:
        """Model -> sha256 of the weights that a valid record was measured on."""
        return {name: weights_sha256(name) for name in self.models}


@dataclass(frozen=True)
class Record:
    """What a study measured: ``runs`` maps each seed, as text, to its raw figures."""

    study: str
    version: int
    weights: dict[str, str]
    machine: str
    seconds: float
    runs: dict[str, dict]

    def values(self) -> list[dict]:
        """The raw figures by seed, in the order of the seeds."""
        return [self.runs[seed] for seed in sorted(self.runs, key=int)]


def machine() -> str:
    """The kind of machine that measures, without anything that tells whose it is."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def read_record(study: Study, path: Path | None = None) -> Record:
    """The stored record of a study.

    Raises:
        RecordError: if there is none, or if it is not of this version, these seeds and these weights.
    """
    stored = path or study.path
    again = f"run 'python -m course.studies {study.name}'"
    if not stored.exists():
        raise RecordError(f"{stored} does not exist; {again}")
    record = _stored(stored, again)
    if record.version != study.version:
        raise RecordError(f"{stored} is of version {record.version}, the study is at {study.version}; {again}")
    if record.weights != study.weights():
        raise RecordError(f"{stored} was measured on other weights than those of the package; {again}")
    if missing := [seed for seed in study.seeds if str(seed) not in record.runs]:
        raise RecordError(f"{stored} lacks the seeds {missing}; {again}")
    return record


def _stored(path: Path, repair: str) -> Record:
    """The record in a file; a damaged one is refused with what to do about it."""
    try:
        return Record(**json.loads(path.read_text()))
    except (json.JSONDecodeError, TypeError) as error:
        raise RecordError(f"{path} is damaged ({error}); delete it and {repair}") from error


def write_record(study: Study, runs: dict[str, dict], seconds: float, path: Path | None = None) -> Record:
    """Store what was measured, under a temporary name first."""
    record = Record(study.name, study.version, study.weights(), machine(), round(seconds, 1), runs)
    stored = path or study.path
    stored.parent.mkdir(parents=True, exist_ok=True)
    written = stored.with_suffix(".part")
    written.write_text(json.dumps(asdict(record), indent=1) + "\n")
    os.replace(written, stored)
    return record


def partial_runs(study: Study, path: Path | None = None) -> tuple[dict[str, dict], float]:
    """The runs of an interrupted study that are still valid, and the seconds they took."""
    stored = path or study.path
    if not stored.exists():
        return {}, 0.0
    record = _stored(stored, "measure again")
    if record.version != study.version or record.weights != study.weights():
        return {}, 0.0
    return dict(record.runs), record.seconds


def columns(values: Sequence[dict], *keys: str) -> list[float]:
    """One figure of every seed: ``columns(values, "right", "bert")`` reads ``value["right"]["bert"]``."""
    found = []
    for value in values:
        for key in keys:
            value = value[key]
        found.append(value)
    return found

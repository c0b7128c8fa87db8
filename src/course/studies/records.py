"""Records: the raw figures of studies that take longer than a reader waits, stored as small JSON
files in the package.
"""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from course.foundation import checked_name, write_text
from course.models.shipped import weights_sha256

RECORDS = Path(__file__).parents[1] / "records"

#: One observation: what was varied (task, way, ...) and what came out, usually as ``"value"``.
Row = dict[str, str | int | float | None]


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
        run: measures one seed and returns tidy rows, one observation a row.
    """

    name: str
    version: int
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    run: Callable[[int], list[Row]]

    def __post_init__(self) -> None:
        checked_name(self.name, "study")

    @property
    def path(self) -> Path:
        return RECORDS / f"{self.name}.json"

    def weights(self) -> dict[str, str]:
        """Model -> sha256 of the weights that a valid record was measured on."""
        return {name: weights_sha256(name) for name in self.models}

    @property
    def command(self) -> str:
        """What measures it."""
        return f"python -m course.studies {self.name}"

    def accepts(self, recorded: dict[str, str]) -> bool:
        """Whether a record of these fingerprints may be read: those of what it measures."""
        return recorded == self.weights()


@dataclass(frozen=True)
class Record:
    """What a study measured: ``runs`` maps each seed, as text, to its rows."""

    study: str
    version: int
    weights: dict[str, str]
    machine: str
    seconds: float
    runs: dict[str, list[Row]]

    def table(self) -> pd.DataFrame:
        """All observations, one a row, with the seed in the first column; seeds in their order."""
        rows = [
            {"seed": int(seed)} | row
            for seed in sorted(self.runs, key=int)
            for row in self.runs[seed]
        ]
        return pd.DataFrame(rows)


def machine() -> str:
    """The kind of machine that measures, without anything that tells whose it is."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def read_record(study: Study, path: Path | None = None) -> Record:
    """The stored record of a study, with the runs of its seeds; those of seeds that it has no
    longer are left out.

    Raises:
        RecordError: if there is none, or if it is not of this study and version, lacks a seed, or
            is of other weights.
    """
    stored = path or study.path
    again = f"run '{study.command}'"
    if not stored.exists():
        raise RecordError(f"{stored} does not exist; {again}")
    record = _stored(stored, again)
    if record.study != study.name:
        raise RecordError(
            f"{stored} is of the study {record.study!r}, expected {study.name!r}; {again}"
        )
    if record.version != study.version:
        raise RecordError(
            f"{stored} is of version {record.version}, the study is at {study.version}; {again}"
        )
    if not study.accepts(record.weights):
        raise RecordError(
            f"{stored} was measured on other weights than those of the package; {again}"
        )
    if missing := [seed for seed in study.seeds if str(seed) not in record.runs]:
        raise RecordError(f"{stored} lacks the seeds {missing}; {again}")
    return replace(record, runs=_runs_of(study, record))


def _runs_of(study: Study, record: Record) -> dict[str, list[Row]]:
    """The runs of the seeds that the study has now, in their order."""
    return {str(seed): record.runs[str(seed)] for seed in study.seeds if str(seed) in record.runs}


def _stored(path: Path, repair: str) -> Record:
    """The record in a file; a damaged one is refused with what to do about it."""
    try:
        record = _from_json(json.loads(path.read_text(encoding="utf-8")))
        if not isinstance(record.seconds, int | float) or not isfinite(record.seconds):
            raise ValueError(f"seconds={record.seconds!r}: expected a number")
    except (ValueError, TypeError) as error:
        raise RecordError(f"{path} is damaged ({error}); delete it and {repair}") from error
    return record


def _from_json(stored: dict[str, Any]) -> Record:
    """A record as it is in memory; in a file the names of the columns stand once."""
    columns, cells = stored.pop("columns", None), stored.pop("runs", None)
    if not isinstance(columns, list):
        raise ValueError("expected a list of names in 'columns'")
    if not isinstance(cells, dict) or not all(isinstance(rows, list) for rows in cells.values()):
        raise ValueError("expected a map of seeds to rows in 'runs'")
    runs = {seed: [_row(columns, row) for row in rows] for seed, rows in cells.items()}
    return Record(**stored, runs=runs)


def _row(columns: list[str], cells: list[Any]) -> Row:
    named = zip(columns, cells, strict=True)
    return {column: cell for column, cell in named if cell is not None}


def _to_json(record: Record) -> str:
    """A record as text, an observation a line."""
    columns = list(
        dict.fromkeys(column for rows in record.runs.values() for row in rows for column in row)
    )
    head = json.dumps(asdict(replace(record, runs={})) | {"columns": columns}, indent=1)
    runs = []
    for seed, rows in record.runs.items():
        lines = ",\n".join(
            "   " + json.dumps([row.get(column) for column in columns]) for row in rows
        )
        runs.append(f'  "{seed}": [\n{lines}\n  ]')
    return head.replace('"runs": {}', '"runs": {\n' + ",\n".join(runs) + "\n }") + "\n"


def write_record(
    study: Study, runs: dict[str, list[Row]], seconds: float, path: Path | None = None
) -> Record:
    """Store what was measured."""
    record = Record(study.name, study.version, study.weights(), machine(), round(seconds, 1), runs)
    write_text(path or study.path, _to_json(record))
    return record


def partial_runs(study: Study, path: Path | None = None) -> tuple[dict[str, list[Row]], float]:
    """The runs of an interrupted study that are still valid, and the seconds they took.

    Raises:
        DataError, HubError: if what the study measures is out of reach, so that it is told before
            anything is measured.
    """
    stored, known = path or study.path, (study.name, study.version, study.weights())
    if not stored.exists():
        return {}, 0.0
    record = _stored(stored, "measure again")
    if (record.study, record.version, record.weights) != known:
        return {}, 0.0
    return _runs_of(study, record), record.seconds

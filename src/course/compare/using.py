"""Use what a comparison has learned: read new rows, answer them, write them with their answers."""

import csv
import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.compare.base import METHOD_FILE, Predictor
from course.compare.bodies import Bench, ModelChoice, Served
from course.compare.cells import LEARNED
from course.compare.preparation import has_text
from course.compare.registry import METHODS
from course.compare.report_folder import JSON_FILE, MODELS_FILE
from course.compare.table import Table, Value
from course.compare.task import TableTask

#: The column that is written, behind the label's name if that is taken.
_SUFFIX = " (predicted)"


def best_of(folder: Path) -> str:
    """The method that a report recommends.

    Raises:
        ValueError: if it recommends none, or there is no report.
    """
    path = folder / JSON_FILE
    if not path.exists():
        raise ValueError(f"{folder} has no {JSON_FILE}: expected the folder of a report (--out)")
    method = _stored(path, "advice")["advice"]["method"]
    if method is None:
        raise ValueError(
            f"the report in {folder} recommends no method; name one of "
            f"{', '.join(learned_in(folder))} with --method"
        )
    return method


def learned_in(folder: Path) -> list[str]:
    """The methods that a report has kept."""
    place = folder / LEARNED
    return (
        sorted(p.name for p in place.iterdir() if (p / METHOD_FILE).exists())
        if place.is_dir()
        else []
    )


def load_learned(folder: str | Path, method: str | None = None) -> tuple[TableTask, Predictor]:
    """The task of a report and a method that has learned it.

    Args:
        folder: of the report.
        method: its name (default: the recommended one).

    Raises:
        ValueError: for a method that the report has not kept, with those that it has.
    """
    place = Path(folder)
    name = method or best_of(place)
    kept = learned_in(place)
    if name not in kept:
        raise ValueError(
            f"{place} has kept no method {name!r}; choose from {', '.join(kept) or 'none'}"
        )
    own = place / LEARNED / name
    stored = _stored(own / METHOD_FILE, "method", "task")
    task = TableTask.of(stored["task"])
    bench = Bench(task, _choice(place), answers=place / "served-answers.jsonl")
    return task, METHODS[stored["method"]].read(bench, own, stored)


def _choice(folder: Path) -> ModelChoice:
    stored = _stored(folder / MODELS_FILE, "causal", "served")
    served = stored.pop("served")
    return ModelChoice(**stored, served=Served(**served) if served else None)


def _stored(path: Path, *names: str) -> dict[str, Any]:
    """A file of a report.

    Raises:
        ValueError: if it is missing, or lacks one of some names.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if missing := [name for name in names if name not in stored]:
            raise ValueError(f"no {missing[0]!r} in it")
        return stored
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is missing or damaged ({error}): expected what 'course compare' has written "
            "there; give its command again, which goes on from what was measured"
        ) from None


def use(table: Table, task: TableTask, predictor: Predictor) -> list[str]:
    """The answer for each row of a table; empty for a row without a text, and for what could not be
    read.

    Raises:
        ValueError: for a table without the columns that are read.
    """
    task.check_columns(table)
    items = [task.item({**row, task.label: ""}, n) for n, row in enumerate(table.rows, 1)]
    filled = [item for item in items if has_text(item)]
    if empty := len(items) - len(filled):
        warnings.warn(f"{empty} rows have no text: their answer is empty", stacklevel=2)
    answers = iter(predictor.predict(filled)) if filled else iter(())
    have = {id(item) for item in filled}
    return [(next(answers).answer or "") if id(item) in have else "" for item in items]


def with_answers(
    table: Table, task: TableTask, answers: Sequence[str]
) -> tuple[list[str], list[dict]]:
    """(columns, rows) of a table with the answers in a column of their own."""
    name = task.label if task.label not in table.columns else f"{task.label}{_SUFFIX}"
    rows: list[dict[str, Value]] = [
        {**row, name: answer} for row, answer in zip(table.rows, answers, strict=True)
    ]
    return [*table.columns, name], rows


def as_text(
    columns: Sequence[str], rows: Sequence[dict[str, Any]], suffix: str, delimiter: str
) -> str:
    """Rows as CSV (with the delimiter that they came with), JSON lines or CoNLL."""
    if suffix in (".jsonl", ".ndjson", ".json"):
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if suffix == ".conll":
        first, last = columns[0], columns[-1]
        pairs = [zip(row[first], row[last].split(), strict=True) for row in rows]
        return "".join("".join(f"{a}\t{b}\n" for a, b in pair) + "\n" for pair in pairs)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [row[name] for name in columns]
        writer.writerow([" ".join(v) if isinstance(v, list) else v for v in values])
    return out.getvalue()

"""``course compare`` on six tables that no one here wrote, as a new user would run it: when the
first answer comes, what is measured within the budget, what is advised, what fails.

``COURSE_DATA=FOLDER python benchmarks/own_tables.py [--rows N] [--budget 90s] [--model index]
[--precision bf16] [--out FILE]``. Of each table so many rows are drawn; a third of them tests.
``--out`` writes a row for each table as CSV, and the advice on it beside that, which the book
shows. Seconds are those of the clock;
beside them stands what the processor spent, which depends less on what else the machine did
meanwhile. *Written* is how many tokens the models wrote in the cells that were measured, over how
many had been expected.
"""

import argparse
import csv
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course.compare import Comparison, Table, compare, read_table
from course.foundation.rng import Rng
from course.models.hub import HubError

#: Ratings of a sentence that is neither good nor bad: its binary use leaves them out.
_NEUTRAL = 0.5
#: In a cell that has nothing to say: a page would make a list of a hyphen.
NOTHING = "–"


@dataclass(frozen=True)
class OwnTable:
    """A table as its publisher has it.

    Attributes:
        name: for people.
        read: the folder of all data -> the table.
        text, label: its columns.
    """

    name: str
    read: Callable[[Path], Table]
    text: str | list[str]
    label: str

    def sample(self, folder: Path, rows: int) -> Table:
        """So many rows at random."""
        table = self.read(folder)
        chosen = Rng("own tables").sample(range(len(table.rows)), min(rows, len(table.rows)))
        return replace(table, rows=tuple(table.rows[i] for i in sorted(chosen)))


def _sentiment(folder: Path) -> Table:
    """Sentences with a rating: the clear ones, as good or bad."""
    path = folder / "sentiment" / "movie-snippets.tsv"
    rated = read_table(path, columns=["id", "rating", "text"])
    clear = [row for row in rated.rows if abs(float(row["rating"])) >= _NEUTRAL]
    rows = [
        {"text": row["text"], "label": "good" if float(row["rating"]) > 0 else "bad"}
        for row in clear
    ]
    return replace(rated, columns=("text", "label"), rows=tuple(rows))


def _file(name: str) -> Callable[[Path], Table]:
    return lambda folder: read_table(folder / name)


TABLES = (
    OwnTable("film sentences", _sentiment, "text", "label"),
    OwnTable("SNLI", _file("snli/dev.jsonl"), ["premise", "hypothesis"], "label"),
    OwnTable("WNUT-17", _file("wnut17/dev.conll"), "tokens", "tags"),
    OwnTable("GSM8K", _file("gsm8k/test.jsonl"), "question", "answer"),
    *(
        OwnTable(
            f"induction: {name}",
            _file(f"instruction-induction/execute/{name}.json"),
            "input",
            "output",
        )
        for name in ("antonyms", "singular_to_plural")
    ),
)


def trial(own: OwnTable, folder: Path, rows: int, **settings: Any) -> dict[str, object]:
    """A row about one table."""
    started, spent = time.perf_counter(), time.process_time()
    told: dict[str, object] = {"table": own.name, "rows": rows}
    try:
        result = compare(own.sample(folder, rows), own.text, own.label, say=print, **settings)
    except (ValueError, OSError, HubError) as error:
        return told | {"advice": f"failed: {error}"}
    advice = result.best()
    print(advice, "\n", result.table().to_string(), "\n", result.left_out, sep="")
    first = result.first_seconds
    return told | {
        "kind": result.data.task.kind,
        "first s": NOTHING if first is None else f"{first:.0f}",
        "all s": f"{time.perf_counter() - started:.0f}",
        "processor s": f"{time.process_time() - spent:.0f}",
        "methods": len(result.names),
        "written": _written(result),
        "advice": " ".join(advice.sentences[:2]),
    }


def _written(result: Comparison) -> str:
    """Tokens that were written, over those that were expected; of the methods that write."""
    came = expected = 0.0
    for cell in result.cells:
        estimate = result.estimates[cell.method, cell.size]
        learning = estimate.learning_with(cell.seed)
        expected += (learning + estimate.query.times(len(cell.answers))).written
        came += (cell.learning + cell.query).written
    return f"{came:.0f} / {expected:.0f}" if came else NOTHING


def advice_path(path: Path) -> Path:
    """Where the advice on each table stands, which is too long for a column beside the numbers."""
    return path.with_stem(f"{path.stem}_advice")


def write_csv(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """The numbers of each table, and the advice on it in a file of its own."""
    rows = list(rows)
    numbers = list(dict.fromkeys(name for row in rows for name in row if name != "advice"))
    for place, columns in ((path, numbers), (advice_path(path), ["table", "advice"])):
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(
                file, columns, restval=NOTHING, extrasaction="ignore", lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--budget", default="90s")
    parser.add_argument("--model", default="index")
    parser.add_argument("--precision", choices=("fp32", "bf16"))
    parser.add_argument("--tables", type=int, default=len(TABLES), help="only the first ones")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if not (folder := Path(os.environ.get("COURSE_DATA", ""))).is_dir() or not folder.name:
        raise SystemExit("COURSE_DATA is not set: expected the folder of the real data sets")
    rows = []
    for own in TABLES[: chosen.tables]:
        print(f"\n{own.name}")
        settings = {"budget": chosen.budget, "model": chosen.model, "precision": chosen.precision}
        rows.append(trial(own, folder, chosen.rows, seeds=1, **settings))
        if chosen.out:
            write_csv(chosen.out, rows)


if __name__ == "__main__":
    main()

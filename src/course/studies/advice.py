"""Blind check of the advice of ``course compare``: is the recommended method the best one, or
within two points of it?

From a large table small ones are drawn. Each gets its advice; then its methods are judged on at
least a thousand rows that neither has seen. The advice is right if every method that it names is
at most two points behind the best of all: the recommended one, or, where it cannot be told, all
that it calls about as good (not those that may still be). There are three such checks:

- the study ``advice`` of the real models, with the methods of the default's screen, on film reviews
  and on pairs of SNLI (:mod:`course.studies.on_real_models.advice`);
- the study ``choosing`` of the micro-world, which has more methods and judges by :func:`judged`;
- one by hand on a table of one's own, with all methods, the advice within a budget and the
  judgement without one: ``python -m course.studies.advice reviews.csv --text review --label
  stars``. It takes hours.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from course.compare.bodies import ModelChoice
from course.compare.cells import CellResult
from course.compare.preparation import Prepared
from course.compare.reading import read_table
from course.compare.result import Comparison
from course.compare.running import compare
from course.compare.splits import near_copies
from course.compare.statistics import MARGIN
from course.compare.table import Table
from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer
from course.studies.records import Row

Compare = Callable[..., Comparison]


@dataclass(frozen=True)
class BlindCheck:
    """How the advice is checked.

    Attributes:
        draws: small tables.
        rows: of each.
        fresh: rows that judge; they are the same for all draws.
        seed: of the draws.
    """

    draws: int = 10
    rows: int = 240
    fresh: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, draws=integer(1), rows=integer(36), fresh=integer(1), seed=integer())


def blind_check(
    table: Any,
    text: str | Sequence[str],
    label: str,
    check: BlindCheck | None = None,
    budget: str = "10m",
    folder: Path | None = None,
    run: Compare = compare,
    **settings: Any,
) -> pd.DataFrame:
    """A row for each draw: the advice, the best method, and how far the advice is behind it.

    Args:
        budget: of the advice; the judgement has none.
        folder: where both comparisons of each draw are kept.
        run: what compares.
        settings: of both comparisons, as for :func:`course.compare.compare`.

    Returns:
        Columns ``draw`` and those of :func:`judged`.

    Raises:
        ValueError: for a table that is too small.
    """
    check = check or BlindCheck()
    read = read_table(table)
    names = (text,) if isinstance(text, str) else tuple(text)
    pool, fresh = _fresh(read, names, check)
    rows = []
    for draw in range(check.draws):
        small = Rng(f"advice/{check.seed}/{draw}").sample(pool, check.rows)
        places = [
            None if folder is None else folder / f"{draw}-{kind}" for kind in ("blind", "all")
        ]
        given = run(list(small), text, label, budget=budget, out=places[0], **settings)
        everything = run(
            list(small), text, label, test=list(fresh), budget=None, out=places[1],
            most_test=len(fresh), **settings,
        )  # fmt: skip
        rows.append({"draw": draw, **judged(given, everything)})
    return pd.DataFrame(rows)


def _fresh(table: Table, text: Sequence[str], check: BlindCheck) -> tuple[list[dict], list[dict]]:
    """(rows to draw from, rows that judge); copies are on one side."""
    if len(table.rows) < check.fresh + check.rows:
        raise ValueError(
            f"{table.source} has {len(table.rows)} rows: expected at least "
            f"{check.fresh + check.rows}, of which {check.fresh} judge"
        )
    order = Rng(f"advice/{check.seed}").sample(table.rows, len(table.rows))
    groups = near_copies([" ".join(str(row[name]) for name in text) for row in order])
    judges = set(groups[: check.fresh])
    pool = [row for row, group in zip(order, groups, strict=True) if group not in judges]
    return pool, list(order[: check.fresh])


def judged(given: Comparison, everything: Comparison) -> dict[str, Any]:
    """Whether the advice of one comparison is right, by the scores of another one that has all
    methods and other test items.

    Returns:
        ``method`` (None: it could not be told), ``named`` (the recommended one, or those that the
        advice calls about as good), ``best``, ``behind`` (points that the worst of the named lacks
        of the best) and ``right``.
    """
    advice = given.best()
    named = advice.tied if advice.method is None else (advice.method,)
    scores = {name: everything.score(name).mean for name in everything.complete()}
    best = max(scores, key=scores.__getitem__)
    # two means that are two points apart differ by a little more or less in floating point
    behind = round(scores[best] - min(scores[name] for name in named), 6)
    return {
        "method": advice.method,
        "named": named,
        "best": best,
        "behind": behind,
        "right": behind <= MARGIN,
    }


def on_part(data: Prepared, cells: Sequence[CellResult], labels: int, part: slice) -> Comparison:
    """The comparison of a user who has some labels and a part of the test items.

    Args:
        data: with the labelled items, of which the first ``labels`` count, and all test items.
        cells: of all methods, on all test items; those at other numbers of labels do not count.
    """
    test = data.test[part]
    own = [
        replace(
            cell,
            answers=cell.answers[part],
            query_seconds=cell.query_seconds * len(test) / len(data.test),
        )
        for cell in cells
        if cell.size in (0, labels)
    ]
    small = replace(data, train=data.train[:labels], test=test)
    return Comparison(small, ModelChoice(), (labels,), tuple(own), {}, (), {}, 0.0, Path())


def as_row(judgement: dict[str, Any]) -> Row:
    """What :func:`judged` returns, as part of a row: ``method`` (empty if it could not be told),
    ``named`` (with commas), ``best`` and ``behind``; ``value`` is 100 if the advice is right and
    else 0.
    """
    return {
        "method": judgement["method"] or "",
        "named": ",".join(judgement["named"]),
        "best": judgement["best"],
        "behind": round(judgement["behind"], 3),
        "value": 100.0 * judgement["right"],
    }


# by hand, on any table


def main(arguments: list[str] | None = None) -> None:
    """Checks the advice on one table and prints the rows."""
    parser = argparse.ArgumentParser(description="Check the advice of 'course compare'.")
    parser.add_argument("table")
    parser.add_argument("--text", action="append", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--model")
    parser.add_argument("--folder", type=Path, default=Path("advice"))
    chosen = parser.parse_args(arguments)
    text = chosen.text[0] if len(chosen.text) == 1 else chosen.text
    rows = blind_check(chosen.table, text, chosen.label, folder=chosen.folder, model=chosen.model)
    print(rows.to_string(index=False))
    print(f"right: {rows['right'].sum()} of {len(rows)}; not told: {rows['method'].isna().sum()}")


if __name__ == "__main__":
    main()

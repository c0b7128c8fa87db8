"""Blind check of the advice of ``course compare``: is the recommended method the best one, or
within two points of it?

From a large table small ones are drawn. Each gets its advice; then its methods are judged on at
least a thousand rows that neither has seen. The advice is right if every method that it names is
at most two points behind the best of all: the recommended one, or, where it cannot be told, all
that it calls about as good (not those that may still be). There are three such checks:

- the study ``advice`` of the real models, with the methods of the default's screen, on film reviews
  and on pairs of SNLI (:func:`real_advice`);
- the study ``choosing`` of the micro-world, which has more methods and judges by :func:`judged`;
- one by hand on a table of one's own, with all methods, the advice within a budget and the
  judgement without one: ``python -m course.studies.advice reviews.csv --text review --label
  stars``. It takes hours.

Cost, seeds x seconds of one core: advice 5 x 160; guessed from 750 tokens a second of the prompted
model in bfloat16.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from course.compare.base import Method, choose_setting
from course.compare.bodies import Bench, ModelChoice
from course.compare.cells import CellResult
from course.compare.metering import Work
from course.compare.preparation import Prepared, prepare
from course.compare.reading import read_table
from course.compare.registry import METHODS
from course.compare.result import Comparison
from course.compare.running import compare
from course.compare.splits import near_copies, normalised
from course.compare.statistics import MARGIN
from course.compare.table import Table
from course.compare.task import Item
from course.foundation.intervals import Share
from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer
from course.models.hub import tier
from course.studies.records import Row
from course.studies.tables import where
from course.tasks.registry import load_task
from course.world.split import TEST, TRAIN

Compare = Callable[..., Comparison]

#: What is computed in, as in the other studies of real models.
PRECISION = "bf16"
#: Task of the real check -> the columns that are read.
TABLES = {"sentiment": ("sentence",), "inference": ("premise", "hypothesis")}
#: Rows of a small table, a third of which its user tests on, and rows that judge.
ROWS, JUDGING = 480, 1000
#: The methods that are compared: the default's screen.
SCREEN = tuple(name for name, method in METHODS.items() if method.in_screen)


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


# the recorded check, on real models


def real_advice(seed: int) -> list[Row]:
    """The advice on a small table of each task, judged by a thousand other rows.

    The methods are those of the default's screen. What is not prompted chooses its setting as
    ``course compare`` does; a prompt has the usual eight demonstrations.

    Args:
        seed: which small table is drawn; the rows that judge are the same for all.

    Returns:
        Rows with ``task``, ``part`` and ``value``. The part ``"score"`` (percent of the rows that
        judge) and the part ``"asked"`` (of the small table's own test items) have ``method``. The
        part ``"advice"`` has what :func:`as_row` returns.
    """
    rows: list[Row] = []
    for name in TABLES:
        data, fresh = small_table(name, f"advice/{name}/{seed}", ROWS), _judges(name)
        cells = [_both(METHODS[method], _bench(name), data, fresh) for method in SCREEN]
        whole = replace(data, test=(*data.test, *fresh))
        count, labels = len(data.test), len(data.train)
        parts = {"asked": slice(count), "score": slice(count, len(whole.test))}
        results = {part: on_part(whole, cells, labels, own) for part, own in parts.items()}
        for part, result in results.items():
            for cell in cells:
                value = result.score(cell.method).mean
                rows.append({"task": name, "part": part, "method": cell.method, "value": value})
        given: Row = {"task": name, "part": "advice"}
        rows.append(given | as_row(judged(*results.values())))
    return rows


@lru_cache(maxsize=len(TABLES))
def _rows(name: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(rows to draw small tables from, rows that judge), no text in both."""
    columns = (*TABLES[name], "label")
    task = load_task(name, seed=0, sizes={TRAIN: 10**6, TEST: 2 * JUDGING})
    pools = []
    for split in (TRAIN, TEST):
        names = task.data[split].features["label"].names
        read = [{**row, "label": names[row["label"]]} for row in task.data[split]]
        pools.append([{column: row[column] for column in columns} for row in read])
    texts = {_text(name, row): row for row in pools[1]}
    judges = dict(list(texts.items())[:JUDGING])
    if len(judges) < JUDGING:
        raise ValueError(f"{name}: {len(judges)} different test rows, expected {JUDGING}")
    return [row for row in pools[0] if _text(name, row) not in judges], [*judges.values()]


def _text(name: str, row: dict[str, str]) -> str:
    return normalised(" ".join(row[column] for column in TABLES[name]))


def small_table(name: str, draw: str, rows: int) -> Prepared:
    """What ``course compare`` makes of some rows of one of :data:`TABLES`, none of which judges.

    Args:
        draw: names the draw of the rows.
    """
    pool, _ = _rows(name)
    drawn = Rng(draw).sample(pool, min(rows, len(pool)))
    return prepare(read_table(drawn), TABLES[name], "label")


def _judges(name: str) -> tuple[Item, ...]:
    """The items that judge."""
    task = _bench(name).task
    return tuple(task.item(row, number) for number, row in enumerate(_rows(name)[1], 1))


@lru_cache(maxsize=len(TABLES))
def _bench(name: str) -> Bench:
    """The models; what has nothing to do with the small table is computed once for all of them."""
    return Bench(small_table(name, f"advice/{name}/0", ROWS).task, real_models())


def real_models() -> ModelChoice:
    """The models of the tier in force, in the precision of all studies of real models."""
    return ModelChoice(tier=tier(), precision=PRECISION)


def _both(method: Method, bench: Bench, data: Prepared, fresh: Sequence[Item]) -> CellResult:
    """A method that has learned from a small table, and its answers to that table's test items and
    to others.
    """
    items = data.subset(len(data.train), 0) if method.uses_labels else ()
    setting = method.settings(bench, len(items))[0]
    if method.uses_labels and method.body != "causal":
        setting, _, _ = choose_setting(method, bench, items, 0)
    predictor = method.learn(bench, items, setting, 0)
    started = time.perf_counter()
    own = predictor.predict(data.test)
    each = (time.perf_counter() - started) / len(data.test)
    answers = tuple(p.answer for p in (*own, *predictor.predict(fresh)))
    return CellResult(
        method.name, len(items), 0, setting, (), answers, (), 0.0, each * len(answers), Work(),
        Work(), 0, None,
    )  # fmt: skip


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


def as_row(found: dict[str, Any]) -> Row:
    """What :func:`judged` returns, as part of a row: ``method`` (empty if it could not be told),
    ``named`` (with commas), ``best`` and ``behind``; ``value`` is 100 if the advice is right and
    else 0.
    """
    return {
        "method": found["method"] or "",
        "named": ",".join(found["named"]),
        "best": found["best"],
        "behind": round(found["behind"], 3),
        "value": 100.0 * found["right"],
    }


def right_shares(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How often the advice is right, a row a group of small tables.

    Args:
        groups: name -> rows of the part ``"advice"`` of a record.

    Returns:
        Columns ``tables``, ``right (%)``, ``cannot tell (%)``, ``right where told (%)``, ``right
        where not (%)`` and ``named where not`` (methods, a mean); NaN where there are no tables.
    """
    return pd.DataFrame.from_dict(
        {name: _right_share(rows) for name, rows in groups.items()}, orient="index"
    )


def _right_share(rows: pd.DataFrame) -> dict[str, float]:
    told, other = rows[rows["method"] != ""], rows[rows["method"] == ""]
    return {
        "tables": len(rows),
        "right (%)": rows["value"].mean(),
        "cannot tell (%)": 100 * len(other) / len(rows),
        "right where told (%)": told["value"].mean(),
        "right where not (%)": other["value"].mean(),
        "named where not": (other["named"].str.count(",") + 1).mean(),
    }


@dataclass(frozen=True)
class RightTables(Share):
    """The share of small tables on which the advice is right."""

    def units(self) -> str:
        return f"{self.asked} tables"


def right_tables(table: pd.DataFrame) -> RightTables:
    """On how many of the small tables the advice is right."""
    values = where(table, part="advice")["value"]
    return RightTables(int((values == 100).sum()), len(values))


def by_task(table: pd.DataFrame) -> pd.DataFrame:
    """How often the advice is right on the small tables of each task and of all, as
    :func:`right_shares` returns it.
    """
    rows = where(table, part="advice")
    groups = {str(task): own for task, own in rows.groupby("task", sort=False)}
    return right_shares(groups | {"all": rows})


def by_draw(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each small table of the record: what the advice was, the best method on the rows
    that judge, how many points the worst of those that it names is behind it, and whether it is
    right.
    """
    rows = where(table, part="advice")
    named = [", ".join(map(_title, names.split(","))) for names in rows["named"]]
    untold = rows["method"] == ""
    shown = pd.DataFrame(
        {
            "task": rows["task"],
            "advice": [f"cannot tell: {n}" if u else n for n, u in zip(named, untold, strict=True)],
            "best": [_title(name) for name in rows["best"]],
            "points behind": rows["behind"],
            "right": rows["value"] == 100,
        }
    )
    return shown.sort_values("task", kind="stable", ignore_index=True)


def _title(name: str) -> str:
    return METHODS[name].title if name in METHODS else name


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the rows that judge, in percent, means over the small tables: a row a method, a
    column a task.
    """
    rows = where(table, part="score")
    wide = rows.pivot_table("value", "method", "task", aggfunc="mean", sort=False)
    return wide.rename(index=_title).rename_axis(None).rename_axis(None, axis=1)


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

"""Tables of a comparison's report, in HTML: what each method reaches, what it costs, the recall of
each label.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from course.compare.registry import METHODS

if TYPE_CHECKING:
    import pandas as pd

    from course.compare.result import Comparison

#: Labels whose recall has a column of its own.
_MOST_LABELS = 12


def table_of(head: Sequence[str], rows: Sequence[Sequence[Any]], text: Sequence[int] = ()) -> str:
    """An HTML table that may be scrolled sideways; numbers stand on the right.

    Args:
        text: columns that break their lines.
    """
    numbers = {
        i for i in range(len(head))
        if rows and all(re.fullmatch(r"[-+−]?[\d,.]*( ?\[.*\])?|-", str(row[i])) for row in rows)
    }  # fmt: skip

    def cell(tag: str, i: int, value: Any) -> str:
        kind = (
            ' class="number"'
            if i in numbers
            else ' class="text"'
            if i in text and tag == "td"
            else ""
        )
        return f"<{tag}{kind}>{escape(str(value))}</{tag}>"

    lines = ["".join(cell("th", i, name) for i, name in enumerate(head))]
    lines += ["".join(cell("td", i, value) for i, value in enumerate(row)) for row in rows]
    return f'<div class="wide"><table>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def scores_table(result: "Comparison") -> str:
    """What each method reaches on all labels, the best first."""
    table, measure = result.table(), result.data.task.measure
    second = [c for c in table.columns if c not in ("low", "high")][1]
    head = ["method", f"{measure} %", second, "against the best", "seeds", "unread", "labels"]
    rows = [
        [
            METHODS[str(name)].title,
            f"{row[measure]:.1f} [{row['low']:.1f}, {row['high']:.1f}]",
            f"{row[second]:.1f}",
            _behind(row),
            str(row["seeds"]),
            f"{row['unread']:.0f}",
            f"{row['labels']:,}",
        ]
        for name, row in table.iterrows()
    ]
    return table_of(head, rows)


def _behind(row: "pd.Series") -> str:
    """The difference to the best method; a line for the best one itself."""
    if row["behind"] == 0 and row["behind low"] == -row["behind high"]:
        return "-"
    return f"{row['behind']:+.1f} [{row['behind low']:+.1f}, {row['behind high']:+.1f}]"


def costs_table(result: "Comparison") -> str:
    """What each method costs, in the same order."""
    table = result.table()
    head = ["method", "learning s", "ms an answer", "tokens an answer", "kept bytes", "memory MB"]
    priced, on_gpu = table["money"].notna().any(), table["peak gpu memory"].any()
    head += [*(["GPU MB"] if on_gpu else []), *(["money"] if priced else [])]
    rows = [
        [METHODS[str(name)].title, *_costs(row, priced, on_gpu)] for name, row in table.iterrows()
    ]
    note = (
        '<p class="soft">Memory is the most main memory that the whole process held, with every '
        "model that it had loaded by then; "
        + ("GPU the most that tensors held" if on_gpu else "no graphics processor was used")
        + ".</p>"
    )
    return table_of(head, rows) + note


def _costs(row: "pd.Series", priced: bool, on_gpu: bool) -> list[str]:
    gpu = [_megabytes(row["peak gpu memory"])] if on_gpu else []
    cost = [f"{row['money']:.4f}" if row["money"] is not None else "-"] if priced else []
    return [
        f"{row['learn s']:.1f}",
        f"{row['ms a query']:.1f}",
        f"{row['tokens a query']:.0f}",
        f"{row['bytes']:,}",
        _megabytes(row["peak memory"]),
        *gpu,
        *cost,
    ]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f}" if count else "-"


def recalls_table(result: "Comparison") -> str:
    """Recall by label, for labels; with many, of the rarest."""
    if result.data.task.kind != "labels":
        return ""
    names = result.complete()
    recalls = {name: result.recalls(name) for name in names}
    counts = {
        label: sum(i.answer == label for i in result.data.test) for label in recalls[names[0]]
    }
    labels = sorted(counts, key=lambda label: counts[label])[:_MOST_LABELS]
    head = ["method", *(f"{label} ({counts[label]})" for label in labels)]
    rows = [[METHODS[n].title, *(f"{recalls[n][label]:.0f}" for label in labels)] for n in names]
    return (
        '<h2>Recall of each label</h2><p class="soft">Of the test items with a label (their '
        "number in "
        "brackets) the share that was given it, in percent; the rarest label first.</p>"
        + table_of(head, rows)
    )

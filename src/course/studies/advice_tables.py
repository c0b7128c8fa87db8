"""What is read off the records of the advice of ``course compare``: how often it is right, by task
and by small table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.compare.registry import METHODS
from course.foundation.intervals import Share
from course.studies.tables import where


def right_shares(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How often the advice is right, a row a group of small tables.

    Args:
        groups: name -> rows of the part ``"advice"`` of a record.

    Returns:
        Columns ``tables``, ``right (%)``, ``cannot tell (%)``, ``right where it tells (%)``,
        ``right where it cannot (%)`` and ``methods named there`` (a mean); NaN where there are no
        tables.
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
        "right where it tells (%)": told["value"].mean(),
        "right where it cannot (%)": other["value"].mean(),
        "methods named there": (other["named"].str.count(",") + 1).mean(),
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
    """A row for each small table of the record, under the name of its task: what the advice was,
    the best method on the rows that judge, how many points the worst of those that it names is
    behind it, and whether it is right (yes or no).
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
            "right": np.where(rows["value"] == 100, "yes", "no"),
        }
    )
    return shown.sort_values("task", kind="stable").set_index("task").rename_axis(None)


def _title(name: str) -> str:
    return METHODS[name].title if name in METHODS else name


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on the rows that judge, in percent, means over the small tables: a row a method, a
    column a task.
    """
    rows = where(table, part="score")
    wide = rows.pivot_table("value", "method", "task", aggfunc="mean", sort=False)
    return wide.rename(index=_title).rename_axis(None).rename_axis(None, axis=1)

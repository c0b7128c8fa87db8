"""Tidy rows of studies and what is read off them: rows by condition, means by seed, curves."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from course.studies.records import Row


def rows_of(measured: Mapping[str, float | str], **columns: str | int | float) -> list[Row]:
    """One row a measure: a number stands in the column ``value``, a text in ``text``.

    Args:
        columns: what was varied, the same for all the rows.
    """
    rows: list[Row] = []
    for name, figure in measured.items():
        kind = "text" if isinstance(figure, str) else "value"
        rows.append({**columns, "measure": name, kind: figure})
    return rows


def where(table: pd.DataFrame, **conditions: object) -> pd.DataFrame:
    """The rows that have these values, by column."""
    for column, value in conditions.items():
        table = table[table[column] == value]
    return table


def best_setting(table: pd.DataFrame, setting: str) -> float:
    """The number in a column with the best ``value``, such as a validation score; of equals the
    smallest.
    """
    best = table.sort_values(["value", setting], ascending=[False, True])
    return float(best[setting].iloc[0])


def by_seed(table: pd.DataFrame, **conditions: object) -> np.ndarray:
    """Mean of the values of the rows that have these values, (seeds,)."""
    return where(table, **conditions).groupby("seed")["value"].mean().to_numpy()


def by_body(table: pd.DataFrame, bodies: Iterable[str], **conditions: object) -> np.ndarray:
    """Mean of the values of the rows that have these values, by pretrained body (the column
    ``model``) and seed, (bodies, seeds), for :class:`course.foundation.intervals.Crossed`.
    """
    return np.stack([by_seed(table, model=body, **conditions) for body in bodies])


def curve(table: pd.DataFrame, column: str, **conditions: object) -> np.ndarray:
    """Mean value at each point of a column, from the smallest, (seeds, points)."""
    rows = where(table, **conditions)
    return rows.pivot_table("value", "seed", column, aggfunc="mean").to_numpy()


def means(
    table: pd.DataFrame, index: str, column: str, order: Iterable[str], **conditions: object
) -> pd.DataFrame:
    """Mean values: a row for each value of one column, in the order of appearance; a column for
    each value of another one.

    Args:
        order: of the columns.
    """
    rows = where(table, **conditions)
    wide = rows.pivot_table("value", index, column, aggfunc="mean")
    wide = wide.loc[[name for name in rows[index].unique() if name in wide.index], [*order]]
    return wide.rename_axis(None).rename_axis(None, axis=1)

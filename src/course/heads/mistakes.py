"""What a head gets wrong: errors by kind of case, and which answers are confused with which."""

from collections.abc import Sequence

import pandas as pd

from course.heads.head import Head


def errors_by_kind(head: Head, rows: Sequence[dict], predictions: Sequence) -> pd.DataFrame:
    """How many cases of each kind there are, and the share of them that is wrong, in percent; the commonest kind first.

    What is a case is up to the head (:meth:`Head.cases`): a text, a pair, an entity, a question.
    """
    cases = [case for row, prediction in zip(rows, predictions, strict=True) for case in head.cases(row, prediction)]
    table = pd.DataFrame(cases, columns=["kind", "right"]).groupby("kind")["right"].agg(["size", "mean"])
    found = pd.DataFrame({"cases": table["size"], "wrong (%)": 100 * (1 - table["mean"])})
    return found.sort_values(["cases"], ascending=False, kind="stable")


def confusion(labels: Sequence[str], right: Sequence[str], predicted: Sequence[str]) -> pd.DataFrame:
    """Of each right label (rows) the share that was given each label (columns), in percent."""
    table = pd.crosstab(pd.Categorical(right, labels), pd.Categorical(predicted, labels), dropna=False)
    table.index.name, table.columns.name = "right", "predicted"
    return 100 * table.div(table.sum(axis=1).clip(lower=1), axis=0)

"""What chapter 8 reads off its study: scores and gaps by labels, where curves cross, costs, and how
often the advice of ``course compare`` is right.

Every function takes the table of :data:`course.studies.choosing.STUDY`; those that do not speak of
advice take those of :mod:`course.studies.choosing_bodies` and :mod:`course.studies.real_choosing`,
too, which have other tasks.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.compare.registry import METHODS
from course.compare.statistics import last_change
from course.foundation.intervals import PERCENT, interval
from course.foundation.resampling import Resampled
from course.studies.advice_tables import right_shares
from course.studies.choosing import FRESH_SEEDS, LABELS, NAMES, TASKS
from course.studies.tables import by_seed, where


def tasks_of(table: pd.DataFrame) -> list[str]:
    """The tasks of a table, in its order."""
    return where(table, part="score")["task"].unique().tolist()


def labels_of(table: pd.DataFrame, task: str, *methods: str) -> list[int]:
    """The numbers of labels with which all of some methods were measured on a task, rising; one
    that needs no labels is the same with any number.
    """
    rows = where(table, part="score", task=task)
    own = [set(where(rows, method=m)["labels"]) for m in methods if METHODS[m].uses_labels]
    return sorted(int(n) for n in (set(rows["labels"]) - {0}).intersection(*own))


def scores(table: pd.DataFrame, task: str, method: str, labels: int) -> np.ndarray:
    """The scores of a method on one task, one a seed; one that needs no labels is the same with any
    number.
    """
    size = labels if METHODS[method].uses_labels else 0
    return by_seed(table, part="score", task=task, method=method, labels=size)


def gap(
    table: pd.DataFrame, one: str, other: str, labels: int, tasks: Sequence[str] = tuple(TASKS)
) -> np.ndarray:
    """How much better one method is than another one, in points: a mean over tasks, (seeds,)."""
    gaps = [scores(table, t, one, labels) - scores(table, t, other, labels) for t in tasks]
    return np.mean(gaps, axis=0)


def curve(table: pd.DataFrame, task: str, methods: Sequence[str] = NAMES) -> pd.DataFrame:
    """A row for each method that can do a task and number of labels, with 95 % intervals over the
    seeds: columns ``method``, ``labels``, ``score``, ``low``, ``high`` and ``seeds`` (the score of
    each).
    """
    rows: list[dict[str, object]] = []
    measured = set(where(table, part="score", task=task)["method"])
    for method in (name for name in methods if name in measured):
        for labels in labels_of(table, task, method):
            seeds = scores(table, task, method, labels)
            own = interval(seeds, PERCENT)
            rows.append({"method": method, "labels": labels, "score": own.mean,
                         "low": own.low, "high": own.high, "seeds": tuple(seeds)})  # fmt: skip
    return pd.DataFrame(rows)


def score_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean scores in percent: a row a task and method, a column a number of labels."""
    tasks = {}
    for task in tasks_of(table):
        own = curve(table, task)
        wide = own.pivot_table("score", "method", "labels", sort=False)
        tasks[task] = wide.rename(index=lambda name: METHODS[name].title)
    # names of the rows' levels would be a second, empty row of headings
    return pd.concat(tasks).rename_axis(index=[None, None], columns="labels")


def crossings(table: pd.DataFrame, below: str, above: str) -> pd.DataFrame:
    """Where the curve of ``above`` overtakes that of ``below`` for good: a row for each task.

    The interval comes from seeds that are drawn anew, each with both of its curves; whether a curve
    overtakes at all differs from draw to draw, so the fewest and the most labels that were measured
    stand for "with fewer" and "with more, or never".

    Returns:
        Columns ``labels`` (where the means cross; NaN: nowhere between the fewest and the most),
        ``low`` and ``high`` (its 95 % interval, NaN without a crossing), ``surely before`` (the
        most labels with which ``below`` is ahead beyond doubt) and ``surely from`` (the fewest with
        which ``above`` is; NaN where there are none).
    """
    rows: dict[str, list[float]] = {}
    for task in tasks_of(table):
        if {below, above} <= set(where(table, part="score", task=task)["method"]):
            labels = labels_of(table, task, below, above)
            gaps = np.stack([gap(table, below, above, n, (task,)) for n in labels], axis=1)
            sure = [interval(own) for own in gaps.T]
            rows[task] = [
                *_crossing(labels, gaps),
                max((n for n, g in zip(labels, sure, strict=True) if g.low > 0), default=np.nan),
                min((n for n, g in zip(labels, sure, strict=True) if g.high < 0), default=np.nan),
            ]
    columns = ["labels", "low", "high", "surely before", "surely from"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _crossing(labels: Sequence[int], gaps: np.ndarray) -> tuple[float, float, float]:
    """(where the mean gap falls below 0 for good, low, high), of gaps (seeds, labels)."""
    fewest, most = labels[0], labels[-1]

    def overtaken(drawn: Sequence[np.ndarray]) -> float:
        mean = np.mean(drawn, axis=0)
        change = last_change(labels, mean)
        if change is None:
            return most if mean.max() > 0 else fewest
        place, at = change
        return at if mean[place] < 0 else most

    at = overtaken([*gaps])
    if at in (fewest, most):
        return np.nan, np.nan, np.nan
    own = Resampled([*gaps], overtaken).interval(ratio=True, bounds=(fewest, most))
    return at, own.low, own.high


def winners(table: pd.DataFrame) -> pd.DataFrame:
    """The best method by task (rows) and number of labels (columns): the one with the highest mean,
    and behind it those of which the interval of the difference, over the seeds, does not say that
    they are worse. With more than one, which is best is undecided.
    """
    tasks = tasks_of(table)
    every = sorted({n for task in tasks for n in labels_of(table, task)})
    cells = {n: {task: ", ".join(_best(table, task, n)) for task in tasks} for n in every}
    return pd.DataFrame(cells).rename_axis(columns="labels")


def _best(table: pd.DataFrame, task: str, labels: int) -> list[str]:
    every = where(table, part="score", task=task)["method"].unique()
    names = [name for name in every if labels in labels_of(table, task, name)]
    means = {name: float(scores(table, task, name, labels).mean()) for name in names}
    ranked = sorted(means, key=lambda name: -means[name])
    gaps = {name: gap(table, ranked[0], name, labels, (task,)) for name in ranked[1:]}
    tied = [name for name, own in gaps.items() if interval(own).low <= 0]
    return [METHODS[name].title for name in (ranked[0], *tied)]


def costs(table: pd.DataFrame, labels: int) -> pd.DataFrame:
    """What each method costs with some labels, means over tasks and seeds, a row a method."""
    rows = where(table, part="score")
    rows = rows[rows["labels"].isin((0, labels))]
    columns = ["value", "learn s", "ms a query", "tokens a query", "trained", "bytes"]
    means = rows.groupby("method", sort=False)[columns].mean()
    return means.rename(columns={"value": "score (%)"}).rename_axis(None)


def baselines(
    table: pd.DataFrame, labels: int, tasks: Sequence[str] = tuple(TASKS)
) -> dict[str, float]:
    """What the most common answer reaches on some tasks and what cheats do: rule -> percent."""
    reached = {
        f"{t}, most common": float(scores(table, t, "majority", labels).mean()) for t in tasks
    }
    rules = where(table, part="cheat")
    if rules.empty:
        return reached
    rules = rules[rules["task"].isin(tasks)].groupby(["task", "rule"])["value"].mean()
    return reached | {f"{task}, {rule}": float(value) for (task, rule), value in rules.items()}


# the advice


def advice_table(table: pd.DataFrame) -> pd.DataFrame:
    """How often the advice is right, a row for each number of labels, one for all, and one for all
    of the seeds that nobody had seen when the rule was changed; columns as of
    :func:`course.studies.advice_tables.right_shares`.
    """
    rows = where(table, part="advice")
    groups = {f"{labels} labels": where(rows, labels=labels) for labels in LABELS}
    fresh = rows[rows["seed"].isin(FRESH_SEEDS)]
    return right_shares(groups | {"all": rows, "all, fresh seeds": fresh})


def right_advice(table: pd.DataFrame) -> np.ndarray:
    """The share of tables on which the advice is right, in percent, one a seed."""
    return by_seed(table, part="advice")

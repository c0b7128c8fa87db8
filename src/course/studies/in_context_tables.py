"""What is read off the records about demonstrations: accuracy by condition, after flipped labels,
over orders, and how far models stay below the exact posterior.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from course.prompting.calibration import KINDS
from course.prompting.evaluation import SHOTS
from course.studies.accuracy_by_shots import ACCURACY, BEST, RECOGNITION
from course.studies.bodies import GPTS
from course.studies.in_context import BODIES, JUDGEMENTS, LARGE, SHARES, SHOWN, UNTOUCHED
from course.studies.tables import by_body, where
from course.world.lists import STRANGER, list_tasks
from course.world.profiles import PROFILED

#: Kind of calibration -> what figures and tables call it.
CALIBRATED = dict(zip(KINDS, ("as it is", "contextual", "batch"), strict=True))
#: The bodies of each size, by the seed of their pretraining.
_SIZES = {"small": UNTOUCHED, "middle": GPTS, "large": (LARGE,)}
_PRETRAINED = ("first", "second", "third")


def under_conditions(
    table: pd.DataFrame, tasks: Iterable[str], models: Sequence[str] = BODIES, **where_: object
) -> pd.DataFrame:
    """Accuracy (percent), mean over some tasks and models: a row a seed, a column a condition."""
    rows = where(table, **where_)
    rows = rows[rows.model.isin(models) & rows.task.isin([*tasks])]
    return rows.pivot_table("value", "seed", "condition")


def lost_by_task(
    table: pd.DataFrame, tasks: Sequence[str], models: Sequence[str] = GPTS
) -> dict[str, dict[str, np.ndarray]]:
    """Points of accuracy that a condition costs against right labels: condition -> task -> the mean
    over models, (seeds,).
    """
    means = {task: under_conditions(table, [task], models) for task in tasks}
    return {
        condition: {
            task: (seeds["gold"] - seeds[condition]).to_numpy() for task, seeds in means.items()
        }
        for condition in SHOWN[1:]
    }


def lost_to(
    table: pd.DataFrame, condition: str, tasks: Sequence[str], bodies: Sequence[str] = GPTS
) -> np.ndarray:
    """Points of accuracy that a condition costs against right labels, mean over some tasks,
    (bodies, seeds).
    """
    rows = table[table.task.isin(tasks)]
    return by_body(rows, bodies, condition="gold") - by_body(rows, bodies, condition=condition)


def after_flipped(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Accuracy (percent), mean over the tasks with two labels and over models: a row a seed, the
    columns ``gold`` and ``flipped``.
    """
    return under_conditions(table, JUDGEMENTS, models)


def best_after_flipped(table: pd.DataFrame, knob: float) -> pd.DataFrame:
    """The same for the best possible reader of a corpus of which a share ``knob`` is relabelled."""
    return under_conditions(table, JUDGEMENTS, (BEST,), knob=knob)


def above_chance(table: pd.DataFrame, bodies: Sequence[str]) -> np.ndarray:
    """Points by which bodies lie above chance after flipped labels, mean over the tasks with two
    labels, (bodies, seeds).
    """
    return by_body(table, bodies, condition="flipped") - 50


def over_orders(
    table: pd.DataFrame, kind: str, measure: str, bodies: Sequence[str] = GPTS
) -> np.ndarray:
    """A measure over the orders under one kind of calibration, mean over tasks and sets of
    demonstrations, (bodies, seeds).
    """
    return by_body(table, bodies, calibration=kind, measure=measure)


def by_size_and_kind(table: pd.DataFrame) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Size -> kind of calibration -> ``"mean"`` and ``"worst"`` over orders (percent), mean over
    tasks, sets of demonstrations and bodies: (seeds,).
    """
    return {
        size: {
            kind: {m: over_orders(table, kind, m, bodies).mean(0) for m in ("mean", "worst")}
            for kind in KINDS
        }
        for size, bodies in _SIZES.items()
    }


def worst_by_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) in the worst order, mean over bodies, tasks and seeds: a row for each
    number of demonstrations of either label, a column a kind of calibration.
    """
    wide = where(table, measure="worst").pivot_table("value", "shares", "calibration")
    return _named(wide.loc[[*SHARES]])


def worst_by_model(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) in the worst order, mean over tasks, sets and seeds: a row a body, by its
    size and, where there are several, the seed of its pretraining; a column a kind of calibration.
    """
    wide = where(table, measure="worst").pivot_table("value", "model", "calibration")
    names = {
        body: f"{size}, {_PRETRAINED[number]} seed" if len(bodies) > 1 else size
        for size, bodies in _SIZES.items()
        for number, body in enumerate(bodies)
    }
    return _named(wide.loc[[*names]].rename(index=names))


def _named(wide: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table as :data:`CALIBRATED` calls them."""
    return wide[[*KINDS]].rename(columns=CALIBRATED).rename_axis(index=None, columns=None)


def under_the_best(
    table: pd.DataFrame, bodies: Sequence[str], task: str, titled_shots: Sequence[int] = SHOTS
) -> np.ndarray:
    """Accuracy minus that of the best possible answers, in points, (bodies, seeds, numbers of
    demonstrations).

    Args:
        table: of the study of quality.
    """
    curves = [
        by_body(table, bodies, task=task, measure=ACCURACY, k=k)
        - by_body(table, bodies, task=task, measure=BEST, k=k)
        for k in titled_shots
    ]
    return np.stack(curves, axis=2)


def worst_gap(groups: Sequence[np.ndarray]) -> float:
    """Of curves of points under the best possible, (..., numbers of demonstrations) each, their
    mean where it is lowest.
    """
    curves = [group.reshape(-1, group.shape[-1]).mean(0) for group in groups]
    return float(np.mean(curves, axis=0).min())


def recognised_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What recognition of the sixteen dialects alone reaches (percent) with known dialects and with
    ones never heard, by number of demonstrations: (seeds, shots) each.

    Args:
        table: of the study of quality.
    """
    rows = where(table, model=LARGE, measure=RECOGNITION)
    return {
        task: where(rows, task=task).pivot(index="seed", columns="k", values="value").to_numpy()
        for task in ("dialect", STRANGER)
    }


def clusters_of(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the large model on lists without titles, mean over tasks and seeds: a
    row a cluster of tasks, a column a number of demonstrations.

    Args:
        table: of the study of quality.
    """
    rows = where(table, model=LARGE, measure=ACCURACY)
    rows = rows[~rows.task.isin((*PROFILED, STRANGER))]
    clusters = rows.task.map({name: task.cluster for name, task in list_tasks().items()})
    rows = rows.assign(cluster=clusters, shots=rows.k.astype(int))
    return rows.pivot_table("value", "cluster", "shots")

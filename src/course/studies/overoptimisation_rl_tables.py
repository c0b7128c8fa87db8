"""What is read off the record of over-optimisation by reinforcement learning: gold against the
divergence, beside best-of-n by the same reward models, and the curves that are fitted to both.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from course.reward.overoptimisation import Curve, fit_curve
from course.studies.overoptimisation_rl import LEARNED
from course.studies.policies import MATCHED
from course.studies.policies_tables import at_divergence
from course.studies.reward import COURTEOUS, DIVERGENCE, GOLD
from course.studies.reward_tables import COLUMNS, cross_fitted_loss, fitted_peak
from course.studies.reward_tables import gold_curves as best_of_n_curves
from course.studies.tables import where

#: Divergences, in nats, and the gold rewards there.
Runs = tuple[np.ndarray, np.ndarray]
#: Methods that optimise the same reward -> the form of their curve.
FORMS = {"best-of-n": "best-of-n", "RLOO": "rl"}


def _curves(table: pd.DataFrame, measure: str, source: str) -> np.ndarray:
    """A measure along the training, (seeds, halves, looks)."""
    rows = where(table, measure=measure, source=source)
    wide = rows.pivot_table("value", ["seed", "half"], "step")
    return wide.to_numpy().reshape(-1, 2, wide.shape[1])


def curve_of(table: pd.DataFrame, measure: str, source: str) -> np.ndarray:
    """A measure along the training, (seeds, looks)."""
    return _curves(table, measure, source).mean(1)


def lost_after_the_peak(table: pd.DataFrame, source: str) -> np.ndarray:
    """Gold at the best look minus gold at the last, (seeds,), by halves that judge each other, see
    :func:`course.studies.reward_tables.cross_fitted_loss`. What is good or bad luck of a policy at
    a look is in both halves: what the policy that learns from gold itself loses tells how much that
    is.
    """
    return cross_fitted_loss(_curves(table, "gold", source))


def divergence_and_gold(table: pd.DataFrame, source: str) -> Runs:
    """The divergence, in nats a reply, and gold along the training, (seeds, looks) both."""
    divergence = np.maximum(curve_of(table, "kl", source), 0.0)  # an estimate may be below
    return divergence, curve_of(table, "gold", source)


def peaks(table: pd.DataFrame, source: str) -> np.ndarray:
    """Where the fitted curve of gold has its peak, within what was measured: the square root of the
    divergence, (seeds,).
    """
    runs = zip(*divergence_and_gold(table, source), strict=True)
    return np.array([fitted_peak("rl", divergence, gold) for divergence, gold in runs])


def by_method(table: pd.DataFrame, best_of_n: pd.DataFrame, source: str) -> dict[str, Runs]:
    """(divergence, gold) of both methods by the same reward model, (seeds, points) each."""
    gold = best_of_n_curves(best_of_n)[source]
    chosen = np.broadcast_to(DIVERGENCE, gold.shape), gold
    return {"best-of-n": chosen, "RLOO": divergence_and_gold(table, source)}


def curve_through(method: str, divergence: np.ndarray, gold: np.ndarray) -> Curve:
    """The curve of a method's form through all points of all seeds, (seeds, points) both; what is
    gained is counted from each seed's first point.
    """
    return fit_curve(FORMS[method], divergence.ravel(), (gold - gold[:, :1]).ravel())


def lines_through(
    measured: Mapping[str, Mapping[str, Runs]],
) -> dict[str, dict[str, Runs]]:
    """These curves as lines to draw: reward -> method -> (divergence, gold), from what was measured
    by each (:func:`by_method`).
    """
    return {
        reward: {method: _line(method, *runs) for method, runs in methods.items()}
        for reward, methods in measured.items()
    }


def _line(method: str, divergence: np.ndarray, gold: np.ndarray) -> Runs:
    grid = np.linspace(0, np.sqrt(divergence.mean(0).max()), 100) ** 2
    return grid, gold[:, 0].mean() + curve_through(method, divergence, gold).gain(grid)


def ahead_of_rl(table: pd.DataFrame, best_of_n: pd.DataFrame, source: str) -> np.ndarray:
    """Gold of best-of-n minus gold of the policy where each comes to :data:`MATCHED`, by the same
    reward model, (seeds that both studies have,).
    """
    shared = {*table["seed"]} & {*best_of_n["seed"]}
    ours, theirs = (rows[rows["seed"].isin(shared)] for rows in (table, best_of_n))
    chosen, trained = (
        np.array([at_divergence(*run, MATCHED) for run in zip(*runs, strict=True)])
        for runs in by_method(ours, theirs, source).values()
    )
    return chosen - trained


def summary(table: pd.DataFrame, best_of_n: pd.DataFrame) -> pd.DataFrame:
    """How far each policy comes, in nats, and what becomes of gold; the curve that is fitted to it,
    and by how much best-of-n by the same reward is ahead at :data:`MATCHED`. Means over seeds.
    """
    rows = {}
    for source in (*LEARNED, GOLD):
        divergence, gold = divergence_and_gold(table, source)
        curve = curve_through("RLOO", divergence, gold)
        rows[source] = {
            "nats at the end": divergence[:, -1].mean(),
            "highest gold": gold.mean(0).max(),
            "gold at the end": gold[:, -1].mean(),
            "lost after the peak": lost_after_the_peak(table, source).mean(),
            "a": curve.a,
            "b": curve.b,
            "best-of-n ahead": ahead_of_rl(table, best_of_n, source).mean(),
        }
    return pd.DataFrame(rows).T


def along_training(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """What the policy's replies are like at each look; means over seeds."""
    wide = where(table, source=source).pivot_table("value", "step", "measure")
    columns = ["kl", "distinct", "proxy", "gold", "true", "length", COURTEOUS]
    shown = wide[columns].rename(columns=COLUMNS, index=int)
    return shown.rename_axis(index=None, columns="step")

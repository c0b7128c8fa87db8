"""What is read off the records of best-of-n by reward models: curves by size of the choice, what is
lost behind their peak, and where a fitted curve has it.
"""

import numpy as np
import pandas as pd

from course.reward.overoptimisation import fit_curve
from course.studies.reward import (
    AT_RANDOM,
    COURTEOUS,
    DIVERGENCE,
    EASY,
    EVERY_KIND,
    GOLD,
    STEPS,
    set_name,
)
from course.studies.tables import means, where

#: Measure -> what a column of its mean is called, where that is another name than the choice's.
COLUMNS = {COURTEOUS: "courteous words", f"r with {COURTEOUS}": "r with courteous words"}


def _curves(
    table: pd.DataFrame, measure: str, source: str, comparisons: int | None = None
) -> np.ndarray:
    """A measure by size of the choice, (seeds, halves, sizes)."""
    rows = where(table, part="best of n", measure=measure, source=source)
    rows = rows if comparisons is None else where(rows, comparisons=comparisons)
    wide = rows.pivot_table("value", ["seed", "half"], "n")
    return wide.to_numpy().reshape(-1, 2, wide.shape[1])


def curve_of(
    table: pd.DataFrame, measure: str, source: str, comparisons: int | None = None
) -> np.ndarray:
    """A measure by size of the choice, (seeds, sizes)."""
    return _curves(table, measure, source, comparisons).mean(1)


def gold_in_deviations(table: pd.DataFrame, comparisons: int) -> np.ndarray:
    """Gold of what a reward model chooses by size of the choice, (seeds, sizes), in standard
    deviations of all replies, 0 at their mean, as its own reward is given.

    The choice by gold has both: its gold, and gold as its own reward.
    """
    gold, own = (curve_of(table, measure, GOLD) for measure in ("gold", "proxy"))
    deviation = (np.ptp(gold, 1) / np.ptp(own, 1))[:, None]
    mean = gold[:, :1] - deviation * own[:, :1]
    return (curve_of(table, "gold", EVERY_KIND, comparisons) - mean) / deviation


def lost_after_the_peak(
    table: pd.DataFrame, source: str, comparisons: int | None = None
) -> np.ndarray:
    """Gold at the best size minus gold at the largest, (seeds,). The best size is looked up on one
    half of the questions and the loss taken on the other, both ways: a peak of its own would be
    above the end by chance alone.
    """
    return cross_fitted_loss(_curves(table, "gold", source, comparisons))


def cross_fitted_loss(gold: np.ndarray) -> np.ndarray:
    """What is lost from the peak of a curve to its end, (seeds,), where the place of the peak is
    looked up on the other half of the questions.

    Args:
        gold: (seeds, 2 halves, points).
    """
    peaks = gold.argmax(2)[:, ::-1, None]  # of the other half
    at_peak = np.take_along_axis(gold, peaks, axis=2)[..., 0]
    return (at_peak - gold[..., -1]).mean(1)


def peaks(table: pd.DataFrame, source: str, comparisons: int) -> np.ndarray:
    """Where the fitted curve of gold has its peak, within what was measured: the square root of the
    divergence, (seeds,).
    """
    curves = curve_of(table, "gold", source, comparisons)
    return np.array([fitted_peak("best-of-n", DIVERGENCE, gold) for gold in curves])


def fitted_peak(method: str, divergence: np.ndarray, gold: np.ndarray) -> float:
    """Where the curve that is fitted to gold has its peak, within what was measured: the square
    root of the divergence.

    Args:
        method: a key of :data:`course.reward.overoptimisation.BENDS`.
        divergence: in nats, and
        gold: there, the first of the model before.
    """
    grid = np.linspace(0, np.sqrt(divergence.max()), 500)
    fit = fit_curve(method, divergence, gold - gold[0])
    return float(grid[fit.gain(grid**2).argmax()])


def gold_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name of a choice -> gold by size of the choice, (seeds, sizes)."""
    rules_alone = {rule: curve_of(table, "gold", rule) for rule in (GOLD, AT_RANDOM)}
    return _learned_curves(table, "gold") | rules_alone


def proxy_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name of a reward model -> its own reward by size of the choice, (seeds, sizes), in standard
    deviations of all replies.
    """
    return _learned_curves(table, "proxy")


def _learned_curves(table: pd.DataFrame, measure: str) -> dict[str, np.ndarray]:
    """The same of every reward model, that of the easy questions last."""
    curves = {set_name(EVERY_KIND, m): curve_of(table, measure, EVERY_KIND, m) for m in STEPS}
    return curves | {EASY: curve_of(table, measure, EASY)}


def reward_models(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on held-out comparisons, and what the reward goes with; means over seeds."""
    rows = where(table, part="reward model").copy()
    counts = rows["comparisons"].astype(int).map("{:,}".format)
    rows["learned from"] = counts + ", " + rows["source"]
    table = means(rows, "learned from", "measure", rows["measure"].unique())
    return table.rename(columns=COLUMNS)


def chosen(table: pd.DataFrame, comparisons: int) -> pd.DataFrame:
    """What the chosen replies are like, by size of the choice; means over seeds."""
    rows = where(table, part="best of n", source=EVERY_KIND, comparisons=comparisons)
    wide = rows.pivot_table("value", "n", "measure").rename(index=int)
    shown = wide[["proxy", "gold", "true", "length", COURTEOUS]].rename(columns=COLUMNS)
    return shown.rename_axis(index=None, columns="n")

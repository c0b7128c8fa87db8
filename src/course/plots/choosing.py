"""Figure of chapter 8: score by number of labels for some methods, a panel a task."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import DARK_GREY, LEVERS
from course.plots.style import name_ends

#: The height of a crossing; where there is none.
_BOTTOM, _NOWHERE = 3.0, (np.nan, np.nan, np.nan)


def methods_by_labels(
    curves: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    levers: Mapping[str, str],
    crossings: Mapping[str, tuple[float, float, float]] | None = None,
) -> Figure:
    """Score by the number of labels, a line a method with its interval and its name at its end; a
    panel a task, one under the other.

    Args:
        curves: task -> columns ``method``, ``labels``, ``score``, ``low`` and ``high`` (percent),
            of at most two methods a lever.
        titles, levers: of each method.
        crossings: task -> the number of labels at which two of the curves cross, and its interval:
            a mark with a bar at the bottom; NaN for none.
    """
    figure, axes = plt.subplots(
        len(curves), 1, figsize=(5.6, 2.9 * len(curves)), sharex=True, squeeze=False
    )
    for ax, (task, curve) in zip(axes[:, 0], curves.items(), strict=True):
        ends = _lines(ax, curve, titles, levers)
        labels = sorted(curve["labels"].unique())
        _crossing(ax, (crossings or {}).get(task, _NOWHERE))
        ax.set_xscale("log")
        ax.set_xticks(labels, [f"{label:,}" for label in labels])
        ax.minorticks_off()
        name_ends(ax, 1.15 * labels[-1], ends, 10, 100)
        ax.set_xlim(0.85 * labels[0], 10 * labels[-1])
        ax.set_ylim(-2, 104)
        ax.set_title(task)
        ax.set_ylabel("score (%)")
    axes[-1, 0].set_xlabel("labelled items")
    return figure


def _crossing(ax: Axes, at: tuple[float, float, float]) -> None:
    """Mark a number of labels with its interval, if there is one."""
    labels, low, high = at
    if np.isfinite(labels):
        ax.plot([low, high], [_BOTTOM, _BOTTOM], color=DARK_GREY, linewidth=2.5, label="crossing")
        ax.plot(labels, _BOTTOM, "D", color=DARK_GREY, markersize=5.5, label="crossing")


def _lines(
    ax: Axes, curve: pd.DataFrame, titles: Mapping[str, str], levers: Mapping[str, str]
) -> list[tuple[float, str, str]]:
    """Draw the lines; returns where each ends, its name and its colour."""
    ends = []
    left = {lever: list(colours) for lever, colours in LEVERS.items()}
    for name, rows in curve.groupby("method", sort=False):
        colour = left[levers[str(name)]].pop(0)
        ax.plot(rows["labels"], rows["score"], color=colour, marker="o", markersize=4)
        ax.fill_between(
            rows["labels"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0
        )
        ends.append((float(rows["score"].iloc[-1]), titles[str(name)], colour))
    return ends

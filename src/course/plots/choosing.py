"""Figure of chapter 8: score by number of labels for some methods, a panel a task."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import CHANCE, DARK_GREY, LEVERS, text_colour
from course.plots.style import FEWEST_RUNS, name_ends

#: Points of score between two names.
_GAP = 10
#: The height of a crossing, below the scores; where there is none.
_BELOW, _NOWHERE = -10.0, (np.nan, np.nan, np.nan)


def methods_by_labels(
    curves: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    levers: Mapping[str, str],
    crossings: Mapping[str, tuple[float, float, float]] | None = None,
    guessing: Mapping[str, float] | None = None,
) -> Figure:
    """Score by the number of labels, a line a method with its interval, or with a dot for each of
    few seeds, and with its name at its end; a panel a task, one under the other.

    Args:
        curves: task -> columns ``method``, ``labels``, ``score``, ``low``, ``high`` (percent) and
            ``seeds`` (the scores of the seeds), of at most three methods a lever.
        titles, levers: of each method.
        crossings: task -> the number of labels at which two of the curves cross, and its interval:
            a mark with a bar below the scores; NaN for none.
        guessing: task -> what guessing gives, in percent; a dotted line.
    """
    figure, axes = plt.subplots(
        len(curves), 1, figsize=(5.6, 2.9 * len(curves)), sharex=True, squeeze=False
    )
    for ax, (task, curve) in zip(axes[:, 0], curves.items(), strict=True):
        labels = sorted(curve["labels"].unique())
        ax.set_xscale("log")
        ax.set_xticks(labels, [f"{label:,}" for label in labels])
        ax.minorticks_off()
        ends = _lines(ax, curve, titles, levers)
        if guessing:
            ax.plot((labels[0], labels[-1]), [guessing[task]] * 2, ":", color=CHANCE, linewidth=1.2)
            ends.append((guessing[task], "guessing", CHANCE))
        name_ends(ax, 1.3 * labels[-1], ends, _GAP, 100, lowest=0, leaders_from=labels[-1])
        if crossings:
            _crossing(ax, crossings.get(task, _NOWHERE))
        ax.set_xlim(0.85 * labels[0], 12 * labels[-1])
        ax.set_ylim(_BELOW - 6 if crossings else -6, 104)
        ax.set_yticks(range(0, 101, 20))
        ax.set_title(task)
        ax.set_ylabel("score (%)")
    axes[-1, 0].set_xlabel("labelled items")
    return figure


def _crossing(ax: Axes, at: tuple[float, float, float]) -> None:
    """Mark a number of labels with its interval, if there is one."""
    labels, low, high = at
    if np.isfinite(labels):
        ax.plot([low, high], [_BELOW, _BELOW], color=DARK_GREY, linewidth=2.5, label="crossing")
        ax.plot(labels, _BELOW, "D", color=DARK_GREY, markersize=5.5, label="crossing")
        ax.text(1.15 * high, _BELOW, "crossing", color=DARK_GREY, va="center")


def _lines(
    ax: Axes, curve: pd.DataFrame, titles: Mapping[str, str], levers: Mapping[str, str]
) -> list[tuple[float, str, str]]:
    """Draw the lines; returns where each that comes to the most labels ends, its name and its
    colour. A line that ends before has its name there.
    """
    ends = []
    left = {lever: list(colours) for lever, colours in LEVERS.items()}
    for name, rows in curve.groupby("method", sort=False):
        colour, title = left[levers[str(name)]].pop(0), titles[str(name)]
        ax.plot(rows["labels"], rows["score"], color=colour, marker="o", markersize=4)
        _spread(ax, rows, colour)
        if rows["labels"].max() == curve["labels"].max():
            ends.append((float(rows["score"].iloc[-1]), title, colour))
        else:
            _name_early_end(ax, rows, curve, title, colour)
    return ends


def _spread(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    """How far the seeds of a line are apart: its interval, or the few seeds themselves."""
    if rows["seeds"].map(len).min() >= FEWEST_RUNS:
        band: dict[str, Any] = {"color": colour, "alpha": 0.15, "linewidth": 0}
        ax.fill_between(rows["labels"], rows["low"], rows["high"], **band)
    else:
        each = rows.explode("seeds")
        ax.plot(each["labels"], each["seeds"].astype(float), ".", color=colour, alpha=0.4)


def _name_early_end(
    ax: Axes, rows: pd.DataFrame, curve: pd.DataFrame, title: str, colour: str
) -> None:
    """The name of a line that ends before the others, over or under all that is drawn, whichever is
    nearer, and joined to its end.
    """
    x, y = float(rows["labels"].iloc[-1]), float(rows["score"].iloc[-1])
    drawn = curve["seeds"].explode().astype(float)
    top, bottom = max(drawn.max(), y) + _GAP / 2, min(drawn.min(), y) - _GAP / 2
    over = top - y <= y - bottom
    leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "alpha": 0.6, "shrinkA": 1}
    look: dict[str, Any] = {"ha": "center", "va": "bottom" if over else "top", "weight": "bold"}
    place = (x, top if over else bottom)
    ax.annotate(title, (x, y), place, color=text_colour(colour), arrowprops=leader, **look)

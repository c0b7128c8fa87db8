"""What the figures of all chapters share: colours that mean the same everywhere, bands, cells, and
room between labels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from course.foundation.intervals import PERCENT, interval

#: The opened model (specialist, BERT) and the prompted one (generalist, GPT): colours of Okabe and
#: Ito, safe for the colour-blind.
OPENED, PROMPTED = "#d55e00", "#0072b2"
#: The best possible answer.
CEILING = "#8a8a8a"
_STYLE = Path(__file__).parents[1] / "book.mplstyle"


def use_style() -> None:
    """Draw in the style of the book from here on."""
    plt.style.use(_STYLE)


_HEAT = LinearSegmentedColormap.from_list("accuracy", ["#f7f3ee", "#f5c396", OPENED])


def cells(ax: Axes, table: pd.DataFrame) -> None:
    """A table of percentages as coloured cells with their numbers, column names on top; a missing
    value stays empty.
    """
    ax.imshow(table.to_numpy(), cmap=_HEAT, vmin=0, vmax=100, aspect="auto")
    for i, j in np.ndindex(table.shape):
        value = table.iloc[i, j]
        if not np.isnan(value):
            own = table.index[i] == table.columns[j]
            ax.text(
                j,
                i,
                f"{value:.0f}",
                ha="center",
                va="center",
                color="white" if value > 70 else "#222222",
                fontweight="bold" if own else "normal",
            )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def band(
    ax: Axes, x: Sequence[float], runs: np.ndarray, colour: str, style: str = "-"
) -> np.ndarray:
    """The mean of runs (seeds, points), percentages, as a line, with the 95 % interval as a band;
    returns the mean.
    """
    means = runs.mean(0)
    ax.plot(x, means, style, color=colour, marker="o", markersize=4)
    if len(runs) >= 3:
        spans = [interval(column, PERCENT) for column in runs.T]
        ax.fill_between(
            x,
            [s.low for s in spans],
            [s.high for s in spans],
            color=colour,
            alpha=0.18,
            linewidth=0,
        )
    return means


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Positions for labels of rising ``values`` that keep at least ``gap`` between neighbours."""
    placed: list[float] = []
    for value in values:
        placed.append(max(value, placed[-1] + gap) if placed else value)
    return placed


def name_ends(
    ax: Axes,
    x: float,
    ends: Sequence[tuple[float, str, str]],
    gap: float,
    highest: float = np.inf,
    **text: Any,
) -> None:
    """The name of each curve beside its end, in its colour, and none over another.

    Args:
        x: where the names begin.
        ends: (height of its end, name, colour) of each curve.
        gap: between two names at the least.
        highest: names that are pushed up beyond it are all lowered by as much as the highest one is
            too high.
        text: settings of ``ax.text``.
    """
    ranked = sorted(ends)
    heights = spread([height for height, _, _ in ranked], gap)
    lowered = max(heights[-1] - highest, 0)
    for (_, name, colour), y in zip(ranked, heights, strict=True):
        ax.text(x, y - lowered, name, color=colour, va="center", fontweight="bold", **text)


def hide_empty(axes: np.ndarray, used: int) -> None:
    """Hide the panels of a grid that nothing is drawn in, those behind the first ``used``."""
    for ax in axes.flat[used:]:
        ax.set_visible(False)

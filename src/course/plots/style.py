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

#: The opened model (specialist, BERT) and the prompted one (generalist, GPT): of the hues of Okabe
#: and Ito, safe for the colour-blind, dark enough for text.
OPENED, PROMPTED = "#b34e00", "#0072b2"
#: The best possible answer.
CEILING = "#6b6b6b"
#: Shades for lines and areas that are too light for text -> the shade in which their names stand.
TEXT = {
    "#9ecae1": "#47748f",
    "#4a98c9": "#2a74a3",
    "#5fa8d3": "#2f759e",
    "#f0b27a": "#8f5f2a",
    "#e67e22": "#a05a14",
    "#e8a06a": "#94602f",
    "#a8a8a8": "#6f6f6f",
    "#cc79a7": "#9c4878",
}
#: Every colour of a figure on a light page -> the one that takes its place on a dark page.
DARK = {
    "#fcfcfa": "#15191f",
    "#ffffff": "#10141a",
    "#222222": "#e8e6e1",
    "#333333": "#d6d3cd",
    "#555555": "#b4b1ab",
    "#5f5f5f": "#b4b1ab",
    OPENED: "#ff9a4d",
    PROMPTED: "#5bb5f0",
    CEILING: "#a9a9a9",
    "#47748f": "#a6c8dc",
    "#2a74a3": "#7fbde6",
    "#2f759e": "#86c1e4",
    "#8f5f2a": "#dfbd94",
    "#a05a14": "#f0a85e",
    "#94602f": "#e3b38c",
    "#6f6f6f": "#b9b9b9",
    "#9c4878": "#e0a5c6",
    "#cc79a7": "#cc79a7",
    "#9ecae1": "#3f6f8c",
    "#4a98c9": "#4a98c9",
    "#5fa8d3": "#4f93ba",
    "#f0b27a": "#8a5f36",
    "#e67e22": "#c96f20",
    "#e8a06a": "#b57c50",
    "#a8a8a8": "#7d7d7d",
    "#c9a58c": "#765640",
    "#5e2900": "#ffd2a8",
    "#777777": "#9a9a9a",
    "#999999": "#8a8a8a",
    "#aaaaaa": "#6f6f6f",
    "#cccccc": "#4a4f57",
    "#cfcfcf": "#4a4f57",
    "#dedbd5": "#3a3f47",
    "#e9e4dc": "#2b3038",
}
#: Text on a ground that is the same on every page, such as a cell of a heat map.
ON_LIGHT, ON_STRONG = "#212121", "#fefefe"
_STYLE = Path(__file__).parents[1] / "book.mplstyle"


#: Fewest runs of which an interval is drawn: that of two is wider than most figures.
FEWEST_RUNS = 3


def use_style() -> None:
    """Draw in the style of the book from here on."""
    plt.style.use(_STYLE)


_HEAT = LinearSegmentedColormap.from_list("accuracy", ["#f7f3ee", "#f5c396", "#b04c00"])


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
                color=ON_STRONG if value > 80 else ON_LIGHT,
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
    if len(runs) >= FEWEST_RUNS:
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


def mean_bar(
    ax: Axes, row: float, runs: Sequence[float] | np.ndarray, colour: str, **text: Any
) -> None:
    """The mean of percentages as a horizontal bar that says it, with its 95 % interval as a line.

    Args:
        text: settings of ``ax.text``.
    """
    span = interval(runs, PERCENT)
    ax.barh(row, span.mean, color=colour, height=0.62)
    ax.plot((span.low, span.high), (row, row), color="#222222", linewidth=1.5)
    ax.text(span.high + 2, row, f"{span.mean:.0f}", va="center", **text)


def accuracy_panel(ax: Axes, title: str, right: float, label: str = "accuracy (%)") -> None:
    """The frame of a panel of such bars.

    Args:
        right: end of the axis, beyond 100 so that the numbers have room.
    """
    ax.set_xlim(0, right)
    ax.set_xticks((0, 50, 100))
    ax.set_title(title, fontsize=11)
    ax.set_xlabel(label)
    ax.tick_params(left=False)


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
        highest: names that are pushed up beyond it are lowered to it, and those below them as far
            as they must to keep the gap.
        text: settings of ``ax.text``.
    """
    ranked = sorted(ends)
    heights = spread([height for height, _, _ in ranked], gap)
    room = highest
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], room)
        room = heights[place] - gap
    for (_, name, colour), y in zip(ranked, heights, strict=True):
        ax.text(
            x,
            y,
            name,
            color=TEXT.get(colour, colour),
            va="center",
            fontweight="bold",
            **text,
        )


def hide_empty(axes: np.ndarray, used: int) -> None:
    """Hide the panels of a grid that nothing is drawn in, those behind the first ``used``."""
    for ax in axes.flat[used:]:
        ax.set_visible(False)

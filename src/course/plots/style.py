"""What the figures of all chapters share: its style, bands, bars, cells, and
room between labels.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import StrMethodFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from course.foundation.intervals import PERCENT, Independent, interval
from course.plots.colours import HEAT, INK, ON_LIGHT, ON_STRONG, QUIET, text_colour

_STYLE = Path(__file__).parents[1] / "book.mplstyle"


#: Points between the end of a leader and the name that it leads to.
_PAST_LEADER = 3
#: What a key says of one thing: its name, its marker or, of a line, its style, and its colour.
KeyEntry = tuple[str, str, str]
_LINES = ("-", "--", ":")
#: Group of the texts that name a curve at its end.
CURVE_NAME = "name of a curve"
#: Fewest runs of which an interval is drawn: that of three is wider than most figures.
FEWEST_RUNS = 4


def use_style() -> None:
    """Draw in the style of the book from here on."""
    plt.style.use(_STYLE)


_HEAT = LinearSegmentedColormap.from_list("accuracy", HEAT)


def text_on(ground: Sequence[float]) -> str:
    """The shade of text that can be read best on a ground, by their contrast (WCAG 2).

    Args:
        ground: its red, green and blue, between 0 and 1.
    """
    parts = np.asarray(ground)[:3]
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return ON_STRONG if luminance < 0.21 else ON_LIGHT  # there both contrast alike


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
                color=text_on(_HEAT(value / 100)),
                fontweight="bold" if own else "normal",
            )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def band(
    ax: Axes,
    x: Sequence[float],
    runs: np.ndarray,
    colour: str,
    alpha: float = 0.18,
    least: float = 0.0,
    ratio: bool = False,
) -> np.ndarray:
    """The mean of runs (seeds, points), percentages, as a line, with the 95 % interval as a band,
    or with a thin line for each where they are few; returns the mean.

    Args:
        least: where a band ends that reaches further down, as a logarithmic axis has no zero.
        ratio: whether they are positive quantities of a logarithmic axis, of which the mean and the
            interval are those of their logarithms.
    """
    means = np.exp(np.log(runs).mean(0)) if ratio else runs.mean(0)
    if 1 < len(runs) < FEWEST_RUNS:
        ax.plot(x, runs.T, color=colour, linewidth=0.8, alpha=0.5)
    ax.plot(x, means, color=colour, marker="o", markersize=4)
    if len(runs) >= FEWEST_RUNS:
        bounds = (0.0, np.inf) if ratio else PERCENT
        spans = [Independent(column).interval(ratio, bounds) for column in runs.T]
        ax.fill_between(
            x,
            [max(s.low, least) for s in spans],
            [s.high for s in spans],
            color=colour,
            alpha=alpha,
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
    ax.plot((span.low, span.high), (row, row), color=INK, linewidth=1.5)
    ax.text(span.high + 2, row, f"{span.mean:.0f}", va="center", **text)


def no_bar(ax: Axes, row: float, why: str) -> None:
    """Say why a row has no bar, which looks like a bar of 0 else."""
    ax.text(2, row, why, va="center", color=QUIET, fontsize=9)


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
    """Positions for labels of rising ``values`` that keep at least ``gap`` between neighbours, as
    near to the values as that allows (least squares).
    """
    # without the gaps the positions have to rise: neighbours that fall are pooled to their mean
    pools: list[tuple[float, int]] = []
    for place, value in enumerate(values):
        mean, count = value - place * gap, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (many * before + count * mean) / (many + count), many + count
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + place * gap for place, mean in enumerate(means)]


def name_ends(
    ax: Axes,
    x: float,
    ends: Sequence[tuple[float, str, str]],
    gap: float,
    highest: float = np.inf,
    lowest: float | None = None,
    leaders_from: float | None = None,
    **text: Any,
) -> None:
    """The name of each curve beside its end, in its colour, and none over another.

    Args:
        x: where the names begin.
        ends: (height of its end, name, colour) of each curve.
        gap: between two names at the least.
        highest: names that stand beyond it are lowered to it, and those below them as far as they
            must to keep the gap.
        lowest: the same at the other end; by default half a gap below the lowest curve.
        leaders_from: where the curves end, if a thin line from there to each name shall say whose
            it is.
        text: settings of ``ax.text``.
    """
    ranked = sorted(ends)
    heights = spread([height for height, _, _ in ranked], gap)
    bottom = ranked[0][0] - gap / 2 if lowest is None else lowest
    for place, height in enumerate(heights):
        above = len(heights) - 1 - place
        heights[place] = min(max(height, bottom + place * gap), highest - above * gap)
    begin = ax.transData
    if leaders_from is not None:
        begin += ScaledTranslation(_PAST_LEADER / 72, 0, ax.figure.dpi_scale_trans)
    look: dict[str, Any] = {"va": "center", "fontweight": "bold", "gid": CURVE_NAME}
    look |= {"transform": begin, **text}
    for (end, name, colour), y in zip(ranked, heights, strict=True):
        if leaders_from is not None:
            ax.plot((leaders_from, x), (end, y), color=colour, linewidth=0.8, alpha=0.6)
        ax.text(x, y, name, color=text_colour(colour), **look)


def key(ax: Axes, entries: Iterable[KeyEntry], columns: int | None = None) -> None:
    """What the marks of a panel mean, above it.

    Args:
        columns: how many stand in a row (default: all).
    """
    ax.legend(
        **_key_look([*entries], columns),
        loc="lower left",
        bbox_to_anchor=(0.01, 1.0),
        bbox_transform=blended_transform_factory(ax.figure.transFigure, ax.transAxes),
        borderaxespad=0.2,
        handletextpad=0.1,
    )


def key_above(figure: Figure, entries: Iterable[KeyEntry], columns: int | None = None) -> None:
    """What the lines of all panels mean, above them; it takes no room between the panels.

    Args:
        columns: how many stand in a row (default: all).
    """
    figure.legend(**_key_look([*entries], columns), loc="outside upper left", handlelength=1.6)


def _key_look(entries: Sequence[KeyEntry], columns: int | None) -> dict[str, Any]:
    handles = [
        Line2D([], [], color=colour, label=name, markersize=8, **_mark(mark))
        for name, mark, colour in entries
    ]
    return {
        "handles": handles,
        "ncols": columns or len(handles),
        "labelcolor": [text_colour(colour) for _, _, colour in entries],
        "prop": {"weight": "bold", "size": 10},
        "columnspacing": 1.2,
    }


def _mark(mark: str) -> dict[str, Any]:
    """A line of that style, or a marker without one."""
    return {"linestyle": mark} if mark in _LINES else {"linestyle": "none", "marker": mark}


def key_entries(legend: Legend) -> list[KeyEntry]:
    """What :func:`key` or :func:`key_above` was given."""
    marks = [handle for handle in legend.legend_handles if isinstance(handle, Line2D)]
    return [
        (
            str(h.get_label()),
            str(h.get_linestyle() if h.get_linestyle() in _LINES else h.get_marker()),
            to_hex(h.get_color()),
        )
        for h in marks
    ]


def write_out(axis: Axis) -> None:
    """Numbers of an axis as people write them, 1,000 and not 1000 or 10 to the third: exponents are
    too small to read on a phone.
    """
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def written_out(name: str) -> str:
    """A name with its numbers as :func:`write_out` writes them: 5,000 comparisons."""
    return re.sub(r"\d{4,}", lambda digits: f"{int(digits[0]):,}", name)


def hide_empty(axes: np.ndarray, used: int) -> None:
    """Hide the panels of a grid that nothing is drawn in, those behind the first ``used``."""
    for ax in axes.flat[used:]:
        ax.set_visible(False)

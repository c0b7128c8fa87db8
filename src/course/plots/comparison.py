"""Figures of a comparison of methods on one's own data: score by labels, and score by cost."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from course.plots.colours import DARK, INK, LEVERS, PAGE, text_colour
from course.plots.style import name_ends

_DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_MARKS = "osD^vPX*"


def label_curves(
    curve: pd.DataFrame,
    titles: Mapping[str, str],
    levers: Mapping[str, str],
    measure: str,
    dark: bool = False,
) -> Figure:
    """Score against labels, a line a method with its interval; a method without labels is level.

    Args:
        curve: columns ``method``, ``labels``, ``low``, ``high`` and that of the measure, in
            percent.
        titles, levers: of each method.
    """
    figure, ax = plt.subplots(figsize=(5.8, 4.2))
    ends, seen = [], dict.fromkeys(LEVERS, 0)
    sizes = sorted(curve["labels"].unique())
    for name, rows in curve.groupby("method", sort=False):
        lever = levers[str(name)]
        turn, number = divmod(seen[lever], len(LEVERS[lever]))
        colour = _shade(LEVERS[lever][number], dark)
        named = _shade(text_colour(LEVERS[lever][number]), dark)
        x = rows["labels"].to_numpy(float)
        ax.plot(
            x, rows[measure], linestyle=_DASHES[turn % len(_DASHES)], color=colour,
            linewidth=1.6, marker=_MARKS[seen[lever] % len(_MARKS)], markersize=4,
        )  # fmt: skip
        ax.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0)
        ends.append((float(rows[measure].iloc[-1]), titles[str(name)], named))
        seen[lever] += 1
    _name_ends(ax, sizes, ends, curve, measure)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([float(size) for size in sizes]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xlabel("labelled items")
    ax.set_ylabel(f"{measure} (%)")
    _on_page(figure, ax, dark)
    return figure


def _name_ends(ax: Axes, sizes: list, ends: list, curve: pd.DataFrame, measure: str) -> None:
    """The name of each curve beside its end, none over another."""
    low, high = float(curve["low"].min()), float(curve["high"].max())
    gap = max((high - low) * 0.055, 0.5)
    right = (
        float(sizes[-1]) * (float(sizes[-1]) / float(sizes[0])) ** 0.03
        if len(sizes) > 1
        else sizes[-1] * 1.1
    )
    name_ends(ax, right, ends, gap, highest=high, fontsize=9, clip_on=False)


def score_by_cost(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    levers: Mapping[str, str],
    measure: str,
    dark: bool = False,
) -> Figure:
    """Score against what an answer costs, a point a method with its interval.

    Args:
        table: index the method; columns ``ms a query``, ``low``, ``high`` and that of the measure.
    """
    figure, ax = plt.subplots(figsize=(5.8, 3.8))
    placed: list[tuple[float, float]] = []
    for name, row in table.sort_values(measure, ascending=False).iterrows():
        colour, x = _shade(LEVERS[levers[str(name)]][0], dark), max(float(row["ms a query"]), 1e-3)
        ax.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=1.2, alpha=0.6)
        ax.plot([x], [row[measure]], "o", color=colour, markersize=6)
        y, gap = float(row[measure]), 0.055 * float(table["high"].max() - table["low"].min())
        while any(abs(np.log10(x / a)) < 1.5 and abs(y - b) < 0.99 * gap for a, b in placed):
            y = min(b for a, b in placed if abs(np.log10(x / a)) < 1.5) - gap
        placed.append((x, y))
        ax.annotate(
            titles[str(name)], (x, y), xytext=(7, 0), textcoords="offset points", color=colour,
            va="center", fontsize=9, zorder=4,
            bbox={"facecolor": _shade(PAGE, dark), "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(right=ax.get_xlim()[1] * 12)
    ax.set_xlabel("milliseconds an answer, here")
    ax.set_ylabel(f"{measure} (%)")
    _on_page(figure, ax, dark)
    return figure


def _on_page(figure: Figure, ax: Axes, dark: bool) -> None:
    ink, page = _shade(INK, dark), _shade(PAGE, dark)
    figure.set_facecolor(page)
    ax.set_facecolor(page)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[:].set_color(ink)
    ax.tick_params(colors=ink, which="both")
    ax.xaxis.label.set_color(ink)
    ax.yaxis.label.set_color(ink)
    ax.grid(axis="y", color=ink, alpha=0.12, linewidth=0.6)
    figure.tight_layout()


def _shade(colour: str, dark: bool) -> str:
    """A colour of the book on a light or on a dark page."""
    return DARK[colour] if dark else colour

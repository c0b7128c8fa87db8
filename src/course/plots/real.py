"""Figures of real models, beside the shipped ones where both were asked alike: curves, bars, and
two ways by task.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from course.foundation.intervals import PERCENT, interval
from course.plots.colours import (
    CHANCE,
    COLOURS,
    INK,
    LINK,
    PALE,
    PROMPTED,
    colours_of,
    text_colour,
)
from course.plots.style import (
    FEWEST_RUNS,
    accuracy_panel,
    band,
    name_ends,
    no_bar,
)

#: What a curve is called -> numbers of demonstrations or labels, and accuracies (percent) at each,
#: (seeds, numbers).
Curves = Mapping[str, tuple[Sequence[int], np.ndarray]]


def curves_side_by_side(
    panels: Mapping[str, Curves], x_label: str, chance: float | None = None
) -> Figure:
    """Accuracy by the number of demonstrations or labels, from 0 on: a panel for each model, with
    the same colour for the same name.

    Args:
        panels: title -> its curves, at most four names in all.
        x_label: what the numbers are of.
        chance: what guessing gives, in percent.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.5), sharey=True, squeeze=False)
    names = dict.fromkeys(name for curves in panels.values() for name in curves)
    colours = colours_of(names)
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        ends: list[tuple[float, str, str]] = []
        for name, (numbers, runs) in curves.items():
            colour = colours[name]
            heights = band(ax, numbers, runs, colour)
            ends.append((heights[-1], name, colour))
            if not _end_together(curves):
                _name_higher_end(ax, numbers, runs, name, colour)
        every = sorted({n for numbers, _ in curves.values() for n in numbers})
        _numbered(ax, every)
        if _end_together(curves):
            name_ends(ax, 1.3 * every[-1], ends, 8, 104, fontsize=10)
        if chance is not None:
            # not farther than the curves, behind which names stand
            reach = ax.get_xlim()[0], every[-1]
            ax.plot(reach, [chance] * 2, linestyle=":", linewidth=1, color=CHANCE)
            place = blended_transform_factory(ax.transAxes, ax.transData)
            ax.text(0.03, chance - 2, "guessing", color=CHANCE, va="top", transform=place)
        ax.set_title(title, fontsize=11)
    axes[0, 0].set_ylim(0, 114)
    axes[0, 0].set_yticks(range(0, 101, 20))
    axes[0, 0].set_ylabel("accuracy (%)")
    figure.supxlabel(x_label, fontsize=11)
    return figure


def _end_together(curves: Curves) -> bool:
    """Whether several curves end at the same number, so that their names stand behind it."""
    return len(curves) > 1 and len({numbers[-1] for numbers, _ in curves.values()}) == 1


def _name_higher_end(
    ax: Axes, numbers: Sequence[int], runs: np.ndarray, name: str, colour: str
) -> None:
    """The name of a curve above its first point, or above its last if it rises."""
    end = -1 if runs[:, -1].mean() > runs[:, 0].mean() else 0
    ax.annotate(
        name,
        (numbers[end], runs[:, end].max()),
        (0, 8),
        textcoords="offset points",
        color=text_colour(colour),
        fontweight="bold",
        ha="right" if end else "left",
        va="bottom",
    )


def _numbered(ax: Axes, numbers: Sequence[int]) -> None:
    """A logarithmic axis that has a place for 0, and room for names on the right."""
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks(numbers, [f"{number:,}" for number in numbers])
    ax.minorticks_off()
    ax.set_xlim(right=5 * numbers[-1])


def ways_side_by_side(
    panels: Mapping[str, Mapping[str, Sequence[float] | np.ndarray]],
    ways: Mapping[str, str],
    highlighted: Sequence[str],
    chance: Mapping[str, float] | None = None,
) -> Figure:
    """Accuracy (percent) of several ways as bars with their intervals, of few seeds with a dot for
    each: a panel for each model or task, a row a way; a way that a panel lacks has no bar there.

    Args:
        panels: title -> way -> accuracy, one a seed.
        ways: way -> what it is called.
        highlighted: the ways to look at, in the strong colour.
        chance: title -> what guessing gives, in percent.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.42 * len(ways) + 1.5), sharey=True, squeeze=False
    )
    rows = dict(zip(ways, range(len(ways))[::-1], strict=True))
    for ax, (title, runs) in zip(axes[0], panels.items(), strict=True):
        for (way, called), row in zip(ways.items(), rows.values(), strict=True):
            if way in runs:
                _bar(ax, row, runs[way], _bar_colour(called, way in highlighted))
            else:
                no_bar(ax, row, "not asked")
        if chance and title in chance:
            ax.axvline(chance[title], color=CHANCE, linestyle=":", linewidth=1.2)
            ax.text(chance[title] - 1, -0.5, "guessing", ha="right", va="top", fontsize=9)
        accuracy_panel(ax, title, 122)
        ax.set_ylim(bottom=-0.95 if chance else -0.6)
    axes[0, 0].set_yticks([*rows.values()], [*ways.values()])
    return figure


def _bar_colour(called: str, highlighted: bool) -> str:
    """What has a colour in the book keeps it; of the rest the ways to look at are strong."""
    return COLOURS.get(called, PROMPTED if highlighted else PALE)


def _bar(ax: Axes, row: int, runs: Sequence[float] | np.ndarray, colour: str) -> None:
    """The mean of the seeds, which the right edge says, with its interval; with a dot for each,
    where they are few.
    """
    mean = float(np.mean(runs))
    ax.barh(row, mean, color=colour, height=0.62)
    if len(runs) >= FEWEST_RUNS:
        span = interval(runs, PERCENT)
        ax.plot([span.low, span.high], [row, row], color=INK, linewidth=1.5)
    elif len(runs) > 1:
        ax.plot(runs, [row] * len(runs), "o", color=INK, markersize=3)
    ax.text(120, row, f"{mean:.0f}", va="center", ha="right", fontsize=10)


def two_ways_by_task(panels: Mapping[str, pd.DataFrame], least: float = 0.0) -> Figure:
    """Percent right by task in two ways, joined by a line: a panel for each model, a row a task, on
    top the one with the most to gain from the first way.

    Args:
        panels: title -> a row a task, a column a way; the columns' names are the ways'.
        least: points between the ways from which on a task has a row; all others have one together,
            at the bottom, with their means.
    """
    ranked = {title: _ranked(table, least) for title, table in panels.items()}
    most = max(map(len, ranked.values()))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 1.2 + 0.24 * most), sharex=True, squeeze=False
    )
    for ax, (title, table) in zip(axes[0], ranked.items(), strict=True):
        _two_ways(ax, table)
        ax.set_ylim(len(table) - 0.3 - most - 0.4, len(table) - 0.3)  # rows as high in all panels
        ax.set_title(title, fontsize=11, pad=30)
        ax.set_xlim(-4, 104)
        ax.set_xticks((0, 50, 100))
        ax.set_xlabel("accuracy (%)")
    return figure


def _ranked(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """The tasks by what the first way gains, below them the mean of those in which it gains or
    loses less than ``least`` points.
    """
    gained = (table.iloc[:, 0] - table.iloc[:, 1]).sort_values(kind="stable")
    apart = table.loc[gained[gained.abs() >= least].index]
    level = table.drop(apart.index)
    if level.empty:
        return apart
    together = level.mean().to_frame(f"{len(level)} others, mean").T
    return pd.concat([together, apart])


def _two_ways(ax: Axes, table: pd.DataFrame) -> None:
    """A row for each of a table, from the bottom, and the names of its columns above."""
    first, second = table.columns
    colours, rows = colours_of((first, second)), range(len(table))
    ax.hlines(rows, table[first], table[second], color=LINK, linewidth=3, zorder=1)
    for name, style, size, above in ((second, "none", 8, 2), (first, "full", 5, 3)):
        look: dict[str, Any] = {"color": colours[name], "markersize": size, "fillstyle": style}
        ax.plot(table[name], rows, "o", zorder=above, **look)
    ax.set_yticks(rows, [*table.index], fontsize=9)
    for above, name, mark in ((14, first, "●"), (2, second, "○")):
        look = {"color": text_colour(colours[name]), "fontweight": "bold", "fontsize": 9}
        corner: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(f"{mark} {name}", (0, 1), (0, above), **corner, **look)

"""Figures of chains of thought: accuracy by number of steps, by number of samples, and against its
cost in tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from course.plots.colours import CEILING, COLOURS, INK, PROMPTED, colours_of, text_colour
from course.plots.style import band, name_ends

#: The one likeliest chain, to which choices among samples are compared.
_GREEDY = COLOURS["greedy"]


def accuracy_by_steps(
    panels: Mapping[str, Mapping[str, np.ndarray]], steps: Sequence[int], longest: int = 3
) -> Figure:
    """Accuracy (percent) by the number of steps that a problem takes: a panel a task, a curve a way
    to prompt.

    Args:
        panels: title -> what a curve is called, at most four -> accuracies (seeds, numbers of
            steps).
        steps: the numbers of steps.
        longest: the most steps that a chain had in pretraining; a dotted line marks where longer
            ones begin.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.5), sharey=True, squeeze=False)
    together = _end_together(panels)
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        ends = _curves(ax, steps, curves)
        if together and ax is axes[0, 0]:
            _name_apart(ax, longest, steps, curves)
        elif not together and ax is axes[0, -1]:
            name_ends(ax, steps[-1] + 0.25, ends, 8, fontsize=10)
        ax.axvline(longest + 0.5, color=INK, linestyle=":", linewidth=1)
        if ax is axes[0, 0]:
            ax.text(longest + 0.65, 66, "longer than\nany it read", color=INK, fontsize=9)
        ax.set_xticks(steps)
        ax.set_ylim(-3, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("steps needed")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def _curves(
    ax: Axes, x: Sequence[int], curves: Mapping[str, np.ndarray]
) -> list[tuple[float, str, str]]:
    """Draw curves with their intervals; returns where each ends, its name and its colour."""
    colours = colours_of(curves)
    return [(band(ax, x, r, colours[name])[-1], name, colours[name]) for name, r in curves.items()]


def _end_together(panels: Mapping[str, Mapping[str, np.ndarray]]) -> bool:
    """Whether the curves, averaged over the panels, end less than 20 points apart."""
    names = next(iter(panels.values()))
    last = [np.mean([curves[name][:, -1].mean() for curves in panels.values()]) for name in names]
    return max(last) - min(last) < 20


def by_samples(
    panels: Mapping[str, Mapping[str, np.ndarray]],
    samples: Sequence[int],
    greedy: Mapping[str, float] | None = None,
) -> Figure:
    """Accuracy (percent) by the number of samples: a panel each, a curve for each way to choose
    among them.

    Args:
        panels: title -> what a curve is called, at most four -> accuracies (seeds, numbers of
            samples).
        samples: the numbers of samples.
        greedy: title -> accuracy of the one likeliest chain, drawn as a dotted line.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.5), sharey=True, squeeze=False)
    x = range(len(samples))
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        ends = _curves(ax, x, curves)
        if greedy:
            ax.plot([x[0], x[-1]], [greedy[title]] * 2, color=_GREEDY, linestyle=":", linewidth=1.5)
            ends.append((greedy[title], "greedy", _GREEDY))
        name_ends(ax, x[-1] + 0.2, ends, 7, lowest=3, fontsize=10)
        ax.set_xticks(x, [str(n) for n in samples])
        ax.set_xlim(-0.3, len(samples) + 1.0)
        ax.set_ylim(-3, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("samples")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def cost_front(points: pd.DataFrame) -> Figure:
    """Accuracy (percent) against tokens generated a problem; a line joins the ways that no other
    beats at a lower cost.

    Args:
        points: a row a way; columns ``tokens`` and ``accuracy``.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    points = points.sort_values(["tokens", "accuracy"], ascending=[True, False])
    best = points.accuracy > points.accuracy.cummax().shift(fill_value=-1.0)
    last = points.index[best][-1]
    for (name, tokens, accuracy), on_front in zip(points.itertuples(), best, strict=True):
        colour = PROMPTED if on_front else CEILING
        ax.plot(tokens, accuracy, "o", color=colour, zorder=3)
        # the line rises from each of its points to the right: below there is room
        above = name == last
        ax.annotate(
            name,
            (tokens, accuracy),
            (0, 7) if above else (8, -5),
            textcoords="offset points",
            ha="center" if above else "left",
            va="bottom" if above else "top",
            color=colour,
            fontsize=10,
            fontweight="bold",
        )
    ax.plot(points.tokens[best], points.accuracy[best], color=PROMPTED, linewidth=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xlim(points.tokens.min() / 1.3, points.tokens.max() * 2.5)
    ax.set_ylim(-5, 110)
    ax.set_xlabel("tokens generated a problem (each mark is twice the one before)")
    ax.set_ylabel("accuracy (%)")
    return figure


def _name_apart(
    ax: Axes, longest: int, steps: Sequence[int], curves: Mapping[str, np.ndarray]
) -> None:
    """Names of curves that end together: the first one, which stays high, right of the dotted line,
    the others below on the left, joined to their second points.
    """
    look: dict[str, Any] = {"va": "center", "fontweight": "bold", "fontsize": 10}
    colours = colours_of(curves)
    first, *others = curves
    ax.text(longest + 0.65, 97, first, color=text_colour(colours[first]), **look)
    for row, name in enumerate(others):
        leader = {"arrowstyle": "-", "color": colours[name], "linewidth": 0.8, "shrinkA": 0}
        point, place = (steps[1], curves[name].mean(0)[1]), (steps[0] - 0.15, 2 + 9 * row)
        named = {"color": text_colour(colours[name]), "arrowprops": leader, **look}
        ax.annotate(name, point, place, **named)

"""Figures of demonstrations: which part of them counts, whose labels are followed, what their order
changes, and where a model looks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory
from numpy.typing import ArrayLike

from course.foundation.intervals import PERCENT, interval
from course.plots.colours import (
    CEILING,
    CHANCE,
    COLOURS,
    GRID,
    PALE,
    PROMPTED,
    RIVAL,
)
from course.plots.style import (
    FEWEST_RUNS,
    accuracy_panel,
    mean_bar,
    name_ends,
    text_on,
)

#: What guessing gives of two labels, in percent.
_CHANCE = 50.0
#: Shades of grounds, the same on light and dark pages.
_SHADES = plt.get_cmap("Blues")


def _chance_line(ax: Axes) -> None:
    ax.axhline(_CHANCE, color=CHANCE, linestyle=":", linewidth=1)
    place = blended_transform_factory(ax.transAxes, ax.transData)
    ax.text(0.98, _CHANCE - 1, "chance", color=CHANCE, ha="right", va="top", transform=place)


def _dot_with_interval(ax: Axes, x: float, runs: Sequence[float], colour: str) -> float:
    """The mean of the seeds with its 95 % interval, of few seeds with their range; returns the
    mean.
    """
    mean, low, high = float(np.mean(runs)), float(np.min(runs)), float(np.max(runs))
    if len(runs) >= FEWEST_RUNS:
        span = interval(runs, PERCENT)
        low, high = span.low, span.high
    ax.plot([x, x], [low, high], color=colour, linewidth=11, alpha=0.3, solid_capstyle="butt")
    ax.plot(x, mean, "o", color=colour, markersize=5)
    return mean


def by_condition(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    conditions: Mapping[str, str],
    highlighted: str = "gold",
) -> Figure:
    """Accuracy (percent) under each condition: a panel a group of tasks, a row a condition.

    Args:
        panels: title -> condition -> accuracy, one a seed.
        conditions: condition -> what it is called.
        highlighted: the condition to look at, in the strong colour.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.42 * len(conditions) + 1.5), sharey=True, squeeze=False
    )
    rows = range(len(conditions))[::-1]
    for ax, (title, runs) in zip(axes[0], panels.items(), strict=True):
        for row, condition in zip(rows, conditions, strict=True):
            colour = PROMPTED if condition == highlighted else PALE
            mean_bar(ax, row, runs[condition], colour, fontsize=10)
        accuracy_panel(ax, title, 114)
    axes[0, 0].set_yticks(rows, list(conditions.values()))
    return figure


def points_lost(
    lost: Mapping[str, Mapping[str, Sequence[float]]], conditions: Mapping[str, str]
) -> Figure:
    """Points of accuracy that each condition costs, by task: a panel a condition, a row a task, the
    mean with its 95 % interval.

    Args:
        lost: condition -> task -> points, one a seed.
        conditions: condition -> what it is called.
    """
    tasks = [*next(iter(lost.values()))]
    size = (7.4, 0.26 * len(tasks) + 1.1)
    figure, axes = plt.subplots(1, len(lost), figsize=size, sharex=True, sharey=True, squeeze=False)
    rows = range(len(tasks))[::-1]
    for ax, (condition, points) in zip(axes[0], lost.items(), strict=True):
        ax.axvline(0, color=CHANCE, linestyle=":", linewidth=1)
        for row, task in zip(rows, tasks, strict=True):
            span = interval(points[task], (-100.0, 100.0))
            ax.plot([span.low, span.high], [row, row], color=PROMPTED, linewidth=4, alpha=0.35)
            ax.plot(span.mean, row, "o", color=PROMPTED, markersize=5)
        ax.set_title(conditions[condition], fontsize=11)
        ax.set_xlim(-20, 104)
        ax.set_xticks((0, 50, 100))
        ax.set_xlabel("points lost")
    axes[0, 0].set_yticks(rows, [task.replace("_", " ") for task in tasks])
    return figure


def right_and_flipped(
    panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
    axes_titles: Mapping[str, str],
    best: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Accuracy (percent) after demonstrations with right labels and with flipped ones: a panel for
    each row of models.

    Args:
        panels: title -> what a model is called -> ``"gold"`` or ``"flipped"`` -> accuracy, one a
            seed.
        axes_titles: title -> by what the models of that panel differ.
        best: title -> the accuracy of the best possible reader after flipped labels, one a model; a
            dashed line.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.4), sharey=True, squeeze=False)
    for ax, (title, models) in zip(axes[0], panels.items(), strict=True):
        ax.plot([0, len(models) - 1], [_CHANCE] * 2, color=CHANCE, linestyle=":", linewidth=1)
        ends = [(_CHANCE, "chance", CHANCE)]
        for condition, name in (("gold", "right"), ("flipped", "flipped")):
            colour = COLOURS[name]
            runs = [by_condition[condition] for by_condition in models.values()]
            means = [_dot_with_interval(ax, x, seeds, colour) for x, seeds in enumerate(runs)]
            ax.plot(range(len(models)), means, color=colour)
            ends.append((means[-1], name, colour))
        if best and title in best:
            ax.plot(range(len(models)), best[title], color=CEILING, linestyle="--", linewidth=2)
            ends.append((best[title][-1], "best possible", CEILING))
        name_ends(ax, len(models) - 0.8, ends, 9, lowest=3, fontsize=10)
        ax.set_xticks(range(len(models)), list(models))
        ax.set_xlim(-0.3, 1.5 * len(models) - 0.9)  # the rest is for names
        ax.set_ylim(0, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel(axes_titles[title])
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def orders_and_calibration(
    panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], kinds: Mapping[str, str]
) -> Figure:
    """Mean and worst accuracy (percent) over the orders of the same demonstrations, by layout and
    kind of calibration.

    Args:
        panels: title of a layout -> kind -> ``"mean"`` and ``"worst"`` -> accuracy, one a seed and
            model.
        kinds: kind of calibration -> what it is called.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.2), sharey=True, squeeze=False)
    for ax, (title, runs) in zip(axes[0], panels.items(), strict=True):
        for x, kind in enumerate(kinds):
            mean, worst = (np.mean(runs[kind][measure]) for measure in ("mean", "worst"))
            ax.plot([x, x], [worst, mean], color=PROMPTED, linewidth=2)
            ax.plot(x, mean, "o", color=PROMPTED)
            _dot_with_interval(ax, x, runs[kind]["worst"], RIVAL)
        _chance_line(ax)
        ax.set_xticks(range(len(kinds)), list(kinds.values()), fontsize=9)
        ax.set_xlim(-0.4, len(kinds) - 0.4)
        ax.set_title(title, fontsize=11)
    _name_mean_and_worst(axes[0, 0], [*next(iter(panels.values())).values()][:2])
    axes[0, 0].set_ylim(30, 104)
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def _name_mean_and_worst(ax: Axes, runs: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """Name both dots of a panel, above and below the first kinds, over which the names reach."""
    top = max(float(np.mean(r["mean"])) for r in runs)
    bottom = min(float(np.mean(r["worst"])) for r in runs)
    look: dict[str, Any] = {"fontweight": "bold"}
    ax.text(-0.2, top + 4, "mean over orders", color=PROMPTED, va="bottom", **look)
    ax.text(-0.2, bottom - 4, "worst order", color=RIVAL, va="top", **look)


def where_it_looks(
    tokens: Sequence[str], weights: Sequence[float], layer: int, head: int, per_line: int = 9
) -> Figure:
    """The tokens of a prompt, each on a ground as dark as the weight with which one head looks at
    it from the last position.

    Args:
        tokens: of the prompt.
        weights: attention from the last position to each of them, between 0 and 1.
        layer, head: whose weights these are, counted from 0.
        per_line: tokens in a line of the figure.
    """
    lines = -(-len(weights) // per_line)
    figure, ax = plt.subplots(figsize=(7.4, 0.5 * lines + 0.7))
    for i, (token, weight) in enumerate(zip(tokens, weights, strict=True)):
        column, line = i % per_line, i // per_line
        ground = _SHADES(float(weight))
        corner = (column, -line - 0.4)
        ax.add_patch(
            plt.Rectangle(corner, 0.96, 0.8, facecolor=ground, edgecolor=GRID, linewidth=0.5)
        )
        last = i == len(weights) - 1
        ax.text(
            column + 0.48,
            -line,
            "⏎" if token == "\n" else token,
            ha="center",
            va="center",
            fontsize=9,
            clip_on=True,
            color=text_on(ground),
            fontweight="bold" if last else "normal",
        )
    ax.set_xlim(0, per_line)
    ax.set_ylim(-lines + 0.4, 0.6)
    ax.axis("off")
    ax.set_title(
        f"where layer {layer + 1}, head {head + 1} looks from the last token (bold)", fontsize=11
    )
    return figure


def head_scores(scores: Mapping[str, ArrayLike]) -> Figure:
    """Scores of all heads (layers, heads) between 0 and 1 as shaded cells, a panel for each kind of
    score.
    """
    tables = {title: np.asarray(table) for title, table in scores.items()}
    layers = len(next(iter(tables.values())))
    size = (7.4, 0.36 * layers + 1.3)
    figure, axes = plt.subplots(1, len(scores), figsize=size, sharey=True, squeeze=False)
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        ax.imshow(table, cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
        if table.size <= 100:  # a large model has too many heads for figures
            for i, j in np.ndindex(*table.shape):
                ax.text(
                    j,
                    i,
                    f"{table[i, j]:.2f}",
                    ha="center",
                    va="center",
                    color=text_on(_SHADES(table[i, j])),
                    fontsize=10,
                )
            ax.set_xticks(range(table.shape[1]), range(1, table.shape[1] + 1))
            ax.set_yticks(range(layers), range(1, layers + 1))
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("head")
        ax.tick_params(length=0)
    axes[0, 0].set_ylabel("layer")
    return figure

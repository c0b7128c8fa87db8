"""Figures of fine-tuning and adapters: where each method acts, what it reaches, and what it costs
to keep.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course.plots.colours import (
    CEILING,
    COLOURS,
    DARK_GREY,
    FRAME,
    FROZEN,
    ON_COLOUR,
    OPENED,
    PROMPTED,
    QUIET,
    RULE,
    colours_of,
)
from course.plots.point_names import name_points
from course.plots.style import band, hide_empty, name_ends, write_out

#: The parts of one transformer layer and the head, from the input up: name, x, y, width.
_PARTS = {
    "norm 1": (0.0, 0.9, 2.0),
    "Q": (-0.7, 2.0, 0.6),
    "K": (0.0, 2.0, 0.6),
    "V": (0.7, 2.0, 0.6),
    "attention": (0.0, 3.1, 2.0),
    "O": (0.0, 4.2, 2.0),
    "norm 2": (0.0, 5.6, 2.0),
    "W1": (0.0, 6.7, 2.0),
    "W2": (0.0, 7.8, 2.0),
    "head": (0.0, 9.4, 1.2),
}
_LINEAR = ("Q", "K", "V", "O", "W1", "W2")
_NORMS = ("norm 1", "norm 2")
#: Method -> parts that are trained themselves, and parts that get something new beside them: part
#: -> what. What all of Q, K and V get stands beside V, the last of the three.
_TRAINED = {"full": (*_LINEAR, *_NORMS), "adapter_bias": _NORMS, "bottleneck": _NORMS}
_ADDED = {
    "bitfit": dict.fromkeys(("V", "O", "W1", "W2", *_NORMS), "+b"),
    "adapter_bias": {"W2": "+αv"},
    "ia3": {"V": "K, V ×l", "W2": "×l"},
    "prefix": {"V": "K, V +P"},
    "lora": dict.fromkeys(("V", "O", "W1", "W2"), "+BA"),
    "bottleneck": {"O": "adapter", "W2": "adapter"},
}


def where_it_acts(methods: Mapping[str, str]) -> Figure:
    """One transformer layer a method: frozen parts grey, trained ones in colour, new ones as a mark
    beside the part.

    Args:
        methods: name of a method (a key of ``course.adapters.METHODS``) -> its title.
    """
    rows = -(-len(methods) // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(7.4, 3.3 * rows), squeeze=False)
    for ax, (method, title) in zip(axes.flat, methods.items(), strict=False):
        _layer(ax, method)
        left, right = ax.get_xlim()
        ax.set_title(title, fontsize=10, loc="center", x=-left / (right - left))  # over the stack
    hide_empty(axes, len(methods))
    return figure


def _layer(ax: Axes, method: str) -> None:
    added = _ADDED.get(method, {})
    ax.plot([0, 0], [0.2, 10.2], color=RULE, linewidth=1, zorder=0)
    for name, (x, y, width) in _PARTS.items():
        trained = name == "head" or name in _TRAINED.get(method, ())
        ax.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - 0.35),
                width,
                0.7,
                boxstyle="round,pad=0.02,rounding_size=0.12",
                facecolor=OPENED if trained else FROZEN,
                edgecolor=FRAME,
                linewidth=0.6,
            )
        )
        label = {"W1": "W₁", "W2": "W₂"}.get(name, name)
        ax.text(
            x,
            y,
            label,
            ha="center",
            va="center",
            fontsize=8,
            color=ON_COLOUR if trained else DARK_GREY,
        )
        if name in added:
            ax.text(1.12, y, added[name], va="center", fontsize=8, color=OPENED, fontweight="bold")
    ax.set_xlim(-1.1, 2.1)
    ax.set_ylim(0.1, 10.3)
    ax.set_axis_off()


#: Points of a score that a panel spans at the least: closer limits make noise look like a gap.
_LEAST_SPAN = 20.0


def pareto(panels: Mapping[str, Mapping[str, tuple[float, np.ndarray]]]) -> Figure:
    """Score (percent) against kilobytes stored for one task, a dot for the mean and a thin mark a
    seed, with the front: what no other method beats in both on the mean.

    Args:
        panels: title, with the measure of its score -> name of a method -> (kilobytes, scores, one
            a seed).
    """
    figure, axes = plt.subplots(len(panels), 1, figsize=(7.4, 3.4 * len(panels)), squeeze=False)
    drawn = {}
    for ax, (title, methods) in zip(axes[:, 0], panels.items(), strict=True):
        points = {name: (size, float(np.mean(runs))) for name, (size, runs) in methods.items()}
        front = sorted(
            (m for m in points if not _beaten(points[m], points.values())), key=points.__getitem__
        )
        line = [points[method] for method in front]
        ax.plot(*zip(*line, strict=True), color=OPENED, alpha=0.35, linewidth=6, zorder=0)
        seeds = [(size, float(run)) for size, runs in methods.values() for run in runs]
        for method, (size, runs) in methods.items():
            colour = OPENED if method in front else CEILING
            ax.plot([size] * len(runs), runs, "_", color=colour, markersize=7, markeredgewidth=0.8)
            ax.plot(*points[method], "o", color=colour, markersize=8)
        _set_limits(ax, np.array(seeds))
        ax.set_ylabel("%")
        ax.set_title(title, fontsize=11)
        drawn[ax] = (points, seeds, line)
    ax.set_xlabel("kilobytes stored for one more task")
    figure.draw_without_rendering()  # names stand beside points where these come to lie
    for ax, (points, seeds, line) in drawn.items():
        name_points(ax, points, seeds, line)
    return figure


def _set_limits(ax: Axes, marks: np.ndarray) -> None:
    """A logarithmic axis of sizes with room for names, and one of scores that spans enough."""
    small, large = marks[:, 0].min(), marks[:, 0].max()
    room = max(large / small, 10.0) ** 0.2
    ax.set_xscale("log")
    ax.set_xlim(small / room**2.2, large * room)  # many are small, and named on the left
    write_out(ax.xaxis)
    low, high = marks[:, 1].min(), marks[:, 1].max()
    half = 0.58 * max(high - low, _LEAST_SPAN)
    ax.set_ylim((low + high) / 2 - half, (low + high) / 2 + half)


def _beaten(point: tuple[float, float], others: Iterable[tuple[float, float]]) -> bool:
    """Whether another point is smaller and not worse, or better and not larger."""
    size, score = point
    return any(
        other < size and value >= score or other <= size and value > score
        for other, value in others
    )


def hundred_tasks(table: pd.DataFrame) -> Figure:
    """Megabytes on disk and milliseconds to switch by the number of tasks: a whole model a task
    against one model and adapters.

    Args:
        table: rows with ``seed``, ``way`` (``"models"`` or ``"adapters"``), ``tasks``, ``measure``
            (``"megabytes"`` or ``"switch_ms"``) and ``value``.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.6))
    for ax, column, title in (
        (left, "megabytes", "on disk (MB)"),
        (right, "switch_ms", "to switch tasks (ms)"),
    ):
        ends = []
        for way, label in (("models", "whole models"), ("adapters", "adapters")):
            colour = COLOURS[label]
            runs = table[(table["way"] == way) & (table["measure"] == column)].pivot(
                index="seed", columns="tasks", values="value"
            )
            ticks = list(runs.columns)
            means = band(ax, ticks, runs.to_numpy(), colour, ratio=True)
            ends.append((means[-1], label, colour))
        ax.set_xscale("log")
        ax.set_yscale("log")
        write_out(ax.yaxis)
        ax.set_xticks(ticks, [str(n) for n in ticks])
        ax.minorticks_off()
        _name_ends_of_logs(ax, ticks[-1], ends)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("tasks")
    return figure


def _name_ends_of_logs(ax: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """The names of curves behind their ends on logarithmic axes, on which equal distances are equal
    parts of the axes.
    """
    ax.autoscale_view()
    place = ax.transScale + ax.transLimits
    parts = [(place.transform((x, end))[1], name, colour) for end, name, colour in ends]
    name_ends(ax, 0.99, parts, 0.09, transform=ax.transAxes)


def forgetting(rows: dict[str, tuple[float, float]]) -> Figure:
    """Accuracy (percent) on a model's own task and, on average, on the others: a pair of bars a way
    of tuning.

    Args:
        rows: name -> (own task, mean of the others).
    """
    figure, ax = plt.subplots(figsize=(7.4, 0.75 * len(rows) + 0.8))
    places = np.arange(len(rows))[::-1]
    for shift, column, colour, label in (
        (0.2, 0, OPENED, "its own task"),
        (-0.2, 1, PROMPTED, "the other tasks"),
    ):
        values = [row[column] for row in rows.values()]
        ax.barh(places + shift, values, 0.36, color=colour)
        for place, value in zip(places + shift, values, strict=True):
            ax.text(
                value + 1,
                place,
                f"{value:.0f} %" + (f"  {label}" if place == places[0] + shift else ""),
                va="center",
                fontsize=10,
                color=colour,
                fontweight="bold",
            )
    ax.set_yticks(places, list(rows))
    ax.set_xlim(0, 130)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(left=False)
    return figure


def prefix_starts(
    curves: dict[str, dict[str, Sequence[float]]], baseline: float, base_name: str
) -> Figure:
    """Score (percent) by learning rate for several starts of a prefix, one line each, with the head
    alone as a dotted line.

    Args:
        curves: start -> learning rate (as text) -> one score a seed.
        baseline: the score without a prefix.
        base_name: what the baseline is.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.6))
    rates, ends = list(next(iter(curves.values()))), []
    colours = colours_of(curves)
    for name, scores in curves.items():
        colour = colours[name]
        means = band(ax, range(len(rates)), np.array([scores[rate] for rate in rates]).T, colour)
        ends.append((means[-1], name, colour))
    ax.axhline(baseline, color=QUIET, linestyle=":")
    ax.annotate(base_name, (-0.15, baseline), (0, -4), textcoords="offset points", va="top")
    name_ends(ax, len(rates) - 0.9, ends, 2)
    ax.set_xticks(range(len(rates)), rates)
    ax.set_xlim(-0.2, len(rates) + 0.7)
    ax.set_xlabel("learning rate")
    ax.set_ylabel("score (%)")
    return figure

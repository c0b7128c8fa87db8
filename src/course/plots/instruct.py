"""Figures of instruction tuning: held-out clusters, the controls, and what the effect depends on."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.foundation.intervals import interval
from course.plots.style import CEILING, OPENED, PROMPTED, band

#: The tuned model that is asked with the instruction itself.
_TUNED = "instruction"


def _seeds(values: Sequence[dict], *keys: str) -> list[float]:
    """The figure under these keys, one a seed."""
    figures: Any = values
    for key in keys:
        figures = [figure[key] for figure in figures]
    return [float(figure) for figure in figures]


def held_out_clusters(values: Sequence[dict]) -> Figure:
    """A row a cluster that was held out: the base, the model tuned on all others, and the base
    where it is asked in the corpus's order.
    """
    rows = sorted(
        values[0]["in turn"],
        key=lambda name: np.mean(_seeds(values, "in turn", name, _TUNED)),
    )
    figure, ax = plt.subplots(figsize=(7.4, 0.62 * len(rows) + 1.1))
    tuned = {name: ("in turn", name, _TUNED) for name in rows}
    for y, name in enumerate(rows):
        places = ("base", "after", name), tuned[name], ("base", "before", name)
        before, after, known = (np.mean(_seeds(values, *place)) for place in places)
        ax.plot((before, after), (y, y), color=OPENED, alpha=0.45, linewidth=3, zorder=1)
        ax.plot(_seeds(values, *tuned[name]), [y] * len(values), ".", color=OPENED, alpha=0.5)
        ax.plot(known, y, "|", color=CEILING, markersize=22, markeredgewidth=3)
        ax.plot(before, y, "o", color=PROMPTED, markersize=9)
        ax.plot(after, y, "o", color=OPENED, markersize=9)
    top = len(rows) - 1
    marks = (
        (("base", "after", rows[top]), 0.38, "base", PROMPTED),
        (tuned[rows[top]], 0.38, "tuned", OPENED),
        (("base", "before", rows[top]), -0.5, "base, instruction first", CEILING),
    )
    for place, above, text, colour in marks:
        side = "right" if colour == CEILING else "center"
        ax.text(
            float(np.mean(_seeds(values, *place))),
            top + above,
            text,
            color=colour,
            fontweight="bold",
            ha=side,
            va="center",
        )
    _percent(ax, rows)
    ax.set_ylim(-0.5, top + 0.8)
    return figure


def instruction_controls(panels: dict[str, dict[str, Sequence[float]]]) -> Figure:
    """Title of a group of clusters -> what stands in the instruction's place -> mean accuracy, a
    value a seed; the first is in colour.
    """
    labels = [*next(iter(panels.values()))][::-1]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.42 * len(labels) + 1.2), sharey=True, squeeze=False
    )
    for ax, (title, means) in zip(axes[0], panels.items(), strict=True):
        for y, label in enumerate(labels):
            span = interval(means[label])
            ax.barh(y, span.mean, color=OPENED if label == labels[-1] else "#c9a58c", height=0.62)
            ax.plot((span.low, span.high), (y, y), color="#222222", linewidth=1.5)
            ax.text(
                max(span.high, span.mean) + 2, y, f"{span.mean:.0f}", va="center", fontweight="bold"
            )
        _percent(ax, labels)
        ax.set_title(title, fontsize=11)
    return figure


#: Panel -> point on the x axis -> a value a seed, (seeds,).
Curves = dict[str, dict[str, np.ndarray]]


def instruction_curves(tuned: Curves, base: Curves) -> Figure:
    """Accuracy on held-out clusters in panels side by side: of the tuned models and, where it
    changes along the axis, of their bases.
    """
    figure, axes = plt.subplots(1, len(tuned), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for ax, (title, points) in zip(axes[0], tuned.items(), strict=True):
        for name, found, colour in (
            ("tuned", points, OPENED),
            ("base", base.get(title, {}), PROMPTED),
        ):
            if found:
                means = band(ax, range(len(found)), np.stack([*found.values()], axis=1), colour)
                if title in base:
                    ax.text(0, means[0] + 8, name, color=colour, fontweight="bold", va="center")
        ax.set_xticks(range(len(points)), [point.removeprefix("gpt-") for point in points])
        ax.set_xlim(-0.3, len(points) - 0.7)
        ax.set_ylim(0, 104)
        ax.set_title(title, fontsize=11)
    axes[0, 0].set_ylabel("accuracy, held out (%)")
    return figure


def _percent(ax: Axes, rows: Sequence[str]) -> None:
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xlim(-2, 108)
    ax.set_xticks((0, 25, 50, 75, 100))
    ax.set_xlabel("accuracy (%)")

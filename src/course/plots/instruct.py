"""Figures of instruction tuning: held-out clusters, the controls, and what the effect depends
on.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import CEILING, COLOURS, OPENED, PALE_OPENED, PROMPTED
from course.plots.style import band, key, mean_bar


def held_out_clusters(
    tuned: Mapping[str, Sequence[float]], base: Mapping[str, float], known: Mapping[str, float]
) -> Figure:
    """Accuracy (percent) on clusters of tasks that were held out, a row each, the best on top; a
    key says what the marks mean.

    Args:
        tuned: cluster -> the model tuned on all others, one value a seed.
        base: cluster -> the base model, asked alike.
        known: cluster -> the base model, asked in the form in which it does best.
    """
    rows = sorted(tuned, key=lambda name: np.mean(tuned[name]))
    figure, ax = plt.subplots(figsize=(7.4, 0.62 * len(rows) + 1.1))
    for y, name in enumerate(rows):
        after = float(np.mean(tuned[name]))
        ax.plot((base[name], after), (y, y), color=OPENED, alpha=0.45, linewidth=3, zorder=1)
        ax.plot(tuned[name], [y] * len(tuned[name]), ".", color=OPENED, alpha=0.5)
        ax.plot(known[name], y, "|", color=CEILING, markersize=22, markeredgewidth=3)
        ax.plot(base[name], y, "o", color=PROMPTED, markersize=9)
        ax.plot(after, y, "o", color=OPENED, markersize=9)
    marks = [
        ("base", "o", PROMPTED),
        ("tuned", "o", OPENED),
        ("one seed of it", ".", OPENED),
        ("base at its best", "|", CEILING),
    ]
    key(ax, marks)
    _percent(ax, rows)
    return figure


def instruction_controls(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Accuracy (percent) by what stands in the instruction's place: bars, the first in the strong
    colour, bounds in grey.

    Args:
        panels: title of a group of clusters -> what stands there -> mean accuracy, one a seed.
    """
    labels = [*next(iter(panels.values()))][::-1]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.42 * len(labels) + 1.2), sharey=True, squeeze=False
    )
    for ax, (title, means) in zip(axes[0], panels.items(), strict=True):
        for y, label in enumerate(labels):
            colour = OPENED if label == labels[-1] else COLOURS.get(label, PALE_OPENED)
            mean_bar(ax, y, means[label], colour, fontweight="bold")
        _percent(ax, labels)
        ax.set_title(title, fontsize=11)
    return figure


#: Panel -> point on the x axis -> a value a seed, (seeds,).
Curves = dict[str, dict[str, np.ndarray]]


def instruction_curves(tuned: Curves, base: Curves) -> Figure:
    """Accuracy on held-out clusters, a panel for what changes along its axis: of the tuned models
    and, where it changes, too, of their bases.
    """
    figure, axes = plt.subplots(1, len(tuned), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for ax, (title, points) in zip(axes[0], tuned.items(), strict=True):
        for name, found, colour, above in (
            ("tuned", points, OPENED, 8),
            ("base", base.get(title, {}), PROMPTED, -8),
        ):
            if found:
                means = band(ax, range(len(found)), np.stack([*found.values()], axis=1), colour)
                end, style = len(found) - 1, {"ha": "right", "va": "center"}
                ax.text(end, means[-1] + above, name, color=colour, fontweight="bold", **style)
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

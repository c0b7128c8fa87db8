"""Figures of soft prompts: against the other ways to use the same labels, by their length, and by
the size of the model.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course.plots.colours import colours_of, text_colour
from course.plots.style import accuracy_panel, band, mean_bar, name_ends, no_bar


def same_labels(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Accuracy (percent) by way to use the same labels: a panel a group of tasks, a bar a way.

    Args:
        panels: title -> way -> accuracy, one a seed; all panels have the ways of the first one, or
            fewer, and say which are not there.
    """
    ways = [*next(iter(panels.values()))][::-1]
    colours = colours_of(ways)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.4 * len(ways) + 1.3), sharey=True, squeeze=False
    )
    for ax, (title, runs) in zip(axes[0], panels.items(), strict=True):
        for row, way in enumerate(ways):
            if way in runs:
                mean_bar(ax, row, runs[way], colours[way], fontsize=10)
            else:
                no_bar(ax, row, "none there")
        accuracy_panel(ax, title, 116)
    axes[0, 0].set_yticks(range(len(ways)), ways)
    for label, way in zip(axes[0, 0].get_yticklabels(), ways, strict=True):
        label.set_color(text_colour(colours[way]))
    return figure


def accuracy_along(curves: Mapping[str, np.ndarray], ticks: Sequence[str], label: str) -> Figure:
    """Accuracy (percent) along an axis of some points, a curve each, named at its end.

    Args:
        curves: name -> accuracies (seeds, points).
        ticks: the points, as text.
        label: of the axis.

    Raises:
        ValueError: for more names without a colour of their own than there are colours.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.4))
    x, colours = range(len(ticks)), colours_of(curves)
    ends = [
        (band(ax, x, runs, colours[name])[-1], name, colours[name]) for name, runs in curves.items()
    ]
    name_ends(ax, len(ticks) - 0.85, ends, 7, highest=103, lowest=4)
    ax.set_xticks(x, ticks)
    ax.set_xlim(-0.2, len(ticks) - 0.8 + 0.3 * len(ticks))
    ax.set_ylim(-3, 108)
    ax.set_yticks((0, 50, 100))
    ax.set_xlabel(label)
    ax.set_ylabel("accuracy (%)")
    return figure

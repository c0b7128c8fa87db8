"""Figures of soft prompts: against the other ways to use the same labels, by their length, and by
the size of the model.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course.plots.style import OPENED, PROMPTED, accuracy_panel, band, mean_bar, name_ends

#: Lines of the curves of one colour, in their order.
_LINES = ("-", "--", ":")


def same_labels(
    panels: Mapping[str, Mapping[str, Sequence[float]]], learned: Sequence[str]
) -> Figure:
    """Accuracy (percent) by way to use the same labels: a panel a group of tasks, a bar a way, in
    another colour if it needs gradients.

    Args:
        panels: title -> way -> accuracy, one a seed; all panels have the ways of the first one, or
            fewer.
        learned: ways that need the gradients of the model.
    """
    ways = [*next(iter(panels.values()))][::-1]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.4, 0.4 * len(ways) + 1.3), sharey=True, squeeze=False
    )
    for ax, (title, found) in zip(axes[0], panels.items(), strict=True):
        for row, way in enumerate(ways):
            if way not in found:
                continue
            mean_bar(ax, row, found[way], OPENED if way in learned else PROMPTED, fontsize=10)
        accuracy_panel(ax, title, 116)
    axes[0, 0].set_yticks(range(len(ways)), ways)
    for label, way in zip(axes[0, 0].get_yticklabels(), ways, strict=True):
        label.set_color(OPENED if way in learned else PROMPTED)
    return figure


def accuracy_along(
    curves: Mapping[str, np.ndarray], ticks: Sequence[str], label: str, words: Sequence[str] = ()
) -> Figure:
    """Accuracy (percent) along an axis of some points, a curve each, named at its end.

    Args:
        curves: name -> accuracies (seeds, points); of those that need gradients at most three.
        ticks: the points, as text.
        label: of the axis.
        words: names of curves that need no gradients.

    Raises:
        ValueError: for more curves than there are kinds of lines.
    """
    if len(learned := [name for name in curves if name not in words]) > len(_LINES):
        raise ValueError(
            f"{len(learned)} curves that need gradients: expected at most {len(_LINES)}; draw "
            f"fewer of {', '.join(learned)}"
        )
    figure, ax = plt.subplots(figsize=(7.4, 3.4))
    x, ends, lines = range(len(ticks)), [], iter(_LINES)
    for name, runs in curves.items():
        colour, line = (PROMPTED, "-") if name in words else (OPENED, next(lines))
        ends.append((band(ax, x, runs, colour, line)[-1], name, colour))
    name_ends(ax, len(ticks) - 0.85, ends, 7, highest=103)
    ax.set_xticks(x, ticks)
    ax.set_xlim(-0.2, len(ticks) - 0.8 + 0.3 * len(ticks))
    ax.set_ylim(-3, 108)
    ax.set_yticks((0, 50, 100))
    ax.set_xlabel(label)
    ax.set_ylabel("accuracy (%)")
    return figure

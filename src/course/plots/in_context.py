"""Figures of accuracy by the number of demonstrations."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import BLUES, CEILING
from course.plots.style import band, cells, name_ends


def accuracy_by_shots(table: pd.DataFrame, title: str, columns: str = "") -> Figure:
    """Accuracy (percent) of one model: a row a task, a column a number of demonstrations.

    Args:
        columns: what the columns' names are numbers of.
    """
    figure, ax = plt.subplots(figsize=(6.4, 0.27 * len(table) + 1.0))
    cells(ax, table)
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in table.index])
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(columns)
    ax.set_title(title, pad=12)
    return figure


def shots_and_ceiling(
    panels: Mapping[str, Mapping[str, np.ndarray]],
    best: Mapping[str, np.ndarray],
    shots: Sequence[int],
    recognition: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Accuracy (percent) by number of demonstrations, up to three models under the best possible.

    Args:
        panels: title -> what a model is called -> accuracy, (seeds, shots).
        best: title -> the best possible accuracy, (seeds, shots).
        shots: the numbers of demonstrations.
        recognition: title -> what a reader reaches who recognises and does not learn, (seeds,
            shots); a dotted line.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.6), sharey=True, squeeze=False)
    x = range(len(shots))
    shades = BLUES[::-1]
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        _best_possible(ax, best[title].mean(0))
        if recognition and title in recognition:
            level = recognition[title].mean(0)
            # over the bands and curves, with which it often goes
            ax.plot(x, level, color=CEILING, linestyle=":", linewidth=2, zorder=4)
            ax.text(-0.1, 4, "dotted: recognition alone", color=CEILING, fontsize=9)
        ends = []
        for (label, runs), shade in zip(curves.items(), shades[-len(curves) :], strict=True):
            ends.append((band(ax, x, runs, shade)[-1], label, shade))
        beside = {"highest": 100.0, "leaders_from": len(shots) - 0.9}
        name_ends(ax, len(shots) - 0.6, ends, 7, fontsize=10, **beside)
        ax.set_xticks(x, [str(k) for k in shots])
        ax.set_xlim(-0.2, len(shots) + 0.7)
        ax.set_ylim(0, 114)
        ax.set_yticks(range(0, 101, 20))
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("demonstrations")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def _best_possible(ax: Axes, accuracies: np.ndarray) -> None:
    """The best possible accuracy by number of demonstrations. Its name stands over its end, which
    the rest of it does not reach.
    """
    last = len(accuracies) - 1
    ax.plot(range(last + 1), accuracies, color=CEILING, linewidth=3)
    look: dict[str, Any] = {"color": CEILING, "fontweight": "bold", "fontsize": 10}
    ax.text(last, accuracies[-1] + 3, "best possible", ha="right", va="bottom", **look)

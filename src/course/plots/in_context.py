"""Figures of accuracy by the number of demonstrations."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course.plots.colours import BLUES, CEILING
from course.plots.style import band, cells, name_ends


def accuracy_by_shots(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of one model: a row a task, a column a number of demonstrations."""
    figure, ax = plt.subplots(figsize=(6.4, 0.27 * len(table) + 1.0))
    cells(ax, table)
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in table.index])
    ax.set_xticks(range(table.shape[1]), table.columns)
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
        ax.plot(x, best[title].mean(0), color=CEILING, linewidth=3)
        ax.text(-0.1, 97, "best possible", color=CEILING, fontweight="bold")
        if recognition and title in recognition:
            ax.plot(x, recognition[title].mean(0), color=CEILING, linestyle=":", linewidth=2)
            ax.text(-0.1, 90, "dotted: recognition alone", color=CEILING, fontsize=9)
        ends = []
        for (label, runs), shade in zip(curves.items(), shades[-len(curves) :], strict=True):
            ends.append((band(ax, x, runs, shade)[-1], label, shade))
        name_ends(ax, len(shots) - 0.85, ends, 7, fontsize=10)
        ax.set_xticks(x, [str(k) for k in shots])
        ax.set_xlim(-0.2, len(shots) + 0.5)
        ax.set_ylim(0, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("demonstrations")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure

"""Figures of accuracy by the number of demonstrations."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course.plots.style import CEILING, PROMPTED, band, cells, name_ends


def accuracy_by_shots(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of one model: a row a task, a column a number of demonstrations."""
    figure, ax = plt.subplots(figsize=(6.4, 0.27 * len(table) + 1.0))
    cells(ax, table)
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in table.index])
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.set_title(title, pad=12)
    return figure


def shots_and_ceiling(
    values: Sequence[dict], names: dict[str, str], tasks: dict[str, str], shots: Sequence[int]
) -> Figure:
    """Accuracy by number of demonstrations for the ladder of models, under the exact posterior's
    ceiling.
    """
    figure, axes = plt.subplots(1, len(tasks), figsize=(7.4, 3.6), sharey=True, squeeze=False)
    x = range(len(shots))
    shades = ("#9ecae1", "#4a98c9", PROMPTED)
    for ax, (task, title) in zip(axes[0], tasks.items(), strict=True):
        first = next(iter(names))
        best = np.array(
            [[100 * v[first]["in_context"][task][str(k)]["ceiling"] for k in shots] for v in values]
        )
        ax.plot(x, best.mean(0), color=CEILING, linewidth=3)
        ax.text(-0.1, 97, "best possible", color=CEILING, fontweight="bold")
        ends = []
        for (name, label), shade in zip(names.items(), shades[-len(names) :], strict=True):
            runs = np.array(
                [
                    [100 * v[name]["in_context"][task][str(k)]["model"] for k in shots]
                    for v in values
                ]
            )
            ends.append((band(ax, x, runs, shade)[-1], label, shade))
        name_ends(ax, len(shots) - 0.85, ends, 7, fontsize=10)
        ax.set_xticks(x, [str(k) for k in shots])
        ax.set_xlim(-0.2, len(shots) + 0.5)
        ax.set_ylim(0, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("demonstrations")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure

"""Figures of specialists beside a generalist."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course.plots.style import OPENED, PROMPTED, band, cells


def heat_map(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of every model on every task; a frame marks each specialist's own task."""
    figure, ax = plt.subplots(figsize=(6.4, 0.45 * len(table) + 1.2))
    cells(ax, table)
    for i, row in enumerate(table.index):
        if row in table.columns:
            j = list(table.columns).index(row)
            ax.add_patch(
                plt.Rectangle(
                    (j - 0.46, i - 0.46), 0.92, 0.92, fill=False, edgecolor="#222222", linewidth=2
                )
            )
    names = [row if i == 0 else f"tuned for {row}" for i, row in enumerate(table.index)]
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in names])
    ax.set_xticks(range(table.shape[1]), [c.replace("_", " ") for c in table.columns], rotation=20)
    ax.set_title(title, pad=12)
    return figure


def cost_of_a_new_task(values: Sequence[dict], tasks: Sequence[str]) -> Figure:
    """Accuracy on one task: a specialist by its number of labels, the generalist by its number of
    demonstrations.
    """
    figure, axes = plt.subplots(
        2, -(-len(tasks) // 2), figsize=(7.4, 5.0), sharex=True, sharey=True
    )
    for i, (ax, task) in enumerate(zip(axes.flat, tasks, strict=False)):
        labels = list(values[0]["by_labels"][task])
        shots = list(values[0]["by_shots"][task])
        tuned = np.array([[v["by_labels"][task][n] for n in labels] for v in values])
        shown = np.array([[v["by_shots"][task][k] for k in shots] for v in values])
        band(ax, [int(n) for n in labels], tuned, OPENED)
        band(ax, [int(k) for k in shots], shown, PROMPTED)
        ax.set_xscale("log")
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        ax.set_title(task.replace("_", " "), fontsize=11)
        ax.set_ylim(0, 106)
        if i == 0:
            ax.annotate("prompted", (0.8, 78), color=PROMPTED, fontweight="bold")
            ax.annotate(
                "fine-tuned", (int(labels[2]), 12), color=OPENED, fontweight="bold", ha="center"
            )
    for ax in axes.flat[len(tasks) :]:
        ax.set_visible(False)
    figure.supxlabel("labelled examples (in the prompt, or trained on)", fontsize=11)
    figure.supylabel("accuracy (%)", fontsize=11)
    return figure

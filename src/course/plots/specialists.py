"""Figures of specialists beside a generalist."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from course.plots.colours import INK, OPENED, PROMPTED
from course.plots.style import band, cells, hide_empty


def heat_map(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of every model on every task; a frame marks each specialist's own task."""
    figure, ax = plt.subplots(figsize=(6.4, 0.45 * len(table) + 1.2))
    cells(ax, table)
    for i, row in enumerate(table.index):
        if row in table.columns:
            j = list(table.columns).index(row)
            ax.add_patch(
                plt.Rectangle(
                    (j - 0.46, i - 0.46), 0.92, 0.92, fill=False, edgecolor=INK, linewidth=2
                )
            )
    names = [row if i == 0 else f"tuned for {row}" for i, row in enumerate(table.index)]
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in names])
    ax.set_xticks(range(table.shape[1]), [c.replace("_", " ") for c in table.columns], rotation=20)
    ax.set_title(title, pad=12)
    return figure


def cost_of_a_new_task(table: pd.DataFrame, tasks: Sequence[str]) -> Figure:
    """Accuracy on one task: a specialist by its number of labels, the generalist by its number of
    demonstrations.

    Args:
        table: rows with ``seed``, ``task``, ``way`` (``"fine-tuned"`` or ``"prompted"``), ``k``
            (how many labels or demonstrations) and ``value`` (percent).
        tasks: a panel each.
    """
    figure, axes = plt.subplots(
        2, -(-len(tasks) // 2), figsize=(7.4, 5.0), sharex=True, sharey=True
    )
    for i, (ax, task) in enumerate(zip(axes.flat, tasks, strict=False)):
        for way, colour in (("fine-tuned", OPENED), ("prompted", PROMPTED)):
            runs = table[(table["task"] == task) & (table["way"] == way)].pivot(
                index="seed", columns="k", values="value"
            )
            band(ax, list(runs.columns), runs.to_numpy(), colour)
        ax.set_xscale("log")
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        ax.set_title(task.replace("_", " "), fontsize=11)
        ax.set_ylim(0, 106)
        if i == 0:
            ax.annotate("prompted", (0.8, 78), color=PROMPTED, fontweight="bold")
            ax.annotate("fine-tuned", (128, 12), color=OPENED, fontweight="bold", ha="center")
    hide_empty(axes, len(tasks))
    figure.supxlabel("labelled examples (in the prompt, or trained on)", fontsize=11)
    figure.supylabel("accuracy (%)", fontsize=11)
    return figure

"""Figures of specialists beside a generalist."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import INK, OPENED, PROMPTED
from course.plots.style import band, cells


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
    columns = [column.replace("_", " ") for column in table.columns]
    # each begins over its column, and is steep enough not to touch the next on a phone
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="left", rotation_mode="anchor")
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
    figure, axes = plt.subplots(1, len(tasks), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for i, (ax, task) in enumerate(zip(axes.flat, tasks, strict=True)):
        for way, colour in (("fine-tuned", OPENED), ("prompted", PROMPTED)):
            runs = table[(table["task"] == task) & (table["way"] == way)].pivot(
                index="seed", columns="k", values="value"
            )
            means = band(ax, list(runs.columns), runs.to_numpy(), colour)
            if i == 0 and way == "prompted":
                _name(ax, way, (runs.columns[0], means[0]), -20, colour, "left")
            elif i == 0:  # a line lower: the names are as wide as the panel is on a page
                _name(ax, way, (runs.columns[-1], means[-1]), -36, colour, "right")
        ax.set_xscale("log")
        ax.set_xlim(0.7, 1500)
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        ax.minorticks_off()
        ax.set_title(task.replace("_", " "), fontsize=11)
        ax.set_ylim(0, 106)
    axes[0, 0].set_ylabel("accuracy (%)")
    figure.supxlabel("labelled examples (in the prompt, or trained on)", fontsize=11)
    return figure


def _name(
    ax: Axes, name: str, point: tuple[float, float], below: int, colour: str, side: str
) -> None:
    ax.annotate(
        name,
        point,
        (0, below),
        textcoords="offset points",
        color=colour,
        fontweight="bold",
        ha=side,
        va="top",
    )

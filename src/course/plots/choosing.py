"""Figure of chapter 8: score by number of labels for each method, a panel a task."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from course.plots.style import CEILING, OPENED, PROMPTED, hide_empty

#: Lever -> colour: what is prompted is blue, what is trained is orange, controls are grey.
_COLOURS = {"prompt": PROMPTED, "training": OPENED, "control": CEILING}
_DASHES = ("-", "--", ":", "-.")
_MARKS = "osD^"


def methods_by_labels(
    curves: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    levers: Mapping[str, str],
    cheats: Mapping[str, float] | None = None,
) -> Figure:
    """Score by the number of labels, a line a method with its interval and a panel a task; the last
    panel names the lines.

    Args:
        curves: task -> columns ``method``, ``labels``, ``score``, ``low`` and ``high`` (percent).
        titles, levers: of each method.
        cheats: task -> what a cheat reaches, in percent, drawn as a dotted line.
    """
    figure, axes = plt.subplots(
        -(-(len(curves) + 1) // 2), 2, figsize=(7.4, 6.0), sharex=True, sharey=True, squeeze=False
    )
    styles = _styles(levers)
    drawn: dict[str, Line2D] = {}
    for ax, (task, curve) in zip(axes.flat, curves.items(), strict=False):
        _panel(ax, curve, styles, drawn)
        if cheats and task in cheats:
            drawn["cheat"] = ax.axhline(cheats[task], linestyle=(0, (1, 3)), color=CEILING)
        ax.set_title(task, fontsize=11)
        ax.set_ylim(0, 103)
    legend = axes.flat[len(curves)]
    names = [titles.get(name, name) for name in drawn]
    legend.legend(drawn.values(), names, loc="center", fontsize=9, frameon=False)
    legend.axis("off")
    hide_empty(axes, len(curves) + 1)
    figure.supxlabel("labelled items", fontsize=11)
    figure.supylabel("score on new items (%)", fontsize=11)
    return figure


def _styles(levers: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Method -> how its line is drawn; methods of one lever differ in dashes and marks."""
    seen = dict.fromkeys(_COLOURS, 0)
    styles: dict[str, dict[str, Any]] = {}
    for name, lever in levers.items():
        number = seen[lever] % len(_DASHES)
        seen[lever] += 1
        styles[name] = {
            "color": _COLOURS[lever], "linestyle": _DASHES[number], "marker": _MARKS[number],
        }  # fmt: skip
    return styles


def _panel(
    ax: Axes, curve: pd.DataFrame, styles: Mapping[str, dict], drawn: dict[str, Line2D]
) -> None:
    for method, rows in curve.groupby("method", sort=False):
        style = styles[str(method)]
        x = rows["labels"].to_numpy(float)
        (drawn[str(method)],) = ax.plot(x, rows["score"], markersize=4, **style)
        ax.fill_between(x, rows["low"], rows["high"], color=style["color"], alpha=0.1, linewidth=0)
    labels = sorted(curve["labels"].unique())
    ax.set_xscale("log")
    ax.set_xticks(labels, [f"{label:,}" for label in labels])
    ax.minorticks_off()

"""Figures of learning from a reward: proxy and gold against the size of the choice or the
divergence, and what requests add.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import (
    COLOURS,
    CONTROL,
    FRAME,
    OPENED,
    ORANGES,
    RIVAL,
    colours_of,
    text_colour,
)
from course.plots.style import hide_empty, name_ends, written_out

#: Shades of reward models, from the fewest comparisons to the most, then those of what is no
#: reward model.
_SHADES = (ORANGES[2], ORANGES[1], OPENED, ORANGES[3])
_OTHERS = {name: COLOURS[name] for name in ("by gold", "gold", "at random", "places alone")}


def overoptimisation(
    proxy: Mapping[str, np.ndarray], gold: Mapping[str, np.ndarray], sizes: Sequence[int]
) -> Figure:
    """The reward that chooses, and the gold reward, of the best of n replies: a panel each, a curve
    a reward model, its seeds as thin lines.

    Args:
        proxy: reward model -> its own reward, (seeds, sizes).
        gold: the same of the gold reward, and of choices ``"by gold"`` and ``"at random"``. What
            was learned from ``"places alone"`` has a colour of its own.
        sizes: the n, (sizes,).
    """
    learned = [name for name in proxy if name not in _OTHERS]
    colours = dict(zip(learned, _SHADES[-len(learned) :], strict=True)) | _OTHERS
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.7))
    titles = ("by the reward that chooses (sd)", "gold reward")
    for ax, curves, title in zip(axes, (proxy, gold), titles, strict=True):
        ends = _by_size(ax, sizes, curves, colours, 3)
        ax.set_xlabel("replies to choose from (n)")
        ax.set_title(title, fontsize=11)
        low, high = ax.get_ylim()
        name_ends(ax, sizes[-1] * 1.25, ends, 0.075 * (high - low), fontsize=8)
    return figure


def _by_size(
    ax: Axes,
    sizes: Sequence[int],
    curves: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
    every: int,
) -> list[tuple[float, str, str]]:
    """A curve each against the size of the choice, one in ``every`` of which is labelled; the end
    of each, its name and its colour.
    """
    ends = [
        (_runs(ax, sizes, runs, colours[name]), written_out(name), colours[name])
        for name, runs in curves.items()
    ]
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes[::every], [f"{n:,}" for n in sizes[::every]])
    return ends


def _runs(ax: Axes, x: Sequence[float], runs: np.ndarray, colour: str) -> float:
    for run in runs:
        ax.plot(x, run, color=colour, linewidth=0.8, alpha=0.3)
    mean = runs.mean(0)
    ax.plot(x, mean, color=colour, linewidth=2.4)
    return float(mean[-1])


def gold_by_divergence(curves: Mapping[str, pd.DataFrame], matched: float) -> Figure:
    """The gold reward against the divergence from the model before: a curve a method, a dot a look.

    Args:
        curves: method -> columns ``kl`` and ``gold``, in the order of the run.
        matched: the divergence at which methods are compared.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.9))
    for name, curve in curves.items():
        ax.plot(curve["kl"], curve["gold"], color=COLOURS[name], marker="o", markersize=4)
    ax.axvline(matched, color=FRAME, linestyle=":", linewidth=1.2)
    low, high = ax.get_ylim()
    right = max(float(curve["kl"].iloc[-1]) for curve in curves.values())
    _name_last(ax, curves, 0.075 * (high - low), right)
    ax.set_xlim(right=1.3 * right)
    ax.set_xlabel("divergence from the model before (nats a reply)")
    ax.set_ylabel("gold reward")
    return figure


def _name_last(ax: Axes, curves: Mapping[str, pd.DataFrame], gap: float, right: float) -> None:
    """The name of each curve beside its last point; of ends that lie close they are moved apart."""
    placed: list[tuple[float, float]] = []
    for name, curve in sorted(curves.items(), key=lambda pair: pair[1]["gold"].iloc[-1]):
        x, y = (float(curve[column].iloc[-1]) for column in ("kl", "gold"))
        y = max([y, *(below + gap for other, below in placed if abs(x - other) < 0.35 * right)])
        placed.append((x, y))
        look: dict[str, Any] = {"va": "center", "fontweight": "bold", "fontsize": 10}
        ax.text(x + 0.02 * right, y, name, color=text_colour(COLOURS[name]), **look)


def gold_by_distance(
    measured: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    fitted: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
) -> Figure:
    """The gold reward against the distance from the model before, of methods that optimise the same
    reward: a panel a reward, a curve a method, its seeds as thin lines, its fit dashed.

    Args:
        measured: reward -> method -> divergences (nats) and gold rewards, (seeds, points) both. The
            distance is the square root of the divergence.
        fitted: reward -> method -> the same of its fitted curve, (points,).
    """
    figure, axes = plt.subplots(1, len(measured), figsize=(7.4, 3.7), sharey=True, squeeze=False)
    for ax, (reward, methods) in zip(axes[0], measured.items(), strict=True):
        for method, (divergence, gold) in methods.items():
            colour, distance = COLOURS[method], np.sqrt(divergence)
            ax.plot(distance.T, gold.T, color=colour, linewidth=0.8, alpha=0.3)
            mean = distance.mean(0), gold.mean(0)
            ax.plot(*mean, color=colour, linewidth=2.4)
            x, y = fitted[reward][method]
            ax.plot(np.sqrt(x), y, color=colour, linewidth=1.2, linestyle="--")
            end = mean[0][-1], mean[1][-1]
            look: dict[str, Any] = {"va": "center", "fontweight": "bold", "fontsize": 8}
            beside: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points"}
            ax.annotate(method, end, color=text_colour(colour), **beside, **look)
        ax.set_title(written_out(reward), fontsize=11)
        ax.set_xlabel("square root of the divergence (nats)")
    axes[0, 0].set_ylabel("gold reward")
    return figure


def requests(table: pd.DataFrame) -> Figure:
    """The gold reward with each request, before and after training.

    Args:
        table: a row a request, columns ``before`` and ``after``.
    """
    figure, ax = plt.subplots(figsize=(5.6, 3.4))
    colours = colours_of(table.index)
    for name, row in table.iterrows():
        ax.plot((0, 1), row[["before", "after"]], "o-", color=colours[name])
    low, high = ax.get_ylim()
    ends = [(float(row["after"]), str(name), colours[name]) for name, row in table.iterrows()]
    name_ends(ax, 1.06, ends, 0.08 * (high - low))
    ax.set_xticks((0, 1), ("before", "after"))
    ax.set_xlim(-0.15, 1.9)
    ax.set_ylabel("gold reward")
    return figure


def proxy_and_judges(
    curves: Mapping[str, Mapping[str, np.ndarray]], sizes: Sequence[int]
) -> Figure:
    """The best of n by a learned reward, as that reward sees it and as judges do that did not
    choose: two panels a row, a curve a judge, its seeds as thin lines.

    Args:
        curves: title -> whose reward of the choice, the chooser's first -> (seeds, sizes), in
            standard deviations of all replies.
        sizes: the n, (sizes,).
    """
    rows = -(-len(curves) // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(7.4, 3.0 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax, (title, judged) in zip(axes.flat, curves.items(), strict=False):
        colours = dict(zip(judged, (OPENED, RIVAL, CONTROL), strict=False))
        ends = _by_size(ax, sizes, judged, colours | _OTHERS, 1)
        ax.set_title(title, fontsize=11)
        low, high = ax.get_ylim()
        name_ends(ax, sizes[-1] * 1.2, ends, 0.09 * (high - low), fontsize=8)
    hide_empty(axes, len(curves))
    figure.supxlabel("replies to choose from (n)", fontsize=11)
    figure.supylabel("reward (sd of all replies)", fontsize=11)
    return figure

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
    QUIET,
    RIVAL,
    colours_of,
    text_colour,
)
from course.plots.style import hide_empty, name_ends, written_out

#: Shades of reward models, from the fewest comparisons to the most, then those of what is no
#: reward model.
_SHADES = (ORANGES[2], ORANGES[1], OPENED, ORANGES[3])
_OTHERS = {name: COLOURS[name] for name in ("by gold", "gold", "at random", "places alone")}
#: Where the name of a method stands beside the end of its curve, in points, on the side that the
#: other curves leave free; and where that of any other does.
_BESIDE: dict[str, tuple[tuple[float, float], dict[str, str]]] = {
    "best-of-n": ((8, 2), {"va": "bottom"}),
    "rejection sampling": ((8, 2), {"va": "top"}),
    "DPO": ((2, -10), {"va": "top"}),
    "RLOO": ((8, -4), {"va": "top"}),
    "GRPO": ((-6, 8), {"va": "bottom", "ha": "right"}),
}
_BEHIND = ((8, 0), {"va": "center"})


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
        beside = {"leaders_from": sizes[-1], "fontsize": 8}
        name_ends(ax, sizes[-1] * 1.6, ends, 0.075 * (high - low), **beside)
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
    figure, ax = plt.subplots(figsize=(6.8, 3.9))
    points: dict[str, Any] = {"textcoords": "offset points", "fontsize": 10}
    for name, curve in curves.items():
        ax.plot(curve["kl"], curve["gold"], color=COLOURS[name], marker="o", markersize=4)
        place, how = _BESIDE.get(name, _BEHIND)
        end = curve["kl"].iloc[-1], curve["gold"].iloc[-1]
        look = {"color": text_colour(COLOURS[name]), "fontweight": "bold", **how, **points}
        ax.annotate(name.replace(" ", "\n"), end, place, **look)
    ax.axvline(matched, color=FRAME, linestyle=":", linewidth=1.2)
    ax.annotate("compared here", (matched, ax.get_ylim()[0]), (5, 6), color=QUIET, **points)
    farthest = max(float(curve["kl"].max()) for curve in curves.values())
    ax.set_xlim(right=1.02 * farthest)
    ax.set_xlabel("divergence (nats a reply)")
    ax.set_ylabel("gold reward")
    return figure


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
    size = (7.4, 3.7)
    figure, axes = plt.subplots(
        1, len(measured), figsize=size, sharex=True, sharey=True, squeeze=False
    )
    for ax, (reward, methods) in zip(axes[0], measured.items(), strict=True):
        for method, (divergence, gold) in methods.items():
            colour, distance = COLOURS[method], np.sqrt(divergence)
            ax.plot(distance.T, gold.T, color=colour, linewidth=0.8, alpha=0.3)
            mean = distance.mean(0), gold.mean(0)
            ax.plot(*mean, color=colour, linewidth=2.4)
            x, y = fitted[reward][method]
            ax.plot(np.sqrt(x), y, color=colour, linewidth=1.2, linestyle="--")
        ax.set_title(written_out(reward), fontsize=11)
        ax.set_xlabel("square root of the divergence")
    axes[0, 0].set_ylabel("gold reward")
    _say_which(axes[0, 0], [*next(iter(measured.values()))])
    return figure


def _say_which(ax: Axes, methods: Sequence[str]) -> None:
    """What the curves are, in the lower left corner, which the curves of a reward that holds leave
    free.
    """
    named = [(method, text_colour(COLOURS[method]), "bold") for method in methods]
    named += [("thin: single runs", QUIET, "normal"), ("dashed: fitted forms", QUIET, "normal")]
    for line, (text, colour, weight) in enumerate(reversed(named)):
        place = (0.04, 0.04 + 0.075 * line)
        ax.text(*place, text, color=colour, weight=weight, fontsize=9, transform=ax.transAxes)


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
        beside = {"leaders_from": sizes[-1], "fontsize": 8}
        name_ends(ax, sizes[-1] * 1.3, ends, 0.09 * (high - low), **beside)
    hide_empty(axes, len(curves))
    figure.supxlabel("replies to choose from (n)", fontsize=11)
    figure.supylabel("reward (sd of all replies)", fontsize=11)
    return figure

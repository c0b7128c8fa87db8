"""Figures of prompts that a model writes: regret against calls, a race round by round, and what was
found beside what people wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from course.plots.colours import COLOURS, CONTROL, INK, LINK, PROMPTED, text_colour
from course.plots.style import band, key, write_out

_PEOPLE = "people's words"
#: Between the candidates of a round that are kept and those that are dropped, in rounds.
_GAP = 0.06
#: Numbers on the axes of calls and of regret, as far as they are in view.
_CALLS, _REGRETS = (300, 1000, 3000, 10_000), (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
#: Schedule -> the point of its curve beside which its name stands, and how far, in points.
_NAME_PLACES = {"uniform": (1, (8, 2)), "UCB": (0, (-8, -4)), "halving": (-1, (6, -4))}


def regret_by_calls(curves: Sequence[Mapping[str, tuple[list[float], list[float]]]]) -> Figure:
    """Regret (points) against model calls on a logarithmic axis: a curve a schedule, a point a
    setting.

    A band that reaches no regret ends at the lower edge. A dotted line goes from the most expensive
    setting of the uniform schedule to the left, as far as its regret reaches.

    Args:
        curves: schedule (``"uniform"``, ``"UCB"``, ``"halving"``) -> (calls, regret), one a seed.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    # a regret of zero has no place on the axis: bands that reach it end at the lower edge
    bottom = min(float(np.mean([c[n][1] for c in curves], 0).min()) for n in _NAME_PLACES) / 2
    for name in _NAME_PLACES:
        calls = np.mean([curve[name][0] for curve in curves], 0)
        regrets = np.array([curve[name][1] for curve in curves])
        means = band(ax, calls, regrets, COLOURS[name], least=bottom)
        at, beside = _NAME_PLACES[name]
        look: dict[str, Any] = {"color": text_colour(COLOURS[name]), "textcoords": "offset points"}
        side = "right" if beside[0] < 0 else "left"
        ax.annotate(name, (calls[at], means[at]), beside, ha=side, fontweight="bold", **look)
        if name == "uniform":
            ax.plot([200, calls[-1]], [means[-1]] * 2, ":", color=COLOURS[name])
            default = f"APE's default:\n{calls[-1]:,.0f} calls"
            begin = 215, means[-1]
            ax.annotate(default, begin, (0, -5), ha="left", va="top", fontsize=10, **look)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(bottom=bottom)
    for axis, marks in ((ax.xaxis, _CALLS), (ax.yaxis, _REGRETS)):
        axis.set_major_locator(FixedLocator(marks))
        axis.set_minor_locator(NullLocator())
        write_out(axis)
    ax.set_xlim(200, 16_000)
    ax.set_xlabel("model calls")
    ax.set_ylabel("regret on test items (points)")
    return figure


def race(rounds: Sequence[tuple[int, Sequence[float]]]) -> Figure:
    """The scores of the candidates in each round of a race, and the winner.

    Args:
        rounds: (number of items, share of right answers of each candidate, the best first).
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    for i, (_, shares) in enumerate(rounds):
        scores = 100 * np.array(shares)
        kept = len(rounds[i + 1][1]) if i + 1 < len(rounds) else 1
        spots = (
            i + np.linspace(-0.32, 0.32, len(scores)) if len(scores) > 1 else np.array([float(i)])
        )
        spots[kept:] += _GAP  # what is dropped may have the same score as what is kept
        ax.plot(spots[:kept], scores[:kept], "o", color=PROMPTED, markersize=4, alpha=0.7)
        ax.plot(spots[kept:], scores[kept:], "o", color=CONTROL, markersize=4, alpha=0.8)
        ax.text(i, 112, f"{len(scores)}", ha="center", fontweight="bold", color=INK)
    ax.text(-0.45, 124, "candidates left", color=INK, fontweight="bold")
    ax.text(-0.3, 103, "kept", color=PROMPTED, ha="left", va="bottom", fontsize=9)
    ax.text(0.05, -4, "dropped", color=text_colour(CONTROL), ha="left", va="top", fontsize=9)
    ax.set_xticks(range(len(rounds)), [f"{items}" for items, _ in rounds])
    ax.set_xlabel("items that each has been tried on, the same for all")
    ax.set_ylim(-12, 134)
    ax.set_yticks(range(0, 101, 25))
    ax.set_ylabel("accuracy so far (%)")
    return figure


def found_by_task(table: pd.DataFrame, least: float = 0.5) -> Figure:
    """Accuracy (percent) of the prompts found beside the best of people's and the title, for the
    tasks where they differ.

    Args:
        table: a row a task, columns ``found``, ``people's words`` and ``title``.
        least: points between the first two from which on a task is drawn.
    """
    apart = (table["found"] - table[_PEOPLE]).sort_values()
    drawn = apart[apart.abs() >= least]
    figure, ax = plt.subplots(figsize=(7.4, 1.2 + 0.3 * len(drawn)))
    for y, task in enumerate(drawn.index):
        found, hand, title = table.loc[task, ["found", _PEOPLE, "title"]]
        ax.plot([found, hand], [y, y], color=LINK, linewidth=1.5, zorder=1)
        ax.plot(title, y, "|", color=COLOURS["the corpus's title"], markersize=13, zorder=2)
        ax.plot(hand, y, "o", color=COLOURS[_PEOPLE], markersize=7, zorder=3)
        ax.plot(found, y, "o", color=COLOURS["found"], markersize=7, zorder=4)
    ax.set_yticks(range(len(drawn)), [task.replace("_", " ") for task in drawn.index])
    marks = {"found": "o", _PEOPLE: "o", "the corpus's title": "|"}
    key(ax, [(name, mark, COLOURS[name]) for name, mark in marks.items()])
    ax.set_ylim(-0.7, len(drawn) - 0.3)
    ax.set_xlim(0, 103)
    ax.set_xlabel("accuracy on test items (%)")
    return figure

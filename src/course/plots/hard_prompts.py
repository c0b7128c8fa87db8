"""Figures of the search for hard prompts: what each method finds by calls, what the gradient
guesses, and where prompts still work.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from course.plots.style import CEILING, OPENED, PROMPTED, band, name_ends

#: Methods that open the model in one hue, those that only prompt it in the other, baselines in
#: grey.
_COLOURS = {
    "AutoPrompt": OPENED,
    "PEZ": "#e8a06a",
    "RLPrompt": PROMPTED,
    "random swaps": "#5fa8d3",
    "random": "#6b6b6b",
    "exhaustive": "#a8a8a8",
}
_BASELINES = ("exhaustive", "random", "random swaps")
#: Marks of the models that prompts are given to, in their order.
_MARKS = "osD^v"
_BY_PEOPLE, _IN_KNOWN_LAYOUT = "written by people", "in a known layout"
_COLOURS |= {_BY_PEOPLE: "#222222", _IN_KNOWN_LAYOUT: CEILING}


def found_by_calls(
    curves: dict[str, np.ndarray], calls: Sequence[int], by_hand: float, known: float
) -> Figure:
    """Accuracy (percent) on test items by model calls: method -> (seeds, points); with people's
    best instruction as a line, there and where the model knows the layout.

    Args:
        known: accuracy of that instruction where the items are laid out as in the corpus.
    """
    figure, ax = plt.subplots(figsize=(7.4, 4.2))
    ends = {_BY_PEOPLE: by_hand, _IN_KNOWN_LAYOUT: known}
    for title, runs in curves.items():
        if title in _BASELINES:
            ax.plot(calls, runs.mean(0), color=_COLOURS[title], linewidth=1.8)
            ends[title] = runs.mean(0)[-1]
        else:
            ends[title] = band(ax, calls, runs, _COLOURS[title])[-1]
    for line in (_BY_PEOPLE, _IN_KNOWN_LAYOUT):
        ax.axhline(ends[line], xmax=1 / 1.5, color=_COLOURS[line], linestyle="--", linewidth=1.5)
    low, high = ax.get_ylim()
    named = [(end, title, _COLOURS[title]) for title, end in ends.items()]
    name_ends(ax, calls[-1] * 1.03, named, 0.06 * (high - low))
    ax.set_xlim(0, calls[-1] * 1.5)
    ax.set_xticks([c for c in calls if c % 500 == 0])
    ax.set_xlabel("model calls")
    ax.set_ylabel("accuracy, test items (%)")
    return figure


def guessed_and_true(guessed: np.ndarray, true: np.ndarray, proposed: Sequence[int]) -> Figure:
    """What the gradient says that a swap changes, and what it does change, (words,) each, in nats;
    those it proposes are marked.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    others = np.setdiff1d(np.arange(len(guessed)), proposed)
    ax.plot(guessed[others], true[others], ".", color=CEILING, alpha=0.6)
    ax.plot(guessed[proposed], true[proposed], "o", color=OPENED, markersize=6)
    ax.axhline(0, color="#222222", linewidth=0.8)
    low = float(true[proposed].min()) - 0.05 * float(np.ptp(true))
    ax.text(
        guessed[proposed].mean(),
        low,
        "proposed",
        color=OPENED,
        fontweight="bold",
        ha="center",
        va="top",
    )
    ax.set_ylim(bottom=min(low - 0.1 * float(np.ptp(true)), ax.get_ylim()[0]))
    ax.set_title(f"rank correlation {spearmanr(guessed, true).statistic:.1f}", fontsize=11)
    ax.set_xlabel("change of the loss by the gradient (nats)")
    ax.set_ylabel("true change (nats)")
    return figure


def best_of_many(
    runs: Sequence[Sequence[tuple[float, float, float]]], most: float, points: int = 24
) -> Figure:
    """The best prompt so far by training items: its accuracy there and on test items (percent), by
    calls, mean over the searches.

    Args:
        runs: (model calls, accuracy on training items, accuracy on test items) of each step of a
            search that found a better prompt, in their order; one list a search.
        most: model calls of the longest search.
        points: of the curve.
    """
    calls = np.geomspace(max(run[0][0] for run in runs), most, points)
    steps = np.array(
        [[[step for step in run if step[0] <= c + 0.5][-1] for c in calls] for run in runs]
    )
    _, chosen_by, held_out = steps.mean(axis=0).T
    figure, ax = plt.subplots(figsize=(7.4, 3.4))
    for label, means, colour in (
        ("items it was chosen by", chosen_by, PROMPTED),
        ("test items", held_out, "#222222"),
    ):
        ax.plot(calls, means, color=colour, drawstyle="steps-post")
        ax.text(calls[-1] * 1.1, means[-1], label, color=colour, va="center", fontweight="bold")
    ax.set_xscale("log")
    ax.set_xlim(calls[0], calls[-1] * 6)
    ax.set_xlabel("model calls")
    ax.set_ylabel("accuracy (%)")
    return figure


def elsewhere(rows: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Method -> model -> accuracy (percent, seeds): a row a method, a mark for each model that its
    prompts were given to.
    """
    figure, ax = plt.subplots(figsize=(7.4, 0.6 * len(rows) + 1.4))
    shades = ("#222222", OPENED, "#e8a06a", PROMPTED, "#5fa8d3")
    names = [*next(iter(rows.values()))]
    for y, models in enumerate(reversed(rows.values())):
        means = [float(np.mean(models[name])) for name in names]
        ax.plot((min(means), max(means)), (y, y), color="#cccccc", linewidth=3, zorder=1)
        for mean, marker, shade in zip(means, _MARKS, shades, strict=False):
            ax.plot(mean, y, marker, color=shade, markersize=9)
    ax.set_yticks(range(len(rows)), [*rows][::-1])
    ax.set_ylim(-0.6, len(rows) - 0.2)
    _key(ax, names, shades)
    ax.set_xlabel("accuracy, test items (%)")
    return figure


def _key(ax: Axes, names: Sequence[str], shades: Sequence[str]) -> None:
    """Which mark is which model, in a line above the rows and their names."""
    left = -0.3
    for k, (name, marker, shade) in enumerate(zip(names, _MARKS, shades, strict=False)):
        x = left + (1 - left) * k / len(names)
        ax.plot(x, 1.07, marker, color=shade, transform=ax.transAxes, clip_on=False, markersize=8)
        ax.text(
            x + 0.025,
            1.07,
            name,
            color=shade,
            transform=ax.transAxes,
            va="center",
            fontweight="bold",
            fontsize=10,
        )

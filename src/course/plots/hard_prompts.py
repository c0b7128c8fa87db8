"""Figures of the search for hard prompts: what each method finds by calls, what the gradient
guesses, and where prompts still work.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter
from scipy.stats import spearmanr

from course.plots.colours import (
    CEILING,
    COLOURS,
    INK,
    LINK,
    OPENED,
    PROMPTED,
    QUIET,
    colours_of,
    text_colour,
)
from course.plots.style import band, key, name_ends, write_out

_BASELINES = ("single words", "random words", "random swaps")
#: Marks of the models that prompts are given to, in their order.
_MARKS = "osD^v"
_BY_PEOPLE = "people's words"


def found_by_calls(
    curves: dict[str, np.ndarray], calls: Sequence[int], by_hand: float, known: float
) -> Figure:
    """Accuracy (percent) on test items by model calls: method -> (seeds, points); with people's
    words as a line, and a line of text for what they reach where the model knows the layout, which
    may be far above.

    Args:
        by_hand: accuracy of people's words.
        known: the same where the items are laid out as in the corpus.
    """
    figure, ax = plt.subplots(figsize=(7.4, 4.2))
    ends = {_BY_PEOPLE: by_hand}
    for title, runs in curves.items():
        if title in _BASELINES:
            ax.plot(calls, runs.mean(0), color=COLOURS[title], linewidth=1.8)
            ends[title] = runs.mean(0)[-1]
        else:
            ends[title] = band(ax, calls, runs, COLOURS[title], alpha=0.1)[-1]
    people = COLOURS[_BY_PEOPLE]
    ax.axhline(by_hand, xmax=1 / 1.5, color=people, linestyle="--", linewidth=1.5)
    elsewhere = f"\N{UPWARDS ARROW} {_BY_PEOPLE} in a known layout: {known:.0f} %"
    ax.set_title(elsewhere, color=text_colour(people), fontsize=11)
    low, high = ax.get_ylim()
    named = [(end, title, COLOURS[title]) for title, end in ends.items()]
    name_ends(ax, calls[-1] * 1.08, named, 0.06 * (high - low), leaders_from=calls[-1])
    ax.set_xlim(0, calls[-1] * 1.5)
    ax.set_xticks([c for c in calls if c % 500 == 0])
    write_out(ax.xaxis)
    ax.set_xlabel("model calls")
    ax.set_ylabel("accuracy on test items (%)")
    return figure


def guessed_and_true(guessed: np.ndarray, true: np.ndarray, proposed: Sequence[int]) -> Figure:
    """What the gradient says that a swap changes, and what it does change, (words,) each, in nats;
    those it proposes are marked.
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    others = np.setdiff1d(np.arange(len(guessed)), proposed)
    ax.plot(guessed[others], true[others], ".", color=CEILING, alpha=0.6)
    ax.plot(guessed[proposed], true[proposed], "o", color=OPENED, markersize=6)
    key(ax, (("proposed words", "o", OPENED), ("other words", ".", CEILING)))
    ax.axhline(0, color=INK, linewidth=0.8)
    _leave_out_outliers(ax, guessed, true, proposed)
    correlation = spearmanr(guessed, true).statistic
    ax.set_title(f"rank correlation {correlation:.1f}", fontsize=11, pad=26)
    ax.set_xlabel("change of the loss by the gradient (nats)")
    ax.set_ylabel("true change (nats)")
    return figure


def _leave_out_outliers(
    ax: Axes, x: np.ndarray, y: np.ndarray, shown: Sequence[int], spreads: float = 8
) -> None:
    """End the vertical axis where points lie, and say at its edge where single ones do that are
    more than so many interquartile ranges beyond the middle half.

    Args:
        shown: points that are drawn wherever they lie.
    """
    first, third = np.quantile(y, (0.25, 0.75))
    room = spreads * (third - first)
    within = (y >= first - room) & (y <= third + room)
    within[shown] = True
    low, high = y[within].min(), y[within].max()
    margin = 0.08 * (high - low)
    ax.set_ylim(low - margin, high + margin)
    for beyond in np.flatnonzero(~within):
        edge, towards = (low, -1) if y[beyond] < first else (high, 1)
        ax.annotate(
            Formatter.fix_minus(f"{y[beyond]:+.2f}"),
            (x[beyond], edge + towards * margin),
            (0, -26 * towards),
            textcoords="offset points",
            arrowprops={"arrowstyle": "->", "color": QUIET},
            color=QUIET,
            fontsize=9,
            ha="center",
            va="center",
        )


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
        ("test items", held_out, INK),
    ):
        ax.plot(calls, means, color=colour, drawstyle="steps-post")
        ax.text(calls[-1] * 1.1, means[-1], label, color=colour, va="center", fontweight="bold")
    ax.set_xscale("log")
    write_out(ax.xaxis)
    ax.set_xlim(calls[0], calls[-1] * 6)
    ax.set_xlabel("model calls")
    ax.set_ylabel("accuracy (%)")
    return figure


def elsewhere(rows: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Method -> model -> accuracy (percent, seeds): a row a method, a mark for each model that its
    prompts were given to.
    """
    figure, ax = plt.subplots(figsize=(7.4, 0.6 * len(rows) + 1.4))
    names = [*next(iter(rows.values()))]
    shades = [colours_of(names)[name] for name in names]
    for y, models in enumerate(reversed(rows.values())):
        means = [float(np.mean(models[name])) for name in names]
        ax.plot((min(means), max(means)), (y, y), color=LINK, linewidth=3, zorder=1)
        for mean, marker, shade in zip(means, _MARKS, shades, strict=False):
            ax.plot(mean, y, marker, color=shade, markersize=9)
    ax.set_yticks(range(len(rows)), [*rows][::-1])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    key(ax, zip(names, _MARKS, shades, strict=False))
    ax.set_xlabel("accuracy on test items (%)")
    return figure

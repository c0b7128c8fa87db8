"""Figures of chains of thought: accuracy by number of steps, by number of samples, and against the
tokens that it costs.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from course.plots.style import CEILING, PROMPTED, band, name_ends

#: Colour of the one likeliest chain, to which choices among samples are compared.
_GREEDY = "#555555"
#: Colour and line of the ways that a figure compares, in their order.
_LOOKS = ((PROMPTED, "-"), (CEILING, "-"), ("#4a98c9", "--"), ("#222222", "-"))


def accuracy_by_steps(
    values: Sequence[dict], tasks: Mapping[str, str], ways: Mapping[str, str], longest: int = 3
) -> Figure:
    """Accuracy (percent) by the number of steps that a problem takes: a panel a task, a curve a way
    to ask.

    Args:
        values: task -> steps (as text) -> way -> ``"accuracy"``, one a seed.
        tasks: task -> title of its panel.
        ways: way -> what it is called; at most four.
        longest: the most steps that a chain had in pretraining; a dotted line stands behind it.
    """
    figure, axes = plt.subplots(1, len(tasks), figsize=(7.4, 3.5), sharey=True, squeeze=False)
    last = max(values[0][next(iter(tasks))], key=int)
    at_the_end = [
        np.mean([value[task][last][way]["accuracy"] for value in values for task in tasks])
        for way in ways
    ]
    together = max(at_the_end) - min(at_the_end) < 20
    for ax, (task, title) in zip(axes[0], tasks.items(), strict=True):
        steps = sorted(values[0][task], key=int)
        x = [int(s) for s in steps]
        ends = []
        for (way, label), (colour, line) in zip(ways.items(), _LOOKS, strict=False):
            runs = np.array([[value[task][s][way]["accuracy"] for s in steps] for value in values])
            ends.append((band(ax, x, runs, colour, line)[-1], label, colour))
        if ax is axes[0, 0 if together else -1]:
            _name_apart(ax, longest, ends) if together else name_ends(
                ax, x[-1] + 0.25, ends, 8, fontsize=10
            )
        ax.axvline(longest + 0.5, color="#222222", linestyle=":", linewidth=1)
        ax.set_xticks(x)
        ax.set_ylim(-3, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("steps needed")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def by_samples(
    panels: Mapping[str, Mapping[str, np.ndarray]],
    samples: Sequence[int],
    greedy: Mapping[str, float] | None = None,
) -> Figure:
    """Accuracy (percent) by the number of samples: a panel each, a curve for each way to choose
    among them.

    Args:
        panels: title -> what a curve is called, at most four -> accuracies (seeds, numbers of
            samples).
        samples: the numbers of samples.
        greedy: title -> accuracy of the one likeliest chain, drawn as a dotted line.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.5), sharey=True, squeeze=False)
    x = range(len(samples))
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        ends = [(band(ax, x, runs, colour, line)[-1], name, colour)
                for (name, runs), (colour, line) in zip(curves.items(), _LOOKS, strict=False)]  # fmt: skip
        if greedy:
            ax.plot([x[0], x[-1]], [greedy[title]] * 2, color=_GREEDY, linestyle=":", linewidth=1.5)
            ends.append((greedy[title], "greedy", _GREEDY))
        name_ends(ax, x[-1] + 0.2, ends, 7, fontsize=10)
        ax.set_xticks(x, [str(n) for n in samples])
        ax.set_xlim(-0.3, len(samples) + 1.0)
        ax.set_ylim(-3, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("samples")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def cost_front(points: Mapping[str, tuple[float, float]]) -> Figure:
    """Accuracy (percent) against tokens generated a problem; a line joins the ways that no other
    beats at a lower cost.

    Args:
        points: way -> (tokens, accuracy).
    """
    figure, ax = plt.subplots(figsize=(7.4, 3.8))
    best, front = -1.0, []
    for name, (tokens, accuracy) in sorted(
        points.items(), key=lambda item: (item[1][0], -item[1][1])
    ):
        on_front = accuracy > best
        if on_front:
            best = accuracy
            front.append((tokens, accuracy))
        colour = PROMPTED if on_front else CEILING
        ax.plot(tokens, accuracy, "o", color=colour, zorder=3)
        ax.annotate(
            name,
            (tokens, accuracy),
            (6, 6 if on_front else -14),
            textcoords="offset points",
            color=colour,
            fontsize=10,
        )
    ax.plot(*zip(*front, strict=True), color=PROMPTED, linewidth=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xlim(min(t for t, _ in points.values()) / 1.3, max(t for t, _ in points.values()) * 2.5)
    ax.set_ylim(-5, 110)
    ax.set_xlabel("tokens generated a problem (each mark is twice the one before)")
    ax.set_ylabel("accuracy (%)")
    return figure


def _name_apart(ax: plt.Axes, longest: int, ends: list[tuple[float, str, str]]) -> None:
    """Names of curves that end together: the first one, which stays high, right of the dotted line,
    the others below on the left.
    """
    (_, first, colour), *others = ends
    ax.text(longest + 0.7, 97, first, color=colour, va="center", fontweight="bold", fontsize=10)
    for row, (_, label, shade) in enumerate(others):
        ax.text(0.85, 2 + 9 * row, label, color=shade, va="center", fontweight="bold", fontsize=10)

"""Figures of training: losses and scores by step or by token."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import BLUES, OPENED, text_colour
from course.plots.style import name_ends

#: Shades of the models of a panel, told apart by their order, the lightest first.
_SHADES = (BLUES[::-1], (OPENED,))


class History(Protocol):
    """What a training reports; :class:`course.training.History` is one.

    Attributes:
        losses: of every step, in nats.
        scores: (steps done, score) of every validation.
        best_step: the steps after which the score was best; None without validation.
        stopped_early: whether training ended before its last step.
    """

    losses: Sequence[float]
    scores: Sequence[tuple[int, float]]
    best_step: int | None
    stopped_early: bool


def learning_curve(history: History, score: str, title: str = "") -> Figure:
    """Loss by optimiser step, each and smoothed, and below it the validation scores with the best
    one marked.

    Args:
        score: what the scores are, with their unit, e.g. ``"accuracy (%)"``.
    """
    figure, axes = plt.subplots(
        2 if history.scores else 1,
        1,
        figsize=(6.4, 4.4 if history.scores else 2.6),
        sharex=True,
        squeeze=False,
    )
    top, steps = axes[0, 0], np.arange(1, len(history.losses) + 1)
    smooth = pd.Series(history.losses).rolling(max(1, len(steps) // 20), min_periods=1).mean()
    top.plot(steps, history.losses, color=OPENED, alpha=0.3, linewidth=1)
    top.plot(steps, smooth, color=OPENED)
    top.annotate(
        "training",
        (steps[-1], smooth.iloc[-1]),
        (4, 0),
        textcoords="offset points",
        color=OPENED,
        fontweight="bold",
        va="center",
    )
    top.set_ylim(bottom=0)
    top.set_ylabel("loss (nats)")
    top.set_title(title, fontsize=11)
    if history.scores and history.best_step is not None:
        done, values = zip(*history.scores, strict=True)
        best = dict(history.scores)[history.best_step]
        axes[1, 0].plot(done, values, color=OPENED, marker="o", markersize=4)
        axes[1, 0].plot(history.best_step, best, "o", color=OPENED, markersize=11, fillstyle="none")
        axes[1, 0].annotate(
            f"best: {best:.3g}",
            (history.best_step, best),
            (8, 8),
            textcoords="offset points",
            fontweight="bold",
        )
        if history.stopped_early:
            axes[1, 0].annotate(
                "stopped",
                (done[-1], values[-1]),
                (6, 0),
                textcoords="offset points",
                color=OPENED,
                va="center",
            )
        axes[1, 0].margins(y=0.25)
        axes[1, 0].set_ylabel(score)
    axes[-1, 0].set_xlim(0, 1.14 * len(steps))
    axes[-1, 0].set_xlabel("optimiser step")
    return figure


def training_curves(panels: Mapping[str, Mapping[str, tuple[Sequence[float], float]]]) -> Figure:
    """Loss by tokens: a panel, with an axis of its own, for each kind of label, since losses of
    different labels cannot be compared.

    Args:
        panels: what the loss is of -> name of a model -> (losses in nats at equal distances, tokens
            in all).
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.4), sharex=True, squeeze=False)
    limit = max(tokens for curves in panels.values() for _, tokens in curves.values()) / 1e6
    for ax, (label, curves), shades in zip(axes[0], panels.items(), _SHADES, strict=False):
        _losses(ax, curves, shades, limit)
        ax.set_title(label, fontsize=11)
        ax.set_xlabel("tokens (millions)")
    axes[0, 0].set_ylabel("loss (nats)")
    return figure


def _losses(
    ax: Axes,
    curves: Mapping[str, tuple[Sequence[float], float]],
    shades: Sequence[str],
    limit: float,
) -> None:
    """The losses of the models of one panel, to as many millions of tokens."""
    last: list[tuple[float, str, str]] = []
    for (name, (losses, tokens)), shade in zip(curves.items(), cycle(shades), strict=False):
        x = np.linspace(0, tokens / 1e6, len(losses))
        ax.plot(x, losses, color=shade, linewidth=1.5)
        if x[-1] < limit:  # a longer line goes on at the same height: the name stands above it
            look: dict[str, Any] = {"va": "bottom", "fontweight": "bold"}
            look["arrowprops"] = {"arrowstyle": "-", "color": shade, "linewidth": 0.8}
            look |= {"textcoords": "offset points", "fontsize": 10, "color": text_colour(shade)}
            ax.annotate(name, (x[-1], losses[-1]), (0, 16), **look)
        else:
            last.append((losses[-1], name, shade))
    # the beginning of the training, where every model still guesses, would flatten the rest
    early = np.median([losses[len(losses) // 10] for losses, _ in curves.values()])
    ax.set_ylim(0.9 * min(losses[-1] for losses, _ in curves.values()), 1.2 * early)
    ax.set_xlim(0, 1.22 * limit)
    if last:
        low, high = ax.get_ylim()
        name_ends(ax, 1.02 * limit, last, 0.08 * (high - low), fontsize=10)

"""Figures of training: losses and scores by step or by token."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course.plots.colours import BLUES, OPENED, text_colour
from course.plots.style import spread

#: Shades of curves that are told apart by their order, the lightest first.
_SHADES = (*BLUES[::-1], OPENED)


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


def training_curves(curves: dict[str, tuple[Sequence[float], float]]) -> Figure:
    """Loss (nats a label) by tokens (millions) for name -> (losses at equal distances, tokens in
    all).
    """
    figure, ax = plt.subplots(figsize=(7.2, 3.6))
    ends = []
    for (name, (losses, tokens)), shade in zip(curves.items(), cycle(_SHADES), strict=False):
        x = np.linspace(0, tokens / 1e6, len(losses))
        ax.plot(x, losses, color=shade, linewidth=1.5)
        ends.append((losses[-1], name, shade, x[-1]))
    ends.sort(key=lambda end: end[0])
    limit = max(end[3] for end in ends)
    for (_, name, shade, x), y in zip(ends, spread([e[0] for e in ends], 0.07), strict=True):
        look: dict[str, Any] = {
            "color": text_colour(shade),
            "fontsize": 10,
            "fontweight": "bold",
        }
        # the line of a longer training goes on at the same height: the name stands above it
        place = "bottom" if x < limit else "center"
        ax.text(x + 0.01 * limit, y + (0.02 if x < limit else 0), name, va=place, **look)
    ax.set_xlim(0, 1.22 * limit)
    # the beginning of the training, where every model still guesses, would flatten the rest
    ax.set_ylim(
        0.9 * ends[0][0],
        np.median([losses[len(losses) // 10] for losses, _ in curves.values()]) * 1.2,
    )
    ax.set_xlabel("tokens (millions)")
    ax.set_ylabel("loss (nats a label)")
    return figure

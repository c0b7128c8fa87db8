"""Figures of heads: which vectors each reads, what labels buy with and without pretraining, and
what goes wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course.plots.colours import CEILING, CHANCE, COLOURS, GROUND, INK, LINK, ON_COLOUR, OPENED
from course.plots.style import band, hide_empty

#: A body from scratch.
_SCRATCH = COLOURS["from scratch"]


@dataclass(frozen=True)
class _Drawn:
    """One head in the diagram: the tokens that go in, which of their vectors the head reads, and
    what it says of each of them.
    """

    title: str
    tokens: tuple[str, ...]
    read: tuple[int, ...]
    says: tuple[str, ...]


_FOUR = (
    _Drawn("one label for a text", ("[CLS]", "a", "dull", "plot", "[SEP]"), (0,), ("negative",)),
    _Drawn(
        "one label for two texts", ("[CLS]", "premise", "[SEP]", "claim", "[SEP]"), (0,), ("true",)
    ),
    _Drawn(
        "a tag for every word",
        ("[CLS]", "anna", "left", "vessa", "[SEP]"),
        (1, 2, 3),
        ("B-PER", "O", "B-LOC"),
    ),
    _Drawn(
        "where the answer stands",
        ("[CLS]", "who ?", "[SEP]", "the", "cook", "left", "[SEP]"),
        (0, 3, 4, 5),
        ("", "start", "end", ""),
    ),
)


def four_heads() -> Figure:
    """The four heads on one body: tokens go in at the bottom, the coloured vectors are read by the
    head on top.
    """
    figure, axes = plt.subplots(2, 2, figsize=(7.4, 5.4))
    for ax, drawn in zip(axes.flat, _FOUR, strict=True):
        _draw_head(ax, drawn)
    return figure


def _draw_head(ax: Axes, drawn: _Drawn) -> None:
    count = len(drawn.tokens)
    xs = (np.arange(count) + 0.5) / count
    low, high = xs[min(drawn.read)], xs[max(drawn.read)]
    beside = min(0.1, low)  # as far to the left of the vectors that are read as to the right
    _box(ax, 0, 0.30, 1, 0.20, GROUND, "body (BERT)")
    _box(ax, low - beside, 0.72, high - low + 2 * beside, 0.11, OPENED, "head")
    for i, (x, token) in enumerate(zip(xs, drawn.tokens, strict=True)):
        ax.text(x, 0.13, token, ha="center", va="center", fontsize=9 if count < 6 else 8)
        ax.annotate("", (x, 0.29), (x, 0.19), arrowprops={"arrowstyle": "-|>", "color": CEILING})
        ax.plot(x, 0.59, "o", markersize=10, color=OPENED if i in drawn.read else LINK)
        if i in drawn.read:
            ax.annotate(
                "", (x, 0.715), (x, 0.635), arrowprops={"arrowstyle": "-|>", "color": OPENED}
            )
    for i, word in zip(drawn.read, drawn.says, strict=True):
        ax.text(
            max(xs[i], 0.1),
            0.90,
            word,
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=OPENED,
        )
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(0.05, 1)
    ax.set_axis_off()
    ax.set_title(drawn.title, fontsize=11)


def _box(ax: Axes, x: float, y: float, width: float, height: float, colour: str, name: str) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.03",
            color=colour,
            linewidth=0,
        )
    )
    ax.text(
        x + width / 2,
        y + height / 2,
        name,
        ha="center",
        va="center",
        fontsize=10,
        color=ON_COLOUR if colour == OPENED else INK,
    )


def by_number_of_labels(
    table: pd.DataFrame, titles: dict[str, str], baselines: Mapping[str, tuple[str, float]]
) -> Figure:
    """Score by the number of labels, on a pretrained body and from scratch: a panel a task.

    Args:
        table: rows with ``seed``, ``model``, ``part``, ``task``, ``way``, ``labels`` and ``value``
            (percent); the part ``"score"`` is drawn, with a run for each body and seed.
        titles: task -> title of its panel.
        baselines: task -> a rule that learns nothing, and what it reaches in percent, for the tasks
            where that is worth a line.
    """
    rows = -(-len(titles) // 2)
    figure, axes = plt.subplots(
        rows,
        min(2, len(titles)),
        figsize=(7.4, 2.7 * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for i, (ax, (task, title)) in enumerate(zip(axes.flat, titles.items(), strict=False)):
        scores = table[(table["part"] == "score") & (table["task"] == task)]
        labels = sorted(scores["labels"].unique())
        for way, colour in (("scratch", _SCRATCH), ("pretrained", OPENED)):
            runs = scores[scores["way"] == way].pivot(
                index=["model", "seed"], columns="labels", values="value"
            )
            band(ax, labels, runs[labels].to_numpy(), colour)
        if task in baselines:
            rule, reached = baselines[task]
            ax.axhline(reached, linestyle=":", color=CHANCE)
            ax.text(
                labels[-1],
                reached - 2,
                rule,
                color=CHANCE,
                ha="right",
                va="top",
                fontsize=9,
            )
        if i == 0:
            ax.text(
                0.98,
                0.26,
                "pretrained",
                color=OPENED,
                fontweight="bold",
                ha="right",
                transform=ax.transAxes,
            )
            ax.text(
                0.98,
                0.15,
                "from scratch",
                color=_SCRATCH,
                fontweight="bold",
                ha="right",
                transform=ax.transAxes,
            )
        ax.set_xscale("log")
        ax.set_xticks([10, 100, 1000], ["10", "100", "1,000"])
        ax.minorticks_off()
        ax.set_ylim(0, 105)
        ax.set_title(title, fontsize=11)
    hide_empty(axes, len(titles))
    figure.supxlabel("labelled examples", fontsize=11)
    figure.supylabel("score on new items (%)", fontsize=11)
    return figure


def errors(table: pd.DataFrame, titles: dict[str, str]) -> Figure:
    """The share of each kind of case that is wrong with few labels, pretrained (filled) and from
    scratch (ring): a panel a task.

    Args:
        table: rows with ``part``, ``task``, ``way``, ``kind`` and ``value`` (percent), of which the
            part ``"wrong"`` is drawn: the mean over the seeds that have a kind.
        titles: task -> title of its panel.
    """
    figure, axes = plt.subplots(
        -(-len(titles) // 2), min(2, len(titles)), figsize=(7.4, 5.0), sharex=True, squeeze=False
    )
    apart: list[tuple[float, Axes, int, list[float]]] = []
    for ax, (task, title) in zip(axes.flat, titles.items(), strict=False):
        wrong = table[(table["part"] == "wrong") & (table["task"] == task)].pivot_table(
            index="kind", columns="way", values="value"
        )
        kinds = sorted(wrong.index, key=lambda kind: (wrong["pretrained"][kind], kind))
        for row, kind in enumerate(kinds):
            ends = [wrong[way][kind] for way in ("pretrained", "scratch")]
            ax.plot(ends, (row, row), color=LINK, linewidth=3, zorder=1)
            look: dict[str, Any] = {"fillstyle": "none", "markersize": 13, "markeredgewidth": 2}
            ax.plot(ends[1], row, "o", color=_SCRATCH, **look)
            ax.plot(ends[0], row, "o", color=OPENED, markersize=8)
            if row or len(kinds) == 1:  # below the lowest row is no room for a name
                apart.append((abs(ends[1] - ends[0]), ax, row, ends))
        ax.set_yticks(range(len(kinds)), kinds)
        ax.set_ylim(-0.6, len(kinds) - 0.4)
        ax.set_xlim(-3, 103)
        ax.set_title(title, fontsize=11)
    _, ax, row, ends = max(apart, key=lambda pair: pair[0])
    for x, name, colour, up in zip(
        ends, ("pretrained", "from scratch"), (OPENED, _SCRATCH), (9, -19), strict=True
    ):
        side = "left" if x < 50 else "right"
        ax.annotate(
            name,
            (x, row),
            (0, up),
            textcoords="offset points",
            ha=side,
            color=colour,
            fontweight="bold",
            fontsize=10,
        )
    hide_empty(axes, len(titles))
    figure.supxlabel("wrong (%)", fontsize=11)
    return figure

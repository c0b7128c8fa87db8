"""Figures of steering a dialogue: the manner of the answers along each search, and what a gameable reward leads to."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.style import CEILING, OPENED, PROMPTED, band, spread

#: Searches, and how each is drawn.
_SEARCHES = {"learned": (OPENED, "-"), "learned, reads": ("#cc79a7", "-"), "random search": (PROMPTED, "-")}
#: Prefixes that nobody searched for.
_FIXED = {"hand-written": (CEILING, "--"), "no prefix": ("#222222", ":")}


def latest(trace: Sequence[dict], calls: int) -> dict:
    """What a search had found after so many model calls; before it had found anything, the first that it did."""
    return next((step for step in reversed(trace) if step["calls"] <= calls), trace[0])


def steering_searches(values: Sequence[dict], points: Sequence[int]) -> Figure:
    """Share of replies in the wanted manner after so many model calls of each search: a panel a manner, a value a seed.

    Args:
        values: of the study ``steering``.
        points: numbers of model calls.
    """
    targets = values[0]["targets"]
    figure, axes = plt.subplots(1, len(targets), figsize=(7.4, 3.9), sharey=True, squeeze=False)
    for ax, manner in zip(axes[0], targets, strict=True):
        ends = {}
        for name, (colour, style) in _SEARCHES.items():
            runs = [[latest(v["targets"][manner][name], n)["manners"][manner] for n in points] for v in values]
            ends[name] = band(ax, points, np.array(runs), colour, style)[-1]
        for name, (colour, style) in _FIXED.items():
            ends[name] = float(np.mean([v["targets"][manner][name]["manners"][manner] for v in values]))
            ax.axhline(ends[name], color=colour, linestyle=style, linewidth=1.5)
        if ax is axes[0, -1]:
            _names_beside(ax, points[-1], ends)
        ax.set_title(f"towards {manner}", fontsize=11)
        ax.set_xlim(0, points[-1] * 1.03)
        ax.set_ylim(0, 104)
        ax.set_xlabel("model calls")
    axes[0, 0].set_ylabel("replies in the manner, held out (%)")
    return figure


def _names_beside(ax: Axes, right: float, ends: dict[str, float]) -> None:
    """Names of lines to the right of a panel, each at the height of its end and none over another."""
    names = sorted(ends, key=ends.get, reverse=True)
    for name, y in zip(names, spread([-ends[name] for name in names], 8), strict=True):
        colour = (_SEARCHES | _FIXED)[name][0]
        ax.annotate(name, (right * 1.06, -y), color=colour, fontweight="bold", va="center", annotation_clip=False)


#: What is drawn of a gamed search: the field, the title of its panel, and the colour.
_GAMED = (
    ("reward", "rewarded: few words", OPENED),
    ("gold", "meant: gold reward", PROMPTED),
    ("right", "right answers (%)", CEILING),
)


def gamed_reward(values: Sequence[dict], points: Sequence[int]) -> Figure:
    """Reward, gold reward and right answers of held-out replies while a policy learns from the reward, side by side.

    Args:
        values: a seed each, what the policy liked best as it learned.
        points: numbers of model calls.
    """
    figure, axes = plt.subplots(1, len(_GAMED), figsize=(7.4, 3.0))
    for ax, (part, title, colour) in zip(axes, _GAMED, strict=True):
        band(ax, points, np.array([[latest(trace, n)[part] for n in points] for trace in values]), colour)
        ax.set_title(title, fontsize=10, color=colour, fontweight="bold")
        ax.set_xlabel("model calls")
        ax.set_xlim(0, points[-1] * 1.03)
        if part == "right":
            ax.set_ylim(0, 104)
    return figure

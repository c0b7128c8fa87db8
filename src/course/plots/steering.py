"""Figures of steering a dialogue: the manner of the answers along each search, and what a gameable
reward leads to.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course.plots.colours import COLOURS, OPENED, RIVAL
from course.plots.style import key_above, name_ends, write_out

#: Searches, and their colours.
_SEARCHES = {name: COLOURS[name] for name in ("learned", "learned, reads", "random search")}
#: Prefixes that nobody searched for.
_FIXED = {"hand-written": (COLOURS["hand-written"], "--"), "no prefix": (COLOURS["no prefix"], ":")}
#: How policies start, what that is called, and the colour.
_STARTS = {
    "model": ("starts as a language model", OPENED),
    "even": ("starts from any word", RIVAL),
}


def steering_searches(
    curves: Mapping[str, Mapping[str, np.ndarray]],
    fixed: Mapping[str, Mapping[str, float]],
    points: Sequence[int],
) -> Figure:
    """Share (percent) of replies as wanted after so many model calls of each search: a panel a
    target, a thin line a seed.

    Args:
        curves: target -> search -> shares, (seeds, points).
        fixed: target -> prefix that nobody searched for -> share.
        points: numbers of model calls, (points,).
    """
    figure, axes = plt.subplots(1, len(curves), figsize=(7.4, 3.9), sharey=True, squeeze=False)
    for ax, target in zip(axes[0], curves, strict=True):
        ends = {
            name: _runs(ax, points, curves[target][name], colour)
            for name, colour in _SEARCHES.items()
        }
        for name, (colour, style) in _FIXED.items():
            ends[name] = fixed[target][name]
            ax.axhline(ends[name], color=colour, linestyle=style, linewidth=1.5)
        if ax is axes[0, -1]:
            colours = _SEARCHES | {name: colour for name, (colour, _) in _FIXED.items()}
            named = [(end, name, colours[name]) for name, end in ends.items()]
            name_ends(ax, points[-1] * 1.06, named, gap=8, lowest=3)
        ax.set_title(target, fontsize=10)
        ax.set_ylim(0, 104)
        _calls_axis(ax, points)
    axes[0, 0].set_ylabel("replies as wanted, held out (%)")
    return figure


def _runs(ax: Axes, x: Sequence[float], runs: np.ndarray, colour: str) -> float:
    """Thin lines for the runs and a thick one for their mean, whose last value is returned."""
    for run in runs:
        ax.plot(x, run, color=colour, linewidth=1, alpha=0.35)
    mean = np.mean(runs, axis=0)
    ax.plot(x, mean, color=colour, linewidth=2.6)
    return float(mean[-1])


def _calls_axis(ax: Axes, points: Sequence[int]) -> None:
    """Model calls from none on, with as few numbers as a narrow panel has room for."""
    ax.set_xlim(0, points[-1] * 1.03)
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    write_out(ax.xaxis)
    ax.set_xlabel("model calls")


#: What is drawn of a gamed search, and the title of its panel.
_GAMED = {
    "reward": "rewarded:\nminus words a reply",
    "gold": "meant:\ngold reward",
    "right": "right answers (%)",
}


def gamed_reward(curves: Mapping[str, Mapping[str, np.ndarray]], points: Sequence[int]) -> Figure:
    """Reward, gold reward and right answers of held-out replies while policies learn from the
    reward, side by side.

    Args:
        curves: measure (``reward``, ``gold``, ``right``) -> start of a policy (``model``,
            ``even``) -> values, (seeds, points).
        points: numbers of model calls, (points,).
    """
    figure, axes = plt.subplots(1, len(_GAMED), figsize=(7.4, 3.4))
    for ax, (measure, title) in zip(axes, _GAMED.items(), strict=True):
        for start, (_, colour) in _STARTS.items():
            _runs(ax, points, curves[measure][start], colour)
        ax.set_title(title, fontsize=11)
        _calls_axis(ax, points)
    axes[-1].set_ylim(-3, 104)
    key_above(figure, [(name, "-", colour) for name, colour in _STARTS.values()])
    return figure

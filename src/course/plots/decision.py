"""Decision picture of chapter 8: questions in their order, each with what to do if the answer is
yes and what that rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course.plots.colours import CEILING, DARK_GREY, LEVERS

#: Where the column of answers begins, and characters of a line in both columns: fewer than fit, as
#: a page may have a wider font.
_ANSWERS, _WIDTHS = 0.47, (19, 30)
#: Points of text, and of the smallest that a phone shows in a size that can be read.
_SIZE, _SMALL = 9.2, 8.9


@dataclass(frozen=True)
class Branch:
    """One question of a decision.

    Attributes:
        question: with yes or no for an answer; of the last one what is left if every answer was no.
        answer: what to do if it is yes.
        lever: that the answer pulls: ``"prompt"``, ``"training"`` or ``"control"``; empty for none.
        basis: what the answer rests on.
    """

    question: str
    answer: str
    lever: str
    basis: str


def decision(branches: Sequence[Branch]) -> Figure:
    """Questions from top to bottom, to the right of each what to do and why; narrow enough for a
    phone. The last one has no "no": it says what is left.
    """
    figure, ax = plt.subplots(figsize=(4.8, 1.0 * len(branches)))
    for row, branch in enumerate(branches):
        colour = LEVERS.get(branch.lever, (DARK_GREY,))[0]
        size = (_ANSWERS + 0.01, row - 0.4), 0.98 - _ANSWERS, 0.8
        ax.add_patch(
            FancyBboxPatch(*size, boxstyle="round,pad=0,rounding_size=0.03", fill=False, ec=colour)
        )
        ax.text(0, row, fill(branch.question, _WIDTHS[0]), va="center", weight="bold", size=_SIZE)
        answer, basis = (
            fill(text, _WIDTHS[1], break_on_hyphens=False) for text in (branch.answer, branch.basis)
        )
        ax.text(_ANSWERS + 0.035, row - 0.34, answer, va="top", color=colour, size=_SIZE)
        ax.text(_ANSWERS + 0.035, row + 0.34, basis, va="bottom", style="italic", size=_SMALL)
        arrow = {"arrowstyle": "-|>", "color": CEILING}
        ax.annotate("", (_ANSWERS, row), (_ANSWERS - 0.07, row), arrowprops=arrow)
        if row + 1 < len(branches):
            ax.annotate("", (0.03, row + 0.66), (0.03, row + 0.34), arrowprops=arrow)
            ax.text(0.06, row + 0.5, "no", va="center", color=CEILING, size=_SMALL)
    ax.set(xlim=(0, 1), ylim=(len(branches) - 0.5, -0.5))
    ax.axis("off")
    return figure

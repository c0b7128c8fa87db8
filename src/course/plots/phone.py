"""The same figure for a narrow screen: panels that stood side by side in one column, and text that
can be read there.
"""

import math
from copy import deepcopy
from itertools import pairwise
from textwrap import fill

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator, ScalarFormatter, StrMethodFormatter

from course.plots.colours import text_colour
from course.plots.style import CURVE_NAME, key, key_above, key_entries

#: Pixels that a phone of 390 has for a figure, and the smallest text there that is still read.
SCREEN, SMALLEST_TEXT = 358, 9.0
#: Inches of a figure for a phone: of panels that were narrow, and of those that were wide.
_NARROW, _WIDE = 3.7, 4.4
_POINTS = 72
#: How numbers are written on an axis that says nothing else.
_NUMBERS = (ScalarFormatter, StrMethodFormatter)
#: Text that is made larger makes the figure wider, which is shown the smaller for it.
_ROOM = 1.03
#: Characters of a title in as many points as its size, times the part of a figure that panels have.
_PER_EM = 1.75 * 0.85


def for_phone(figure: Figure) -> Figure | None:
    """A copy of a figure for a narrow screen, or None if the figure can be read there as it is.

    Its panels keep their height and stand in one column, or in as many as leave them their width;
    each gets the names of the axes that it shared with the panel on its left or below it.
    """
    if smallest_text(figure) * SCREEN / (_POINTS * figure.get_figwidth()) >= SMALLEST_TEXT:
        return None
    narrow = deepcopy(figure)
    plt.close(narrow)  # what pyplot holds is shown at the end of a cell
    for ax in [ax for ax in narrow.axes if not ax.get_visible()]:
        ax.remove()
    panels = {ax: spec for ax in narrow.axes if (spec := ax.get_subplotspec()) is not None}
    if panels:
        _stack(narrow, panels)
    for ax in panels:
        if legend := ax.get_legend():
            key(ax, key_entries(legend), columns=2)
    above = [key_entries(legend) for legend in narrow.legends]
    narrow.legends.clear()
    for entries in above:
        key_above(narrow, entries, columns=1)
    _names_above(narrow, [*panels])
    _wrap_long_lines(narrow)
    least = SMALLEST_TEXT / SCREEN * _POINTS * _saved_width(narrow) * _ROOM
    for text in narrow.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), math.ceil(10 * least) / 10))
    narrow.draw_without_rendering()
    for ax in panels:
        _thin_numbers(ax)
    return narrow


def _saved_width(figure: Figure) -> float:
    """The width in inches of a figure that is saved with all that is in it, and no more."""
    figure.draw_without_rendering()
    return float(figure.get_tightbbox().width + 2 * plt.rcParams["savefig.pad_inches"])


def smallest_text(figure: Figure) -> float:
    """The size in points of the smallest text that a figure shows."""
    return min(
        (
            float(text.get_fontsize())
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip()
        ),
        default=math.inf,
    )


def _stack(figure: Figure, panels: dict[Axes, SubplotSpec]) -> None:
    """Give the panels a grid with as many columns as have room."""
    before = next(iter(panels.values())).get_gridspec()
    width, height = figure.get_size_inches() / (before.ncols, before.nrows)
    columns = max(1, int(_WIDE // width))
    rows = math.ceil(len(panels) / columns)
    figure.set_size_inches(min(max(width * columns, _NARROW), _WIDE), rows * height)
    if before.ncols > columns:
        _name_axes(panels, columns)
    shares = [_cut_below_last_row(ax) for ax in panels] if columns == 1 else None
    if shares:
        figure.set_figheight(sum(shares) * height)
    grid = GridSpec(rows, columns, figure=figure, height_ratios=shares)
    for number, ax in enumerate(panels):
        ax.set_subplotspec(grid[divmod(number, columns)])


def _names_above(figure: Figure, panels: list[Axes]) -> None:
    """Where the names of the curves stand at the last of several panels alone, make them a key
    above the first: those of the other panels would be read before their names.
    """
    names = {ax: [text for text in ax.texts if text.get_gid() == CURVE_NAME] for ax in panels}
    if len(panels) < 2 or [ax for ax in panels if names[ax]] != panels[-1:]:
        return
    last = panels[-1]
    # the last line in a colour is the mean, after the runs
    lines = {text_colour(to_hex(line.get_color())): line for line in last.lines}
    entries = []
    for text in reversed(names[last]):
        line = lines[str(text.get_color())]
        entries.append((text.get_text(), str(line.get_linestyle()), to_hex(line.get_color())))
        text.set_visible(False)
    key_above(figure, entries, columns=2)


def _cut_below_last_row(ax: Axes) -> float:
    """Leave out what is empty below the last named row of a panel, where it stood beside one with
    more rows; the part of its height that is left.
    """
    bottom, top = ax.get_ylim()
    named = isinstance(ax.yaxis.get_major_locator(), FixedLocator) and not isinstance(
        ax.yaxis.get_major_formatter(), _NUMBERS
    )
    if not named or ax.get_yscale() != "linear" or bottom > top:
        return 1.0
    rows = sorted(ax.get_yticks())
    if len(rows) < 2 or rows[0] - bottom < 2 * (step := rows[1] - rows[0]):
        return 1.0
    ax.set_ylim(rows[0] - 0.7 * step, top)
    return float((top - rows[0] + 0.7 * step) / (top - bottom))


def _thin_numbers(ax: Axes) -> None:
    """Fewer numbers on a horizontal axis on which they touch."""
    for most in (6, 5, 4, 3):
        boxes = [
            label.get_window_extent()
            for label in ax.get_xticklabels()
            if label.get_visible() and label.get_text()
        ]
        gaps = [right.x0 - left.x1 for left, right in pairwise(sorted(boxes, key=lambda b: b.x0))]
        locator = ax.xaxis.get_major_locator()
        numbers = isinstance(ax.xaxis.get_major_formatter(), _NUMBERS)
        if not numbers or min(gaps, default=math.inf) > 4:
            return
        if isinstance(locator, FixedLocator):
            ax.set_xticks(ax.get_xticks()[::2])
        elif ax.get_xscale() == "linear":
            ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
        ax.get_figure().draw_without_rendering()  # type: ignore[union-attr]


def _wrap_long_lines(figure: Figure) -> None:
    """Break titles and names of horizontal axes that are wider than the panels."""
    long = {ax.get_title(loc=place) for ax in figure.axes for place in ("left", "center", "right")}
    long |= {ax.get_xlabel() for ax in figure.axes} | {figure.get_supxlabel()}
    for text in figure.findobj(Text):
        if text.get_text() in long:
            characters = _POINTS * figure.get_figwidth() / float(text.get_fontsize()) * _PER_EM
            lines = text.get_text().split("\n")
            text.set_text("\n".join(fill(line, int(characters)) for line in lines))


def _name_axes(panels: dict[Axes, SubplotSpec], columns: int) -> None:
    """Show at each panel, unless one with the same stands on its left, what stood only at the first
    of its row or the last of its column.
    """
    first: dict[int, Axes] = {}
    for number, (ax, spec) in enumerate(panels.items()):
        begin = first.setdefault(spec.rowspan.start, ax)
        shares_y = ax is not begin and ax.get_shared_y_axes().joined(ax, begin)
        if shares_y and number % columns == 0:
            ax.tick_params(labelleft=True)
            ax.set_ylabel(ax.get_ylabel() or begin.get_ylabel())
            for own, named in zip(ax.get_yticklabels(), begin.get_yticklabels(), strict=False):
                own.set_color(named.get_color())
                own.set_fontweight(named.get_fontweight())
        if len(ax.get_shared_x_axes().get_siblings(ax)) > 1:
            ax.tick_params(labelbottom=True)

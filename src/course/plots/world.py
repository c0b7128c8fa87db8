"""Maps of the micro-world: its countries with their capitals, and the places of its town."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.plots.colours import GRID, GROUND, INK, PAGE, QUIET

#: Region -> the upper left cell of its block and the block's shape (rows, columns). Four blocks go
#: round a hole of two by two cells, where the compass stands.
_BLOCKS = {
    "north": ((0, 0), (2, 4)),
    "east": ((0, 4), (4, 2)),
    "south": ((4, 2), (2, 4)),
    "west": ((2, 0), (4, 2)),
}
#: Way -> (rows, columns) of one step; rows go down the page.
_STEP = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}
#: How far beyond the last cell a way is drawn that comes in again on the other side.
_EDGE = 0.55
#: How far outside a way begins that comes in, and at which share of it the tip of its arrow is not
#: hidden by the name of the place.
_COMES_IN, _TIP_SEEN = 0.8, 0.5


def map_of_countries(regions: Mapping[str, Sequence[tuple[str, str]]]) -> Figure:
    """The countries of each region with their capitals below them, the regions round a compass.

    Args:
        regions: ``north``, ``east``, ``south`` and ``west`` -> (country, capital), eight each.
    """
    figure, ax = _sheet(rows=6, columns=6, height=4.4)
    for region, ((top, left), (rows, columns)) in _BLOCKS.items():
        corner = (left - 0.46, top - 0.46)
        ax.add_patch(Rectangle(corner, columns - 0.08, rows - 0.08, facecolor=GROUND))
        for number, (country, capital) in enumerate(regions[region]):
            row, column = divmod(number, columns)
            ax.text(
                left + column, top + row - 0.16, country, ha="center", va="center", weight="bold"
            )
            ax.text(left + column, top + row + 0.2, capital, ha="center", va="center", color=QUIET)
    _compass(ax, 2.5, 2.5)
    return figure


def map_of_places(grid: Sequence[Sequence[str]], route: Sequence[str]) -> Figure:
    """The places of the town on a grid whose edges are joined, and a route over it.

    Args:
        grid: the places row by row, north on top.
        route: places, each a neighbour of the one before.
    """
    rows, columns = len(grid), len(grid[0])
    figure, ax = _sheet(rows, columns, height=3.3)
    ends: dict[str, Any] = {"linestyle": (0, (1, 2)), "color": GRID, "zorder": 0}
    for row in range(rows):
        ax.plot((0, columns - 1), (row, row), color=GRID, zorder=0)
        for edge, outside in ((0, -_EDGE), (columns - 1, columns - 1 + _EDGE)):
            ax.plot((edge, outside), (row, row), **ends)
    for column in range(columns):
        ax.plot((column, column), (0, rows - 1), color=GRID, zorder=0)
        for edge, outside in ((0, -_EDGE), (rows - 1, rows - 1 + _EDGE)):
            ax.plot((column, column), (edge, outside), **ends)
    at = {place: (r, c) for r, line in enumerate(grid) for c, place in enumerate(line)}
    for here, there in pairwise(route):
        _step(ax, at[here], at[there], (rows, columns))
    for place, (row, column) in at.items():
        weight = "bold" if place in route else "normal"
        box = {"facecolor": PAGE, "edgecolor": "none", "pad": 2.5}
        ax.text(column, row, place, ha="center", va="center", weight=weight, bbox=box)
    return figure


def _step(ax: Axes, here: tuple[int, int], there: tuple[int, int], shape: tuple[int, int]) -> None:
    """One step of a route as an arrow; over an edge it leaves here and comes in there."""
    row, column = here
    down, right = next(
        way
        for way in _STEP.values()
        if ((row + way[0]) % shape[0], (column + way[1]) % shape[1]) == there
    )
    if (row + down, column + right) == there:
        _arrow(ax, here, (down, right), 0.62)
    else:
        _arrow(ax, here, (down * _EDGE, right * _EDGE), 1)
        outside = there[0] - down * _COMES_IN, there[1] - right * _COMES_IN
        _arrow(ax, outside, (down * _COMES_IN, right * _COMES_IN), _TIP_SEEN)


def _arrow(ax: Axes, begin: tuple[float, float], step: tuple[float, float], tip: float) -> None:
    """A line from a cell, with the tip of an arrow at that share of its way."""
    (row, column), (down, right) = begin, step
    ax.plot((column, column + right), (row, row + down), color=INK, zorder=1)
    point = (column + tip * right, row + tip * down)
    look = {"arrowstyle": "-|>", "color": INK, "mutation_scale": 15}
    ax.annotate("", point, (column, row), arrowprops=look, zorder=1)


def _compass(ax: Axes, row: float, column: float) -> None:
    """The four regions' names, each on the side of the block that it is the name of."""
    for name, (down, right) in _STEP.items():
        tip, end = (column + 0.42 * right, row + 0.42 * down), (column, row)
        ax.annotate("", tip, end, arrowprops={"arrowstyle": "-|>", "color": QUIET})
        where = (column + 0.68 * right, row + 0.62 * down)
        ax.text(*where, name, ha="center", va="center", color=QUIET)


def _sheet(rows: int, columns: int, height: float) -> tuple[Figure, Axes]:
    """An empty sheet of cells, row 0 on top; narrow, so that a phone shows its words large."""
    figure, ax = plt.subplots(figsize=(5.8, height))
    ax.set_xlim(-0.6, columns - 0.4)
    ax.set_ylim(rows - 0.4, -0.6)
    ax.axis("off")
    return figure, ax

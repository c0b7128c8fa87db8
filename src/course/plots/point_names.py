"""Names beside points that lie close together: each near its own point, where it covers no other
point and no other name, with a line to it where it stands apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from course.plots.colours import LEADER

_SIZE = 10.0
#: Points of a character's width and of a line's height, in parts of the text's size.
_WIDE, _HIGH = 0.57, 1.25
#: Half the width of a mark, and from which distance on a name has a line, in points.
_MARK, _APART = 5.0, 14.0
#: The inches by which a figure for a phone is narrower: a place has to do on both.
_NARROWER = 3.0
_OUTSIDE, _ON_NAME, _ON_MARK, _CROSSES, _ON_LINE = 100.0, 60.0, 30.0, 40.0, 8.0


@dataclass(frozen=True)
class _Place:
    """Where a name stands from its point, in points: it begins there (``side`` 1), ends there (-1),
    or is centred there (0).
    """

    side: int
    dx: float
    dy: float

    def box(self, point: np.ndarray, name: str) -> np.ndarray:
        """Left, bottom, right, top."""
        width, height = _WIDE * _SIZE * len(name), _HIGH * _SIZE
        left = point[0] + self.dx - width * (1 - self.side) / 2
        bottom = point[1] + self.dy - height / 2
        return np.array([left, bottom, left + width, bottom + height])


_PLACES = [
    *(_Place(side, side * dx, dy)
      for dx in (8, 26) for side in (1, -1) for dy in (0, 8, -8, 16, -16, 27, -27, 39, -39)),
    *(_Place(0, 0, dy) for dy in (15, -15, 28, -28)),
]  # fmt: skip


def name_points(
    ax: Axes,
    points: Mapping[str, tuple[float, float]],
    marks: Sequence[tuple[float, float]] = (),
    line: Sequence[tuple[float, float]] = (),
) -> None:
    """Write the name of each point beside it. The figure has to be laid out, with its final limits.

    Args:
        points: name -> x and y, in the units of the axes.
        marks: what else is marked, and had better not be covered.
        line: the ends of a broken line that had better not be covered either.
    """
    names = list(points)
    canvases = [_Canvas(ax, less, points, marks, line) for less in (0.0, _NARROWER)]
    chosen: dict[str, _Place] = {}
    for name in 3 * names:  # the first names are placed again once the others stand
        others = {other: place for other, place in chosen.items() if other != name}

        def cost(place: _Place, name: str = name, others: dict[str, _Place] = others) -> float:
            return sum(c.cost(name, place, others) for c in canvases) + 0.1 * _distance(place)

        chosen[name] = min(_PLACES, key=cost)
    for name, place in chosen.items():
        far = _distance(place) > _APART
        ax.annotate(
            name,
            points[name],
            (place.dx, place.dy),
            textcoords="offset points",
            ha={1: "left", -1: "right", 0: "center"}[place.side],
            va="center",
            fontsize=_SIZE,
            arrowprops={
                "arrowstyle": "-",
                "color": LEADER,
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 4,
            }
            if far
            else None,
        )


def _distance(place: _Place) -> float:
    return float(np.hypot(place.dx, place.dy))


class _Canvas:
    """A panel in points, as wide as it is or narrower."""

    def __init__(
        self,
        ax: Axes,
        narrower: float,
        points: Mapping[str, tuple[float, float]],
        marks: Sequence[tuple[float, float]],
        line: Sequence[tuple[float, float]],
    ) -> None:
        inches = np.asarray(ax.get_window_extent().size) / ax.figure.dpi
        self.size = 72 * np.maximum(inches - np.array((narrower, 0.0)), 1.5)
        part = ax.transScale + ax.transLimits
        self.points = {name: part.transform(point) * self.size for name, point in points.items()}
        self.marks = part.transform(np.reshape([*marks], (-1, 2))) * self.size
        ends = part.transform(np.reshape([*line], (-1, 2))) * self.size
        pieces = [_between(*pair) for pair in zip(ends, ends[1:], strict=False)]
        self.line = np.concatenate(pieces) if pieces else np.empty((0, 2))

    def cost(self, name: str, place: _Place, others: Mapping[str, _Place]) -> float:
        """How bad a place of a name is, beside those of others."""
        box = place.box(self.points[name], name)
        leader = self._leader(name, place)
        dots = np.array([point for other, point in self.points.items() if other != name])
        dots = dots.reshape(-1, 2)
        bad = _OUTSIDE * (bool((box[:2] < -3).any()) or bool((box[2:] > self.size).any()))
        bad += _ON_MARK * _inside(dots, box, _MARK).sum()
        bad += _ON_LINE * (_inside(self.line, box).any() + _inside(self.marks, box, 1).any())
        if len(dots):
            apart = np.hypot(*np.moveaxis(leader[:, None] - dots[None], 2, 0))
            bad += _CROSSES * (apart.min(0) < _MARK + 1).sum()
        for other, its in others.items():
            its_box, its_leader = its.box(self.points[other], other), self._leader(other, its)
            bad += _ON_NAME * bool((box[:2] < its_box[2:]).all() and (its_box[:2] < box[2:]).all())
            bad += _CROSSES * (_inside(leader, its_box).any() + _inside(its_leader, box).any())
            gaps = np.hypot(*np.moveaxis(leader[:, None] - its_leader[None], 2, 0))
            bad += _CROSSES * bool(gaps.min() < 2)
        return float(bad)

    def _leader(self, name: str, place: _Place) -> np.ndarray:
        """Points of the line from the edge of a point to its name."""
        start, end = self.points[name], self.points[name] + (place.dx, place.dy)
        return _between(start, end)[1:]


def _between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Points of a line, some two points of a page apart."""
    steps = max(int(np.hypot(*(end - start)) / 2), 2)
    return start + np.linspace(0, 1, steps)[:, None] * (end - start)


def _inside(places: np.ndarray, box: np.ndarray, room: float = 0.0) -> np.ndarray:
    """Which of some places lie in a box, or as near to it as ``room``."""
    within = (places > box[:2] - room) & (places < box[2:] + room)
    return np.asarray(within.all(axis=-1))

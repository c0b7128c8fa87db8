"""In which order a comparison is run: a screen first, then what takes longer, while the budget
lasts.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from course.compare.base import Method
from course.compare.cells import Cell

#: Numbers of labels of the learning curves, below all of them.
SIZES = (8, 32, 128, 512, 2048)
#: Seeds: which labels are drawn, and the chance in learning.
SEEDS = 3
#: The budget of the default, in seconds.
BUDGET = 600.0
#: Fewest test items that a screen is shortened to, and the share of the budget (and the most
#: seconds) that it may take.
FEWEST_TEST, SCREEN_SHARE, SCREEN_SECONDS = 100, 1 / 3, 100.0
#: Fewest labels that a large table is shortened to, the share of the budget that methods may take
#: that were named, and by what factor the labels must make them slower to be left out.
FEWEST_LABELS, NAMED_SHARE, SLOWER = 128, 2 / 3, 1.25
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def seconds_of(budget: str | float | None) -> float | None:
    """A budget in seconds: ``"10m"``, ``"90s"``, ``"1.5h"`` or a number; None for none.

    Raises:
        ValueError: for anything else.
    """
    if budget is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(budget))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"budget={budget!r}: expected a time such as '90s', '10m' or '2h'")
    return float(match[1]) * _UNITS[match[2]]


def sizes_for(count: int, sizes: Sequence[int] | None = None) -> list[int]:
    """The numbers of labels of the curves, for ``count`` training items; the last one is all.

    Raises:
        ValueError: for sizes below 1 or above ``count``.
    """
    if sizes is not None:
        if wrong := [size for size in sizes if not 1 <= size <= count]:
            raise ValueError(
                f"size {wrong[0]}: expected 1 to {count}, the training items there are"
            )
        return sorted({*sizes, count})
    # a size just below all tells nothing new
    return [*(size for size in SIZES if size <= 0.7 * count), count]


@dataclass(frozen=True)
class Plan:
    """The cells in their order, in phases: what a phase needs was measured in one before.

    Attributes:
        cells: in order.
        sizes: the numbers of labels, the last one is all.
        screen: how many phases make the screen.
    """

    cells: tuple[Cell, ...]
    sizes: tuple[int, ...]
    screen: int

    def phases(self) -> list[list[Cell]]:
        numbers = sorted({cell.phase for cell in self.cells})
        return [[cell for cell in self.cells if cell.phase == number] for number in numbers]


def make_plan(
    methods: Sequence[Method], count: int, named: bool, sizes: Sequence[int] | None, seeds: int
) -> Plan:
    """The plan for some methods.

    Phase 0 is the screen: each method on all labels, once (of methods that were named, all belong
    to it). Then its other seeds, the methods that take longer, their other seeds, and the learning
    curves from many labels to few.
    """
    curve = sizes_for(count, sizes)
    first = [m for m in methods if named or m.in_screen]
    later = [m for m in methods if m not in first]
    cells: list[Cell] = []
    for phase, some in ((0, first), (2, later)):
        cells += [Cell(m.name, _all(m, count), 0, phase) for m in some]
        cells += [
            Cell(m.name, _all(m, count), seed, phase + 1)
            for seed in range(1, seeds)
            for m in some
            if m.chance
        ]
    for number, size in enumerate(reversed(curve[:-1])):
        for seed in range(seeds):
            phase = 4 + 2 * number + (seed > 0)
            cells += [Cell(m.name, size, seed, phase) for m in (*first, *later) if m.uses_labels]
    return Plan(tuple(sorted(cells, key=lambda cell: cell.phase)), tuple(curve), 1)


def _all(method: Method, count: int) -> int:
    return count if method.uses_labels else 0


def affordable_labels(
    seconds: Callable[[int], float], count: int, budget: float | None, named: bool
) -> int:
    """With how many of the labels there is time for the first phase; the last point of the curves.

    Args:
        seconds: of the first phase, by the number of labels.
        count: that there are.
        named: whether the methods were named.
    """
    if budget is None or count <= FEWEST_LABELS:
        return count
    smaller = [size for size in SIZES if FEWEST_LABELS <= size < count]
    allowed = (NAMED_SHARE if named else SCREEN_SHARE) * budget
    allowed = max(allowed, SLOWER * seconds(smaller[0]))
    return next((s for s in (count, *smaller[::-1]) if seconds(s) <= allowed), smaller[0])


def affordable_items(seconds: float, fixed: float, items: int, budget: float | None) -> int:
    """How many test items the screen has time for.

    Args:
        seconds: that answering one item takes, over all methods of the screen.
        fixed: that learning takes.
        items: that there are.
    """
    if budget is None:
        return items
    allowed = min(SCREEN_SECONDS, SCREEN_SHARE * budget) - fixed
    return min(items, max(FEWEST_TEST, int(allowed / max(seconds, 1e-9))))

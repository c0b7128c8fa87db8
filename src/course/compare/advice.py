"""What follows from a comparison: which method, why, and where it would be another one.

A method is recommended if no other one is better by more than two points
(:data:`course.compare.statistics.MARGIN`), as far as the intervals tell; among several such
methods, the one whose answers cost least. If there is none, the advice is that it cannot be told,
and how many labelled items more would tell it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.compare.registry import METHODS
from course.compare.statistics import (
    MARGIN,
    Crossing,
    Estimated,
    crossing,
    items_needed,
)

if TYPE_CHECKING:
    from course.compare.result import Comparison


#: Points below which two means are the same.
_SAME = 0.05


@dataclass(frozen=True)
class Advice:
    """What to do.

    Attributes:
        method: the recommended one; None if it cannot be told.
        tied: the methods between which it cannot be told, or that are about as good.
        more_items: about how many more labelled items would tell; None if it is told.
        sentences: three: what to do, why, and what would change it.
    """

    method: str | None
    tied: tuple[str, ...]
    more_items: int | None
    sentences: tuple[str, str, str]

    def __str__(self) -> str:
        return " ".join(self.sentences)


def advise(result: "Comparison") -> Advice:
    """The advice of a comparison."""
    names = result.complete()
    best = max(names, key=lambda name: result.score(name).mean)
    fine = [name for name in names if _no_worse(result, name, names)]
    if fine:
        chosen = min(fine, key=lambda name: (result.query_cost(name), -result.score(name).mean))
        others = tuple(name for name in fine if name != chosen)
        sentences = (
            _do(result, chosen),
            _why(result, chosen, others, names),
            _change(result, chosen),
        )
        return Advice(chosen, others, None, sentences)
    rivals = [name for name in names if name == best or _may_be_better(result, name, best)]
    unclear = [result.versus(best, name) for name in rivals if name != best]
    more = max(map(items_needed, unclear))
    first = (
        f"Cannot tell between {_listed([METHODS[n].title for n in rivals])}: it needs "
        f"about {more:,} more labelled items to test on (beside the {len(result.data.test)} here)."
    )
    worst = min((n for n in rivals if n != best), key=lambda name: result.score(name).mean)
    gap = result.versus(best, worst)
    second = (
        f"{_capital(METHODS[best].title)} is {_points(gap)} ahead of {METHODS[worst].title}, "
        "and that may be chance."
    )
    if abs(gap.mean) < _SAME:
        second = (
            f"{_capital(METHODS[best].title)} and {METHODS[worst].title} score the same here; "
            f"{gap.high:.1f} points either way may be hidden."
        )
    if "majority" in rivals:
        second = "None of them is surely better than giving the most common answer always."
    else:
        cheapest = min(rivals, key=result.query_cost)
        second += f" Of these, {METHODS[cheapest].title} costs least an answer."
    return Advice(None, tuple(rivals), more, (first, second, _change(result, best)))


def _no_worse(result: "Comparison", name: str, names: Sequence[str]) -> bool:
    """Whether every other method is at most :data:`MARGIN` points better, beyond doubt."""
    return not any(_may_be_better(result, other, name) for other in names if other != name)


def _may_be_better(result: "Comparison", other: str, name: str) -> bool:
    """Whether another method may be better than ``name`` by more than :data:`MARGIN`: by the
    one-sided bound of their difference, which is at most what ``name`` lacks of 100 %.
    """
    gap = result.versus(other, name)
    return min(gap.upper(), 100 - result.score(name).low) >= MARGIN


def _do(result: "Comparison", chosen: str) -> str:
    labels = len(result.data.train)
    method = METHODS[chosen]
    score = result.score(chosen)
    measure = result.data.task.measure
    given = f"With your {labels:,} labels" if method.uses_labels else "Without any label"
    return (
        f"{given}, take {method.title}: {score.mean:.0f} % {measure} "
        f"({score.low:.0f} to {score.high:.0f}) on {score.items} items."
    )


def _why(result: "Comparison", chosen: str, others: Sequence[str], names: Sequence[str]) -> str:
    if others:
        titles = _listed([METHODS[name].title for name in others])
        return (
            f"Not more than {MARGIN:.0f} points better, as far as can be told, and slower: "
            f"{titles}."
        )
    rest = [name for name in names if name != chosen]
    if not rest:
        return "Nothing else was measured on all labels, so this compares it with nothing."
    second = max(rest, key=lambda name: result.score(name).mean)
    gap = result.versus(chosen, second)
    if gap.low > 0:
        return f"It beats the next best, {METHODS[second].title}, by {_range(gap)} points."
    title = METHODS[second].title
    return f"The next best, {title}, is at most {-gap.low:.1f} points better, if at all."


def _change(result: "Comparison", chosen: str) -> str:
    """What would change the advice: fewer labels, more labels, what was not tried."""
    parts = []
    cross = next(iter(crossings(result, chosen)), None)
    # a crossing of two means may be chance; one side of it must be sure
    if cross is not None and cross.above == chosen and cross.low is not None:
        parts.append(
            f"below about {_round(cross.labels)} labels {METHODS[cross.below].title} does better"
        )
    growth = result.growth(chosen)
    if growth is not None and growth.low > 0:
        parts.append("more labels would still help")
    elif growth is not None and growth.high < MARGIN:
        parts.append("more labels would hardly help")
    if left := [METHODS[name].title for name in result.left_out]:
        parts.append(f"not tried: {', '.join(left)}")
    text = "; ".join(parts) or "nothing else was looked at that would change this"
    return f"{_capital(text)}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def crossings(result: "Comparison", chosen: str) -> list[Crossing]:
    """Where another method's curve crosses that of ``chosen``, those with the most labels first."""
    found = []
    for other in result.names:
        sizes = [s for s in result.sizes_of(chosen) if s in result.sizes_of(other)]
        if other == chosen or len(sizes) < 2:
            continue
        differences = [result.difference(chosen, other, size) for size in sizes]
        if (cross := crossing(chosen, other, sizes, differences)) is not None:
            found.append(cross)
    return sorted(found, key=lambda cross: -cross.labels)


def _listed(titles: Sequence[str]) -> str:
    *most, last = titles
    return f"{', '.join(most)} and {last}" if most else last


def _points(gap: Estimated) -> str:
    return f"{gap.mean:.1f} points ({gap.low:.1f} to {gap.high:.1f})"


def _range(gap: Estimated) -> str:
    low, high = round(gap.low), round(gap.high)
    return f"{gap.low:.1f} to {gap.high:.1f}" if low == high or low < 1 else f"{low} to {high}"


def _round(labels: float) -> int:
    step = 10 ** max(len(str(int(labels))) - 2, 0)
    return max(int(round(labels / step) * step), 1)

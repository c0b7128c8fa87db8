"""What follows from a comparison: which method, why, and where it would be another one.

A method is recommended if no other one is better by more than two points
(:data:`course.compare.statistics.MARGIN`), as far as the intervals tell; among several such
methods, the one whose answers cost least. If there is none, the advice is that it cannot be told,
and how many labelled items more would tell it, and a short list: the methods that measured within
that margin of the best one, and those that are behind it, but not beyond doubt.
"""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class Advice:
    """What to do.

    Attributes:
        method: the recommended one; None if it cannot be told.
        tied: those about as good: beside a recommended one the others that may be, or, where it
            cannot be told, all that measured within :data:`MARGIN` of the best, which comes first.
        behind: where it cannot be told, those that measured worse and may still be as good: the
            interval of what they lack has 0 in it.
        more_items: about how many more labelled items would tell; None if it is told.
        sentences: three: what to do, why, and what would change it.
    """

    method: str | None
    tied: tuple[str, ...]
    behind: tuple[str, ...]
    more_items: int | None
    sentences: tuple[str, str, str]

    def __str__(self) -> str:
        return " ".join(self.sentences)


def advise(result: "Comparison") -> Advice:
    """The advice of a comparison."""
    names = result.complete()
    fine = [name for name in names if _no_worse(result, name, names)]
    if not fine:
        return _short_list(result, names)
    chosen = min(fine, key=lambda name: (result.query_cost(name), -result.score(name).mean))
    others = tuple(name for name in fine if name != chosen)
    sentences = (_do(result, chosen), _why(result, chosen, others, names), _change(result, chosen))
    return Advice(chosen, others, (), None, sentences)


def _short_list(result: "Comparison", names: Sequence[str]) -> Advice:
    """The advice where none can be recommended."""
    ranked = sorted(names, key=lambda name: -result.score(name).mean)
    best = ranked[0]
    gaps = {name: result.versus(best, name) for name in ranked[1:]}
    tied = (best, *(name for name, gap in gaps.items() if gap.mean <= MARGIN))
    behind = {name: gap for name, gap in gaps.items() if gap.low <= 0 and name not in tied}
    unclear = [gap for name, gap in gaps.items() if _may_be_better(result, name, best)]
    more = max(map(items_needed, unclear))
    first = (
        f"Cannot tell which method is best: it needs about {more:,} more labelled items to test on "
        f"(beside the {len(result.data.test)} here)."
    )
    second = f"{_about_as_good(result, tied)}{_maybe_as_good(behind)}."
    if "majority" in (*tied, *behind):
        second += " Even the best is not surely better than giving the most common answer always."
    sentences = (first, second, _change(result, best))
    return Advice(None, tied, tuple(behind), more, sentences)


def _about_as_good(result: "Comparison", tied: Sequence[str]) -> str:
    """The methods that are ahead, and which of them is the cheapest."""
    titles = [METHODS[name].title for name in tied]
    if len(titles) == 1:
        return f"{_capital(titles[0])} is ahead here"
    cheapest = METHODS[min(tied, key=result.query_cost)].title
    return f"About as good here: {_listed(titles)}, of which {cheapest} costs least an answer"


def _maybe_as_good(behind: Mapping[str, Estimated]) -> str:
    """The methods that are behind the best one, but not beyond doubt, each with its gap."""
    if not behind:
        return ""
    gaps = [f"{METHODS[name].title} by {_points(gap)}" for name, gap in behind.items()]
    return f"; behind the best, and maybe as good: {_listed(gaps)}"


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

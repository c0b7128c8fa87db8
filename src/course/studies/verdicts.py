"""The three kinds of claims and their verdicts: superiority, non-inferiority, equivalence.

Each kind is a region of values; an interval inside it, outside it or across its end decides.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from course.foundation.intervals import CONFIDENCE, Interval
from course.foundation.validation import check_fields, number

#: A p-value below it is significant.
LEVEL = 1 - CONFIDENCE
#: So many equal units, at least, say that their scatter is small; fewer may be equal by chance.
FEWEST_EQUAL = 3


class Verdict(StrEnum):
    """What an interval says of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Region:
    """The values of which a claim is true, ends excluded."""

    low: float
    high: float

    def verdict(self, interval: Interval) -> Verdict:
        """Whether the whole interval lies inside, outside, or neither. Undecided if two units are
        equal, which is no estimate of how much units differ.
        """
        if _equal_by_chance(interval):
            return Verdict.UNDECIDED
        if self.low < interval.low and interval.high < self.high:
            return Verdict.HOLDS
        if interval.high < self.low or interval.low > self.high:
            return Verdict.FAILS
        return Verdict.UNDECIDED

    def p_value(self, interval: Interval) -> float:
        """Below :data:`LEVEL` just where the verdict is not undecided: of the ends that are passed
        for the verdict the estimate speaks for, the larger p-value (two one-sided tests where there
        are two, Schuirmann 1987).
        """
        if _equal_by_chance(interval):
            return 1.0
        if interval.mean <= self.low:
            return interval.p_value(self.low)
        if interval.mean >= self.high:
            return interval.p_value(self.high)
        return max(interval.p_value(end) for end in self.ends())

    def ends(self) -> list[float]:
        """The ends that are thresholds."""
        return [end for end in (self.low, self.high) if math.isfinite(end)]


def _equal_by_chance(interval: Interval) -> bool:
    return interval.low == interval.high and interval.count < FEWEST_EQUAL


@dataclass(frozen=True)
class MoreThan:
    """Above the threshold: the interval's lower bound must be. Of a ratio the threshold is one."""

    threshold: float

    def __post_init__(self) -> None:
        check_fields(self, threshold=number(0))

    def region(self, ratio: bool) -> Region:
        return Region(self.threshold, math.inf)


@dataclass(frozen=True)
class NoWorse:
    """Worse by less than the margin, or better: the lower bound must lie above minus the margin. Of
    a ratio (1.25: a fifth worse at most) above one by the margin.
    """

    margin: float

    def __post_init__(self) -> None:
        check_fields(self, margin=number(above=0))

    def region(self, ratio: bool) -> Region:
        return Region(1 / self.margin if ratio else -self.margin, math.inf)


@dataclass(frozen=True)
class Within:
    """Equal up to the margin in both directions: both bounds must lie within it. Of a ratio (1.25:
    from 0.8 to 1.25) within its factor.
    """

    margin: float

    def __post_init__(self) -> None:
        check_fields(self, margin=number(above=0))

    def region(self, ratio: bool) -> Region:
        return Region(1 / self.margin if ratio else -self.margin, self.margin)


Kind = MoreThan | NoWorse | Within

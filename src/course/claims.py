"""Claims: what a chapter states, checked against what was measured.

A claim holds when the mean of the paired differences reaches its target *and* their 95 % interval excludes 0. A claim that something
is "no worse" has a target of 0 and a margin: its interval must exclude everything worse than the margin. A claim is printed
in words that do not depend on the machine; the figures have a decimal point and may.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from course.foundation.validation import check_fields, number, text

#: Fewest seeds that an interval may rest on.
FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval over ``count`` seeds (Student's t)."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"


def interval(differences: Sequence[float]) -> Interval:
    """The mean of paired differences, one a seed, with its 95 % interval.

    Raises:
        ValueError: for fewer than :data:`FEWEST_SEEDS` differences.
    """
    values = np.asarray(differences, dtype=float)
    if len(values) < FEWEST_SEEDS:
        raise ValueError(f"{len(values)} seeds: an interval needs at least {FEWEST_SEEDS}")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half), len(values))


@dataclass(frozen=True)
class Claim:
    """A statement about a difference.

    Attributes:
        number: as in the table of claims, e.g. ``"1a"``.
        statement: one sentence.
        reported: what the source reports, if it is comparable and was read there.
        unit: of the difference, e.g. ``"points"``.
        at_least: the target for the mean of the differences.
        margin: by how much "no worse" may be worse; 0 for a claim that something is better.
        source: where the idea comes from, a key of the bibliography.
    """

    number: str
    statement: str
    at_least: float
    source: str
    reported: str = "no comparable figure"
    unit: str = "points"
    margin: float = 0.0

    def __post_init__(self):
        check_fields(
            self, number=text(), statement=text(), at_least=number(), source=text(), reported=text(), unit=text(),
            margin=number(0),
        )  # fmt: skip

    def holds(self, measured: Interval) -> bool:
        """Whether the target is reached, and everything at or under minus the margin lies outside the interval."""
        return measured.mean >= self.at_least and measured.low > -self.margin

    def line(self, measured: Interval) -> str:
        """The claim with its verdict, then what was measured and wanted, then the source."""
        verdict = "holds" if self.holds(measured) else "DOES NOT HOLD"
        return (
            f"{self.number} {verdict}: {self.statement}\n"
            f"   measured {measured} {self.unit}, {measured.count} seeds\n"
            f"   wanted a mean of at least {self.at_least:.1f} and an interval above {-self.margin or 0.0:.1f}\n"
            f"   source {self.source}: {self.reported}"
        )

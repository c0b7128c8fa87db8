"""Claims: what a chapter states, checked against what was measured.

A claim stands beside the study that measures it. It holds when the mean of the paired differences
reaches its target *and* their 95 % interval excludes 0. A claim that something is "no worse" has a
target of 0 and a margin: its interval must exclude everything worse than the margin. A claim is
printed in words that do not depend on the machine; the figures have a decimal point and may.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.foundation.intervals import Interval, interval
from course.foundation.validation import (
    check_fields,
    each,
    function,
    instance,
    number,
    optional,
    text,
)
from course.studies.records import Study, read_record


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
        studies: whose records tell.
        differences: the paired differences, one a seed, from the table of each study.
        fails: why the claim does not hold; empty for a claim that should hold.
    """

    number: str
    statement: str
    at_least: float
    source: str
    reported: str = "no comparable figure"
    unit: str = "points"
    margin: float = 0.0
    studies: tuple[Study, ...] = ()
    differences: Callable[..., Sequence[float] | np.ndarray] | None = None
    fails: str = ""

    def __post_init__(self) -> None:
        check_fields(
            self,
            number=text(),
            statement=text(),
            at_least=number(),
            source=text(),
            reported=text(),
            unit=text(),
            margin=number(0),
            studies=each(instance(Study)),
            differences=optional(function()),
            fails=text(empty=True),
        )

    def measured(self) -> Interval:
        """The mean difference with its interval, from the stored records.

        Raises:
            ValueError: if the claim does not say how it is measured.
            RecordError: if a record is missing, or of other weights; see :func:`read_record`.
        """
        if self.differences is None:
            raise ValueError(
                f"claim {self.number} ({self.statement!r}): expected a function of the records"
                " of its studies in 'differences'"
            )
        tables: list[pd.DataFrame] = [read_record(study).table() for study in self.studies]
        return interval([*self.differences(*tables)])

    def holds(self, measured: Interval) -> bool:
        """Whether the target is reached and the interval excludes what is worse than the margin."""
        return measured.mean >= self.at_least and measured.low > -self.margin

    def line(self, measured: Interval | None = None) -> str:
        """The claim with its verdict, then what was measured and wanted, then the source."""
        measured = measured or self.measured()
        verdict = "holds" if self.holds(measured) else "DOES NOT HOLD"
        return (
            f"{self.number} {verdict}: {self.statement}\n"
            f"   measured {measured} {self.unit}, {measured.count} seeds\n"
            f"   wanted a mean of at least {self.at_least:.1f}"
            f" and an interval above {-self.margin or 0.0:.1f}\n"
            f"   source {self.source}: {self.reported}"
        )

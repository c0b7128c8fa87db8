"""Claims: what a chapter states, tested against what was measured; three kinds, three verdicts.

A claim stands beside the study that measures it, with its threshold, set before anything was
measured. It is *more than T*, *no worse than m* or *within m*; it holds if the whole 95 % interval
lies where that is true, fails if the whole interval lies where it is not, and is undecided if the
interval straddles the threshold. Ratios are compared on the log scale.

    >>> from course.studies.claims import Claim, MoreThan, Varies
    >>> claim = Claim(
    ...     "0a",
    ...     "The tuned model beats the base model.",
    ...     MoreThan(10),
    ...     "wei2022finetuned",
    ...     varies=(Varies.ITEMS, Varies.TRAINING),
    ...     values=lambda: [14.0, 16.5, 15.2, 17.1, 15.9],  # paired differences, one a seed
    ... )
    >>> finding = claim.measure()
    >>> str(finding.interval), str(finding.verdict)
    ('+15.7 [+14.3, +17.2]', 'holds')

What is true by construction is a :class:`Demonstration`, which has no verdict.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import UNBOUNDED, Independent, Interval, Sample
from course.foundation.validation import (
    anything,
    boolean,
    check_fields,
    each,
    function,
    instance,
    one_of,
    optional,
    text,
)
from course.studies.records import Study, read_record
from course.studies.verdicts import Kind, MoreThan, NoWorse, Region, Verdict, Within

#: What a difference of two percentages cannot leave.
POINTS = (-100.0, 100.0)


class Varies(StrEnum):
    """What differs between the units that an interval rests on."""

    ITEMS = "test items"
    TRAINING = "training"
    PRETRAINING = "pretraining"


@dataclass(frozen=True)
class Finding:
    """What was measured for a claim: its interval on so many units, the verdict, the p-value that
    belongs to it, and what a cheat reaches.
    """

    interval: Interval
    units: str
    verdict: Verdict
    p_value: float
    baselines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A statement about a difference or a ratio.

    Attributes:
        number: as in the table of claims, e.g. ``"1a"``.
        statement: one sentence, no other claim's.
        kind: what it claims, with its threshold.
        source: where the idea comes from, a key of the bibliography.
        varies: what differs between the units that the interval rests on; it says nothing of the
            rest.
        studies: whose records tell.
        values: what was measured, from the table of each study: paired differences (or, with
            ``ratio``, ratios), one for each independent unit, or another design of
            :mod:`course.foundation.intervals`.
        reported: what the source reports; empty unless it is comparable and was read there.
        unit: of the difference or the ratio, e.g. ``"points"``.
        bounds: what the quantity cannot leave. None: that of its unit, -100 to 100 points; 0 and
            more for a ratio.
        ratio: whether it is a ratio, compared on the log scale.
        baselines: what a cheat would reach (the majority's label, the claim alone), by name, from
            the same tables.
        exploratory: whether the question came up after the figures were seen.
        expected: the verdict that the stored records give; :func:`undecided` and :func:`fails`
            set it with its cause.
        because: why it does not hold; empty for a claim that does.
    """

    number: str
    statement: str
    kind: Kind
    source: str
    varies: tuple[Varies, ...]
    studies: tuple[Study, ...] = ()
    values: Callable[..., Sample | Sequence[float] | np.ndarray] | None = None
    reported: str = ""
    unit: str = "points"
    bounds: tuple[float, float] | None = None
    ratio: bool = False
    baselines: Callable[..., Mapping[str, float]] | None = None
    exploratory: bool = False
    expected: str = "holds"
    because: str = ""

    def __post_init__(self) -> None:
        check_fields(
            self,
            number=text(),
            statement=text(),
            kind=instance(MoreThan, NoWorse, Within),
            source=text(),
            varies=each(one_of(Varies), 1),
            studies=each(instance(Study)),
            values=optional(function()),
            reported=text(empty=True),
            unit=text(),
            bounds=anything(),
            ratio=boolean(),
            baselines=optional(function()),
            exploratory=boolean(),
            expected=one_of([str(verdict) for verdict in Verdict]),
            because=text(empty=True),
        )
        self._check_expected()
        self._check_it_could_fail()

    def _check_expected(self) -> None:
        if (self.expected == Verdict.HOLDS) == bool(self.because):
            raise ValueError(
                f"claim {self.statement!r}: expected={self.expected!r},"
                f" because={self.because!r}: expected a cause for every claim that does not hold,"
                " and for no other"
            )

    def _check_it_could_fail(self) -> None:
        (low, high), region = self.range, self.region
        if self.ratio and not isinstance(self.kind, MoreThan) and self.kind.margin <= 1:
            raise ValueError(
                f"claim {self.statement!r}: {self.kind} of a ratio: expected a margin above 1, the"
                " factor by which it may differ"
            )
        if region.low <= low and region.high >= high:
            raise ValueError(
                f"claim {self.statement!r}: {self.kind} is true of all values from {low} to {high},"
                " so it cannot fail; expected a threshold that can be missed"
            )
        if region.low >= high or region.high <= low:
            raise ValueError(
                f"claim {self.statement!r}: {self.kind} is true of no value from {low} to {high};"
                " expected a threshold that can be reached"
            )

    @property
    def range(self) -> tuple[float, float]:
        """What the quantity cannot leave."""
        if self.bounds is not None:
            return self.bounds
        if self.ratio:
            return 0.0, math.inf
        return POINTS if self.unit == "points" else UNBOUNDED

    @property
    def region(self) -> Region:
        """The values of which it is true."""
        return self.kind.region(self.ratio)

    def tables(self) -> list[pd.DataFrame]:
        """The tables of its studies, from their records.

        Raises:
            RecordError: if a record is missing, or of other weights; see :func:`read_record`.
        """
        return [read_record(study).table() for study in self.studies]

    def measure(self, tables: Sequence[pd.DataFrame] | None = None) -> Finding:
        """What the stored records, or these tables of its studies, say of it.

        Raises:
            ValueError: if the claim does not say how it is measured.
            RecordError: see :meth:`tables`.
        """
        if self.values is None:
            raise ValueError(
                f"claim {self.number} ({self.statement!r}): expected a function of the records"
                " of its studies in 'values'"
            )
        tables = self.tables() if tables is None else tables
        sample = _sample(self.values(*tables))
        interval = sample.interval(self.ratio, self.range)
        return Finding(
            interval,
            sample.units(),
            self.region.verdict(interval),
            self.region.p_value(interval),
            {} if self.baselines is None else dict(self.baselines(*tables)),
        )


@dataclass(frozen=True)
class Demonstration:
    """Something that is true by construction, shown with its figures and without a verdict.

    Attributes:
        number: as in the table of claims.
        statement: one sentence, no other claim's.
        source: where the idea comes from, a key of the bibliography.
        why: what makes it true.
        studies: whose records have the figures.
        figures: figures by name, from the table of each study.
    """

    number: str
    statement: str
    source: str
    why: str
    studies: tuple[Study, ...] = ()
    figures: Callable[..., Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        check_fields(
            self,
            number=text(),
            statement=text(),
            source=text(),
            why=text(),
            studies=each(instance(Study)),
            figures=optional(function()),
        )

    def measure(self) -> dict[str, float]:
        """Its figures, from the stored records.

        Raises:
            RecordError: if a record is missing, or of other weights; see :func:`read_record`.
        """
        tables = [read_record(study).table() for study in self.studies]
        return {} if self.figures is None else dict(self.figures(*tables))


def undecided(because: str) -> dict[str, Any]:
    """Settings of a claim whose interval straddles its threshold, with the cause."""
    return {"expected": str(Verdict.UNDECIDED), "because": because}


def fails(because: str) -> dict[str, Any]:
    """Settings of a claim that fails, with the cause."""
    return {"expected": str(Verdict.FAILS), "because": because}


def _sample(values: Any) -> Sample:
    """What a claim measured, as a sample: a plain sequence has one value for each seed."""
    return values if isinstance(values, Sample) else Independent(np.asarray(values, dtype=float))

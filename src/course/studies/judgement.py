"""Judge claims together: measure each, correct the verdicts for how many there are, and count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from course.foundation.holm import holm
from course.studies.claims import Claim, Demonstration, Finding
from course.studies.records import RecordError, Study, read_record
from course.studies.verdicts import LEVEL, Verdict


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured and the verdict after Holm's correction."""

    claim: Claim
    finding: Finding
    corrected: Verdict


@dataclass(frozen=True)
class Shown:
    """A demonstration with its figures."""

    claim: Demonstration
    figures: Mapping[str, float]


Line = Judged | Shown


def judged(everything: Sequence[Claim | Demonstration], numbers: Sequence[str]) -> list[Line]:
    """The claims and demonstrations with these numbers, in the order of the numbers, judged among
    all claims that were stated.

    Raises:
        RecordError: if the record of one of them is missing or stale.
    """
    claims = [claim for claim in everything if isinstance(claim, Claim)]
    table = cache(lambda study: read_record(study).table())  # many claims rest on one study
    findings = [_finding(claim, table, claim.number in numbers) for claim in claims]
    verdicts = corrected_verdicts(
        [Verdict.UNDECIDED if f is None else f.verdict for f in findings],
        [1.0 if f is None else f.p_value for f in findings],
    )
    lines = {
        claim.statement: Judged(claim, finding, verdict)
        for claim, finding, verdict in zip(claims, findings, verdicts, strict=True)
        if finding
    }
    return [
        lines[c.statement] if isinstance(c, Claim) else Shown(c, c.measure())
        for number in numbers
        for c in everything
        if c.number == number
    ]


def _finding(claim: Claim, table: Callable[[Study], pd.DataFrame], wanted: bool) -> Finding | None:
    """What was measured; None for a claim of another chapter whose record is missing or stale: as
    long as it is not measured, it counts among the claims with a p-value of 1.
    """
    try:
        return claim.measure([table(study) for study in claim.studies])
    except RecordError:
        if wanted:
            raise
        return None


def corrected_verdicts(verdicts: Sequence[Verdict], p_values: Sequence[float]) -> list[Verdict]:
    """The verdicts of all claims after Holm's correction: what is not significant any more is
    undecided.
    """
    return [
        verdict if p < LEVEL else Verdict.UNDECIDED
        for verdict, p in zip(verdicts, holm(p_values), strict=True)
    ]


def verdict_counts(lines: Sequence[Line]) -> pd.DataFrame:
    """How many claims there are and how many hold, fail and are undecided, as measured and after
    Holm's correction, and how many demonstrations: a row a chapter, then one for all.
    """
    rows = pd.DataFrame([_counted(line) for line in lines]).groupby("chapter").sum()
    return pd.concat([rows, rows.sum().to_frame("all").T]).astype(int)


def _counted(line: Line) -> dict[str, str | int]:
    names = ["claims", *Verdict, *(f"{verdict} after Holm" for verdict in Verdict), "shown"]
    counts: dict[str, str | int] = {str(name): 0 for name in names}
    if isinstance(line, Judged):
        found = ["claims", str(line.finding.verdict), f"{line.corrected} after Holm"]
    else:
        found = ["shown"]
    return {"chapter": line.claim.number[0]} | counts | dict.fromkeys(found, 1)

"""The table of claims as HTML for pages and as text for terminals: figure, bar, verdict, Holm's
verdict.

The figures have a decimal point and may differ between machines; the words do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from course.foundation.intervals import Interval
from course.plots.interval_bar import interval_bar
from course.studies.claims import Claim, Demonstration, Finding, Varies
from course.studies.judgement import Line, Shown, judged
from course.studies.verdicts import MoreThan, NoWorse

#: Seeds that a claim should rest on, and pretrained bodies if it is about pretraining.
_WANTED_SEEDS, _WANTED_BODIES = 5, 3
_HEADINGS = ("Claim", "Measured, 95 % interval", "Verdict", "After Holm")


@dataclass(frozen=True)
class ClaimsTable:
    """Lines of the table of claims; a notebook shows them as a table, a terminal as text."""

    lines: tuple[Line, ...]

    def __repr__(self) -> str:
        return "\n".join(_text(line) for line in self.lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in _HEADINGS)
        rows = "\n".join(_html(line) for line in self.lines)
        return (
            '<div style="overflow-x: auto"><table class="claims"><thead>'
            f"<tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
        )


def table_of(everything: Sequence[Claim | Demonstration], numbers: Sequence[str]) -> ClaimsTable:
    """The claims and demonstrations with these numbers (default: all), judged among all of these.

    Raises:
        ValueError: for a number that none of them has.
        RecordError: if the record of one of them is missing or stale.
    """
    known = [*dict.fromkeys(claim.number for claim in everything)]
    if unknown := [number for number in numbers if number not in known]:
        raise ValueError(f"no claim {', '.join(unknown)}; choose from {', '.join(known)}")
    return ClaimsTable(tuple(judged(everything, numbers or known)))


def _text(line: Line) -> str:
    if isinstance(line, Shown):
        shown, figures = line.claim, _figures(line.figures)
        parts = [
            f"by construction: {shown.why}",
            *([f"measured {figures}"] if figures else []),
            f"source {shown.source}",
        ]
        return "\n   ".join([f"{shown.number} shown: {shown.statement}", *parts])
    claim, finding = line.claim, line.finding
    parts = [
        f"measured {_measured(claim, finding.interval)}, {finding.units}; wanted {_wanted(claim)}",
        f"after Holm: {line.corrected}",
        *_notes(claim, finding),
    ]
    return "\n   ".join([f"{claim.number} {finding.verdict}: {claim.statement}", *parts])


def _html(line: Line) -> str:
    if isinstance(line, Shown):
        shown = line.claim
        notes = [f"By construction: {shown.why}.", f"Source {shown.source}."]
        cells = (_figures(line.figures), "shown", "")
        return _row(shown.number, shown.statement, notes, cells)
    claim, finding = line.claim, line.finding
    measured, wanted = _measured(claim, finding.interval), _wanted(claim)
    region = claim.region
    bar = interval_bar(
        finding.interval.low,
        finding.interval.mean,
        finding.interval.high,
        (region.low, region.high),
        claim.ratio,
        escape(f"measured {measured}, wanted {wanted}"),
    )
    notes = [f"{note[0].upper()}{note[1:]}" for note in _notes(claim, finding)]
    cells = (
        f"{escape(measured)}<br>{bar}<br><small>{escape(f'wanted {wanted}; {finding.units}')}"
        "</small>",
        f"<strong>{finding.verdict}</strong>",
        str(line.corrected),
    )
    return _row(claim.number, claim.statement, notes, cells)


def _row(number: str, statement: str, notes: Sequence[str], cells: Sequence[str]) -> str:
    """A row of the table; the cells are HTML already."""
    described = f"<strong>{escape(number)}</strong> {escape(statement)}"
    small = f"<small>{'<br>'.join(escape(note) for note in notes)}</small>"
    first = f'<td style="text-align: left">{described}<br>{small}</td>'
    return f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _notes(claim: Claim, finding: Finding) -> list[str]:
    """What one must know to read the figure, a line each."""
    notes = [_what_varies(claim.varies)]
    if claim.exploratory:
        notes.append("exploratory: the question came up after the figures were seen")
    if shortage := _shortage(claim, finding.interval.count):
        notes.append(shortage)
    if finding.interval.low == finding.interval.high:
        notes.append("all seeds agree: the interval says nothing finer than one test item")
    if finding.baselines:
        notes.append(f"a cheat reaches: {_figures(finding.baselines)}")
    if claim.because:
        notes.append(f"why: {claim.because}")
    reported = f": {claim.reported}" if claim.reported else ""
    return [*notes, f"source {claim.source}{reported}"]


def _shortage(claim: Claim, units: int) -> str:
    """That a claim rests on fewer units than it should; empty if it does not."""
    bodies = Varies.PRETRAINING in claim.varies
    wanted = _WANTED_BODIES if bodies else _WANTED_SEEDS
    kind = "bodies" if bodies else "seeds"
    return f"few {kind}: {wanted} are wanted" if units < wanted else ""


def _what_varies(varies: Sequence[Varies]) -> str:
    fixed = [str(one) for one in Varies if one not in varies]
    varied = " and ".join(str(one) for one in Varies if one in varies)
    return f"varies {varied}" + (f", not {' or '.join(fixed)}" if fixed else "")


def _wanted(claim: Claim) -> str:
    region = claim.region
    if isinstance(claim.kind, MoreThan):
        return f"more than {_number(region.low, claim) if region.low else 0}"
    if isinstance(claim.kind, NoWorse):
        return f"no worse: above {_number(region.low, claim)}"
    return f"equal: {_number(region.low, claim)} to {_number(region.high, claim)}"


def _measured(claim: Claim, interval: Interval) -> str:
    mean, low, high = (
        _number(value, claim) for value in (interval.mean, interval.low, interval.high)
    )
    return f"{mean} [{low}, {high}] {claim.unit}"


def _number(value: float, claim: Claim) -> str:
    """A difference with its sign, a ratio without, never "-0.0"; small thresholds get two
    decimals.
    """
    ends = claim.region.ends()
    decimals = 2 if 0 < max(abs(end) for end in ends) < 1 else 1
    return f"{value:z.{decimals}f}" if claim.ratio else f"{value:+z.{decimals}f}"


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:z.1f}" for name, value in figures.items())

"""Expressions, equations and lists in a text: numbers that belong together, and the one number that
they come to.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from course.tasks.numerals import LETTER, Numeral

#: What may follow a number: percent, currency, degrees, up to three words or signs of a unit.
UNIT = rf"(?: ?[%°€$£¥]|[ -]?[{LETTER}]+\.?|[^\x00-\u2e7f]{{1,3}}?){{0,3}}?"
_OPERATOR = re.compile(
    rf"[)\]]*{UNIT} ?[)\]]*(?: ?[-+*/×÷^] ?|(?<![{LETTER}])x(?![{LETTER}]) ?"
    r"| (?:times|plus|minus|over|less|multiplied by|divided by) )[(\[]*|\(",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"[^.!?\n]{0,60}=[\s({\[]*(?:[A-Za-z] ?= ?)?")
_GIVES = re.compile(
    r"\)?,? ?(?:which |that )?(?:is|are|equals|makes|gives|leaves|is equal to|得|等於|等于)(?: to"
    r"| exactly| about)? ?(?:[A-Za-z]+ )?",
    re.IGNORECASE,
)
_LIST = re.compile(
    rf"{UNIT},? ?(?:\b(?:and|or|to|through|and/or|nor|versus|vs)\b|&|和|及|與|与|或|、|到|至)"
    r" ?(?:(?:rather|about|maybe|perhaps|possibly|also|even|another|the|else|to) ?){0,2}"
    r"|[%°]? ?,,? ?|:| : | ?、|(?:,? ?\(?[a-z]\) )",
    re.IGNORECASE,
)
_MIXED_UNITS = re.compile(
    r" ?(?:years?|months?|weeks?|days?|hours?|hrs?|h|minutes?|mins?|feet|foot|ft|'|pounds?|lbs?"
    r"|dollars?|bucks|quarters|meters?|m|km|kg)"
    r"\.?,? ?",
    re.IGNORECASE,
)
_OF = re.compile(r" of (?:the |these |those )?", re.IGNORECASE)


@dataclass(frozen=True)
class Linked(Numeral):
    """A number of a run, with what joins it to the one before: ``"operator"``, ``"="``, ``"list"``,
    ``"or"``, or ``""`` for the first.
    """

    link: str = ""


#: Numbers that belong together, in their order.
Run = list[Linked]


def number_runs(text: str, found: Sequence[Numeral]) -> list[Run]:
    """Numbers in runs: expressions, equations and lists."""
    runs: list[Run] = []
    for numeral in found:
        link = _link(text, runs[-1], numeral) if runs else ""
        if not link:
            runs.append([])
        runs[-1].append(Linked(**vars(numeral), link=link))
    return runs


def _link(text: str, run: Run, after: Numeral) -> str:
    """What joins a number to the run before it, by the text between them; empty for nothing."""
    before = run[-1]
    gap = text[before.end : min(after.start, before.end + 80)]
    if len(gap) == 80:
        return ""
    if after.joined:
        return "operator"
    if _EQUALS.fullmatch(gap) or before.link == "operator" and _GIVES.fullmatch(gap):
        return "="
    if (
        _OPERATOR.fullmatch(gap)
        or _OF.fullmatch(gap)
        and before.value is not None
        and 0 < before.value < 1
    ):
        return "operator"
    if _LIST.fullmatch(gap) or _MIXED_UNITS.fullmatch(gap):
        return "or" if re.search(r"\bor\b|或", gap) else "list"
    return ""


def result_of(run: Run) -> Linked | None:
    """The number that a run comes to: behind its last ``=``, or before it where that side is the
    only number; None if it is several.

    "0.5 or 1/2" is one number, said twice.
    """
    sides: list[Run] = [[]]
    for numeral in run:
        if numeral.link == "=":
            sides.append([])
        sides[-1].append(numeral)
    last = sides[-1]
    if len({n.value for n in last}) == 1 and all(n.link == "or" for n in last[1:]):
        return last[0]
    return (
        sides[0][0]
        if len(sides) > 1 and len(sides[0]) == 1 and all(n.link == "operator" for n in last[1:])
        else None
    )

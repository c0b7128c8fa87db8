"""Error analysis of chains of thought: each step checked, the first wrong one marked."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from course.reasoning.solving import Attempt
from course.world.maps import neighbours
from course.world.relations import relations

#: The fault of a chain -> what it means. The world (or arithmetic) says whether a step is true, the
#: right solution says which step comes next.
FAULTS = {
    "false": "the step is false",
    "not next": "the step is true, but it is not the one that is needed here",
    "stops": "the chain stops too early",
    "goes on": "the chain goes on too long",
    "answer": "all steps are right, the answer is not",
    "none": "right throughout",
}
#: Longer numbers are noise, and Python refuses to convert them; steps with them are not judged.
_OPERAND = r"\d[\d,]{0,39}(?![\d,]*\d)(?:\.\d{1,40}(?!\d)|(?!\.\d))"
_SUM = re.compile(
    rf"(?<![\d.])((?:\$?{_OPERAND}%?\s*[-+*/x×÷]\s*)+\$?{_OPERAND}%?)\s*=\s*\$?({_OPERAND})"
)
_HOP = re.compile(r"(\w+) of (\w+) is (\w+)")
_ENDING = re.compile(r"(\w+) ends with (\w+)")
#: The steps of the micro-world look like this and not otherwise, so they can be compared word by
#: word.
_PLAIN_STEP = re.compile(rf"\d+ [-+] \d+ = \d+|{_HOP.pattern}|{_ENDING.pattern}")


@dataclass(frozen=True)
class Trace:
    """An attempt taken apart; shown as a list in a notebook, as lines elsewhere.

    Attributes:
        attempt: the whole attempt.
        steps: its steps, without the sentence that announces the answer.
        first_wrong: number of the first wrong step, from 0; the number of steps if the fault comes
            after them; None if all is right.
        fault: one of :data:`FAULTS`.
    """

    attempt: Attempt
    steps: tuple[str, ...]
    first_wrong: int | None
    fault: str

    def lines(self) -> list[tuple[str, str]]:
        """(mark, text) of each step and of the answer: ✓ right, ✗ the first wrong one, · after it
        or not judged.
        """
        wrong = len(self.steps) if self.first_wrong is None else self.first_wrong
        judged = [is_true(step) is not None for step in self.steps]
        marked = [
            ("✗" if i == wrong else "✓" if i < wrong and judged[i] else "·", step)
            for i, step in enumerate(self.steps)
        ]
        return [
            *marked,
            (
                "✓" if self.attempt.right else "✗",
                f"answer: {self.attempt.answer} (right: {self.attempt.problem.output})",
            ),
        ]

    def __repr__(self) -> str:
        head = [self.attempt.problem.question, *(f"  {mark} {text}" for mark, text in self.lines())]
        return "\n".join([*head, f"  {FAULTS[self.fault]}"])

    def _repr_html_(self) -> str:
        # the page's own colours, so that it can be read on a light and on a dark page
        rows = []
        for number, (mark, text) in enumerate(self.lines()):
            bold = (
                "font-weight:bold;border-left:4px solid #d55e00;"
                if number == self.first_wrong
                else "border-left:4px solid transparent;"
            )
            note = f" — {html.escape(FAULTS[self.fault])}" if number == self.first_wrong else ""
            rows.append(
                f'<li style="list-style:none;padding-left:0.6em;{bold}">'
                f"{mark} {html.escape(text)}{note}</li>"
            )
        question = html.escape(self.attempt.problem.question)
        return (
            f'<div style="color:inherit"><p>{question}</p>'
            f'<ol style="padding-left:0;margin:0">{"".join(rows)}</ol></div>'
        )


def trace(attempt: Attempt) -> Trace:
    """The steps of an attempt and the first wrong one.

    Where the right solution is no chain of the micro-world (GSM8K), a step is wrong if its
    arithmetic is wrong; steps that are left out are not noticed.
    """
    steps, right = written_steps(attempt.text), attempt.problem.steps
    known = all(_PLAIN_STEP.fullmatch(step) for step in right)
    for number, step in enumerate(steps):
        if is_true(step) is False:
            return Trace(attempt, steps, number, "false")
        if known and number >= len(right):
            return Trace(attempt, steps, number, "goes on")
        if known and step != right[number]:
            return Trace(attempt, steps, number, "not next")
    if known and len(steps) < len(right):
        return Trace(attempt, steps, len(steps), "stops")
    return (
        Trace(attempt, steps, None, "none")
        if attempt.right
        else Trace(attempt, steps, len(steps), "answer")
    )


def written_steps(text: str) -> tuple[str, ...]:
    """The steps of a written chain: its sentences and lines up to the one that announces the
    answer.
    """
    sentences = [part.strip(" .") for part in re.split(r"\s*\.(?=\s|$)|\n", text)]
    steps = []
    for sentence in sentences:
        if re.search(r"\banswer\b|####|\\boxed", sentence):
            break
        if sentence:
            steps.append(sentence)
    return tuple(steps)


def is_true(step: str) -> bool | None:
    """Whether a step is true, in arithmetic or in the micro-world; None if it cannot be judged."""
    if sums := _SUM.findall(step):
        return all(_comes_to(left, right) for left, right in sums)
    if hop := _HOP.fullmatch(step):
        return neighbours().get((hop[2], hop[1])) == hop[3]
    if ending := _ENDING.fullmatch(step):
        return relations()["last_letter"].table.get(ending[1]) == ending[2]
    return None


def _comes_to(expression: str, written: str) -> bool:
    """Whether an expression has the value that is written, exactly or rounded to the decimals that
    it is written with.
    """
    value, decimals = _value(expression), len(written.partition(".")[2])
    if value is None:
        return False
    return abs(value - _number(written)) <= (Fraction(1, 2 * 10**decimals) if decimals else 0)


def _number(text: str) -> Fraction:
    value = Fraction(re.sub(r"[$,%]", "", text))
    return value / 100 if text.endswith("%") else value


def _value(expression: str) -> Fraction | None:
    """The value of numbers with ``+ - * /`` between them, products first; None where it would
    divide by zero.
    """
    first, *rest = re.split(r"\s*([-+*/x×÷])\s*", expression.strip())
    terms = [_number(first)]
    for sign, text in zip(rest[::2], rest[1::2], strict=True):
        number = _number(text)
        if sign in "+-":
            terms.append(number if sign == "+" else -number)
        elif sign in "/÷" and number == 0:
            return None
        else:
            terms[-1] = terms[-1] / number if sign in "/÷" else terms[-1] * number
    return sum(terms, Fraction(0))


def where_errors_begin(attempts: Sequence[Sequence[Attempt]]) -> pd.DataFrame:
    """Share of the chains (percent) whose first fault is at each step, from 1, by kind; a row a
    kind, ``"none"`` in column 0.
    """
    traces = [trace(a) for tries in attempts for a in tries]
    table = pd.DataFrame(
        {
            "fault": [t.fault for t in traces],
            "step": [0 if t.first_wrong is None else t.first_wrong + 1 for t in traces],
        }
    )
    return 100 * pd.crosstab(table.fault, table.step) / len(traces)

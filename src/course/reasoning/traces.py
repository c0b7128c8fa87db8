"""Error analysis of chains of thought: each step checked, the first wrong one marked.

A word problem of the micro-world has several derivations. Its chains are followed step by step: a
step is wrong if it is false or if no derivation goes on with it, whatever its wording
(:func:`course.world.problems.check` says the same of whole solutions). Chains of other tasks are
compared with the one right solution.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from course.reasoning.problems import Problem
from course.reasoning.solving import Attempt
from course.world import sums
from course.world.maps import neighbours
from course.world.problems import read_problem
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
_NOISE = re.compile(r"\d{41}")
#: The steps of routes and letters look like this and not otherwise, so they can be compared word by
#: word.
_PLAIN_STEP = re.compile(rf"{_HOP.pattern}|{_ENDING.pattern}")
#: A sum of the micro-world in one of its wordings, and nothing else.
_WORDED_SUM = re.compile(
    "|".join(
        re.escape(frame.removesuffix(" .").format(a="0", b="0", c="0")).replace("0", r"\d+")
        for frames in sums.WORDINGS.values()
        for frame in frames
    )
)


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
    steps = written_steps(attempt.text)
    number, fault = _first_fault(steps, attempt.problem)
    if fault == "none" and not attempt.right:
        return Trace(attempt, steps, len(steps), "answer")
    return Trace(attempt, steps, number, fault)


def _first_fault(steps: Sequence[str], problem: Problem) -> tuple[int | None, str]:
    """The number of the first wrong step and what is wrong with it."""
    derivation = _Derivation.of(problem)
    if derivation is not None:
        return _fault_in_derivation(steps, derivation)
    right = problem.steps
    known = all(_PLAIN_STEP.fullmatch(step) for step in right)
    for number, step in enumerate(steps):
        if is_true(step) is False:
            return number, "false"
        if known and number >= len(right):
            return number, "goes on"
        if known and step != right[number]:
            return number, "not next"
    return (len(steps), "stops") if known and len(steps) < len(right) else (None, "none")


def _fault_in_derivation(steps: Sequence[str], derivation: "_Derivation") -> tuple[int | None, str]:
    for number, step in enumerate(steps):
        if is_true(step) is False:
            return number, "false"
        for written, result in _read_sums(step):
            if derivation.is_complete:
                return number, "goes on"
            derivation = derivation.after(written, result)
            if not derivation.left:
                return number, "not next"
    return (None, "none") if derivation.is_complete else (len(steps), "stops")


@dataclass(frozen=True)
class _Derivation:
    """How far a word problem is worked out.

    Attributes:
        value: the number reached so far.
        left: every reading of the steps so far: the changes of the story that are left, and the
            rest of one that was taken apart at a ten (0 if none was). No reading: the last step was
            wrong.
    """

    value: int
    left: frozenset[tuple[tuple[int, ...], int]]

    @classmethod
    def of(cls, problem: Problem) -> "_Derivation | None":
        """Nothing worked out yet; None for what is no word problem of the micro-world."""
        if problem.task not in ("problem", "shopping"):
            return None
        try:
            story = read_problem(problem.question)
        except ValueError:
            return None
        if str(story.answer) != problem.output:
            return None
        return cls(story.start, frozenset({(story.changes, 0)}))

    @property
    def is_complete(self) -> bool:
        return ((), 0) in self.left

    def after(self, step: str, result: int) -> "_Derivation":
        """After a sum such as ``"8 + 5"``; without a reading if it does not follow."""
        first, sign, second = step.split()
        change = int(second) if sign == "+" else -int(second)
        follows = int(first) == self.value
        readings = [_read(changes, rest, change, result) for changes, rest in self.left]
        return _Derivation(result, frozenset().union(*readings) if follows else frozenset())


def _read(
    changes: tuple[int, ...], rest: int, change: int, result: int
) -> set[tuple[tuple[int, ...], int]]:
    """What may be left of the changes after one of them, or a part of one, was made."""
    if rest:
        return {(changes, 0)} if change == rest else set()
    readings = set()
    for i, whole in enumerate(changes):
        others = (*changes[:i], *changes[i + 1 :])
        if whole == change:
            readings.add((others, 0))
        elif result % 10 == 0 and change * whole > 0 and abs(change) < abs(whole):
            readings.add((others, whole - change))
    return readings


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
    if equations := _SUM.findall(step):
        return all(_comes_to(left, right) for left, right in equations)
    if _WORDED_SUM.fullmatch(step) and (written := _read_sums(step)):
        return all(sums.result(of) == result for of, result in written)
    if hop := _HOP.fullmatch(step):
        return neighbours().get((hop[2], hop[1])) == hop[3]
    if ending := _ENDING.fullmatch(step):
        return relations()["last_letter"].table.get(ending[1]) == ending[2]
    return None


def _read_sums(step: str) -> list[tuple[str, int]]:
    """The sums of a step, in the wordings of the micro-world; none where a number is noise."""
    return [] if _NOISE.search(step) else sums.read_sums(step)


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

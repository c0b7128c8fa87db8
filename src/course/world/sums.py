"""Sums over the numbers 0 to 99, and how they are written.

Every single sum belongs to a split by its text (``"17 + 5"``); one that is held out occurs in no
document, not even inside a worked solution, in whatever words.
"""

import re
from functools import cache

from course.world.split import is_train

SPLIT_KEY = "sum"
#: The second operand of every sum is at most this; results stay within 0 to 99.
LARGEST_STEP = 10
#: Ways to write a sum down: sign -> frames with the numbers ``{a}``, ``{b}`` and the result
#: ``{c}``; the first is the plain one.
WORDINGS = {
    "+": ("{a} + {b} = {c} .", "{a} plus {b} is {c} .", "{a} and {b} more make {c} ."),
    "-": ("{a} - {b} = {c} .", "{a} minus {b} is {c} .", "{a} without {b} leaves {c} ."),
}
_WRITTEN = re.compile(
    r"(\d+) (\+|-|plus|minus|and|without) (\d+) (?:more )?(?:=|is|make|leaves) (\d+)"
)
_SIGNS = {"+": "+", "plus": "+", "and": "+", "-": "-", "minus": "-", "without": "-"}


def write_sum(step: str, wording: int = 0) -> str:
    """A sum with its result in one of the wordings: ``"17 + 5 = 22 ."``"""
    a, sign, b = step.split(" ")
    return WORDINGS[sign][wording].format(a=a, b=b, c=result(step))


def read_sums(text: str) -> list[tuple[str, int]]:
    """Every sum that a text writes down, in any wording: ``("17 + 5", 22)``, whether true or not."""
    return [(f"{a} {_SIGNS[sign]} {b}", int(c)) for a, sign, b, c in _WRITTEN.findall(text)]


def result(step: str) -> int:
    """The value of ``"a + b"`` or ``"a - b"``.

    Raises:
        ValueError: if the text is no such sum.
    """
    try:
        a, sign, b = step.split()
        return {"+": int(a) + int(b), "-": int(a) - int(b)}[sign]
    except (ValueError, KeyError):
        raise ValueError(
            f"{step!r} is no sum: expected two numbers with '+' or '-' between them, such as '17 + 5'"
        ) from None


@cache
def all_steps() -> dict[str, str]:
    """Every single sum of the world, with its result as text."""
    pairs = [(a, b) for a in range(100) for b in range(1, LARGEST_STEP + 1)]
    sums = {f"{a} + {b}": str(a + b) for a, b in pairs if a + b < 100}
    return sums | {f"{a} - {b}": str(a - b) for a, b in pairs if a >= b}


@cache
def train_steps() -> dict[int, tuple[str, ...]]:
    """number -> the training sums that start from it."""
    steps: dict[int, list[str]] = {a: [] for a in range(100)}
    for step in all_steps():
        if is_train(SPLIT_KEY, step):
            steps[int(step.split(" ", 1)[0])].append(step)
    return {a: tuple(found) for a, found in steps.items()}

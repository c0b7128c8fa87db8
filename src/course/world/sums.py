"""Sums over the numbers 0 to 99, and word problems of one to six steps with worked solutions.

Every single step belongs to a split by its text (``"17 + 5"``); a step that is held out occurs in
no document, not even inside a worked solution. A word problem is a start, then a chain of gains and
losses.
"""

from dataclasses import dataclass
from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.held_out import LONGEST_TRAINING_CHAIN
from course.world.split import is_train

SPLIT_KEY = "sum"
PROBLEM_SPLIT_KEY = "problem"
#: The second operand of every sum is at most this; results stay within 0 to 99.
LARGEST_STEP = 10
TRIGGER = "let us think step by step ."

_THINGS = "apples pears plums lemons peaches hats belts ropes coins books lamps letters".split()
_GAINS = ("{n} buys {k} more .", "{n} finds {k} more .", "then {n} gets {k} .")
_LOSSES = ("{n} sells {k} .", "{n} loses {k} of them .", "then {n} gives away {k} .")


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
def _train_steps() -> dict[int, tuple[str, ...]]:
    """number -> the training steps that start from it."""
    steps: dict[int, list[str]] = {a: [] for a in range(100)}
    for step in all_steps():
        if is_train(SPLIT_KEY, step):
            steps[int(step.split(" ", 1)[0])].append(step)
    return {a: tuple(found) for a, found in steps.items()}


@dataclass(frozen=True)
class Problem:
    """A word problem. ``steps`` are the sums of the worked solution in order, e.g. ``("8 + 5", "13
    - 2")``.
    """

    question: str
    steps: tuple[str, ...]

    @property
    def answer(self) -> str:
        return str(result(self.steps[-1]))

    @property
    def rationale(self) -> str:
        """The worked solution: ``"8 + 5 = 13 . 13 - 2 = 11 ."``"""
        return " ".join(f"{step} = {result(step)} ." for step in self.steps)


def write_problem(rng: Rng, steps: int, train: bool = True) -> Problem:
    """A random problem of ``steps`` steps; with ``train`` one that the corpus may contain.

    Raises:
        ValueError: if ``train`` and ``steps`` is more than the corpus holds.
    """
    if train and steps > LONGEST_TRAINING_CHAIN:
        raise ValueError(
            f"{steps} steps: the corpus holds at most {LONGEST_TRAINING_CHAIN}; pass train=False for longer ones"
        )
    while True:
        problem = _draw_problem(rng, steps, train)
        if not train or is_train(PROBLEM_SPLIT_KEY, problem.question):
            return problem


def _draw_problem(rng: Rng, steps: int, train: bool) -> Problem:
    name, thing = rng.choice(lex.FIRST_NAMES), rng.choice(_THINGS)
    value = 5 + rng.randrange(60)
    lines, chain = [f"{name} has {value} {thing} ."], []
    for _ in range(steps):
        if train:
            step = rng.choice(_train_steps()[value])
        else:
            low, high = -min(value, LARGEST_STEP), min(99 - value, LARGEST_STEP)
            change = 0
            while change == 0:
                change = rng.randint(low, high)
            step = f"{value} {'+' if change > 0 else '-'} {abs(change)}"
        _, sign, k = step.split(" ")
        lines.append(rng.choice(_GAINS if sign == "+" else _LOSSES).format(n=name, k=k))
        chain.append(step)
        value = result(step)
    lines.append(f"how many {thing} does {name} have ?")
    return Problem(" ".join(lines), tuple(chain))

"""Word problems of one to six changes, and the several ways to work them out.

A problem is a start, then a chain of gains and losses. A worked solution (a *derivation*) may take
the changes in the order of the story, gains first, or backwards, and may go through the next ten in
two sums; its sums come in several wordings. So errors of one derivation are not those of another,
and a vote over derivations has something to gain (Wang et al. 2023). :func:`check` tells a true
derivation from a false one.
"""

import re
from dataclasses import dataclass

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world import sums
from course.world.held_out import LONGEST_TRAINING_CHAIN
from course.world.split import is_train

SPLIT_KEY = "problem"
TRIGGER = "let us think step by step ."
#: How often a derivation in the corpus takes each way, where the problem allows it.
WAYS = Weighted({"in order": 3, "gains first": 3, "backwards": 3, "through the ten": 4})

_THINGS = "apples pears plums lemons peaches hats belts ropes coins books lamps letters".split()
_GAINS = ("{n} buys {k} more .", "{n} finds {k} more .", "then {n} gets {k} .")
_LOSSES = ("{n} sells {k} .", "{n} loses {k} of them .", "then {n} gives away {k} .")
_START = re.compile(r"has (\d+) ")
_CHANGE = re.compile(r"(buys|finds|gets|sells|loses|gives away) (\d+)")
_GAINING = frozenset({"buys", "finds", "gets"})


@dataclass(frozen=True)
class Problem:
    """A word problem.

    Attributes:
        question: the text.
        start: the number at the beginning.
        changes: what is gained (above 0) or lost (below 0), in the order of the story.
    """

    question: str
    start: int
    changes: tuple[int, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The sums of the derivation in the order of the story, e.g. ``("8 + 5", "13 - 2")``."""
        return chain(self.start, self.changes)

    @property
    def answer(self) -> str:
        return str(self.start + sum(self.changes))

    @property
    def rationale(self) -> str:
        """The plain derivation: ``"8 + 5 = 13 . 13 - 2 = 11 ."``"""
        return " ".join([sums.write_sum(step) for step in self.steps])


def chain(start: int, changes: tuple[int, ...]) -> tuple[str, ...]:
    """The sums that take the changes one after the other."""
    steps = []
    for change in changes:
        steps.append(f"{start} {'+' if change > 0 else '-'} {abs(change)}")
        start += change
    return tuple(steps)


def read_problem(question: str) -> Problem:
    """The problem that a text states.

    Raises:
        ValueError: if it is no word problem of the micro-world.
    """
    start, changes = _START.search(question), _CHANGE.findall(question)
    if start is None or not changes:
        raise ValueError(
            f"no word problem in {question!r}: expected one such as 'mira has 8 apples . mira buys 5 more .'"
        )
    return Problem(
        question,
        int(start[1]),
        tuple(int(k) if verb in _GAINING else -int(k) for verb, k in changes),
    )


def write_problem(rng: Rng, steps: int, train: bool = True) -> Problem:
    """A random problem with ``steps`` changes; with ``train`` one that the corpus may contain.

    Raises:
        ValueError: if ``train`` and ``steps`` is more than the corpus holds.
    """
    if train and steps > LONGEST_TRAINING_CHAIN:
        raise ValueError(
            f"{steps} steps: the corpus holds at most {LONGEST_TRAINING_CHAIN}; pass train=False for longer ones"
        )
    while True:
        problem = _draw_problem(rng, steps, train)
        if not train or is_train(SPLIT_KEY, problem.question):
            return problem


def _draw_problem(rng: Rng, steps: int, train: bool) -> Problem:
    name, thing = rng.choice(lex.FIRST_NAMES), rng.choice(_THINGS)
    start = value = 5 + rng.randrange(60)
    lines, changes = [f"{name} has {value} {thing} ."], []
    for _ in range(steps):
        change = _draw_change(rng, value, train)
        lines.append(rng.choice(_GAINS if change > 0 else _LOSSES).format(n=name, k=abs(change)))
        changes.append(change)
        value += change
    lines.append(f"how many {thing} does {name} have ?")
    return Problem(" ".join(lines), start, tuple(changes))


def _draw_change(rng: Rng, value: int, train: bool) -> int:
    if train:
        _, sign, k = rng.choice(sums.train_steps()[value]).split(" ")
        return int(k) if sign == "+" else -int(k)
    change = 0
    while change == 0:
        change = rng.randint(-min(value, sums.LARGEST_STEP), min(99 - value, sums.LARGEST_STEP))
    return change


def derivations(problem: Problem, train: bool = True) -> dict[str, tuple[str, ...]]:
    """Way of :data:`WAYS` -> its sums, for the ways that the problem allows and that differ from
    the ones before.

    No value on the way leaves 0 to 99. With ``train`` a way has sums of the training split alone,
    and no more of them than :data:`~course.world.held_out.LONGEST_TRAINING_CHAIN`.
    """
    changes = problem.changes
    ways = {
        "in order": chain(problem.start, changes),
        "gains first": chain(problem.start, tuple(sorted(changes, key=lambda change: change < 0))),
        "backwards": chain(problem.start, changes[::-1]),
        "through the ten": chain(problem.start, _through_the_ten(problem.start, changes)),
    }
    allowed: dict[str, tuple[str, ...]] = {}
    for way, steps in ways.items():
        if (
            steps not in allowed.values()
            and all(step in sums.all_steps() for step in steps)
            and (not train or _is_stated(steps))
        ):
            allowed[way] = steps
    return allowed


def _is_stated(steps: tuple[str, ...]) -> bool:
    return len(steps) <= LONGEST_TRAINING_CHAIN and all(
        is_train(sums.SPLIT_KEY, step) for step in steps
    )


def _through_the_ten(value: int, changes: tuple[int, ...]) -> tuple[int, ...]:
    """The changes with the first one that passes a ten taken apart there: 8 + 5 becomes 8 + 2, then
    10 + 3.
    """
    for i, change in enumerate(changes):
        to_ten = -value % 10 if change > 0 else -(value % 10)
        if 0 < abs(to_ten) < abs(change):
            return (*changes[:i], to_ten, change - to_ten, *changes[i + 1 :])
        value += change
    return changes


def write_solution(rng: Rng, problem: Problem, train: bool = True) -> str:
    """A worked solution: a random way, each of its sums in the same random wording."""
    ways = derivations(problem, train)
    way = WAYS.draw(rng)
    while way not in ways:
        way = WAYS.draw(rng)
    wording = rng.choice((0, 0, 0, 1, 2))
    return " ".join([sums.write_sum(step, wording) for step in ways[way]])


def check(problem: Problem, solution: str) -> str | None:
    """What is wrong with a worked solution, or None if it is a true derivation of the answer.

    True is every solution whose sums are right, follow from one another, and use each change of the
    story once, in whatever order and wording; a change may be taken apart at a ten.
    """
    value, used = problem.start, []
    for step, stated in sums.read_sums(solution):
        a, sign, b = step.split(" ")
        if sums.result(step) != stated:
            return f"{step} is not {stated}"
        if int(a) != value:
            return f"{step} does not start from {value}"
        used.append((value, int(b) if sign == "+" else -int(b)))
        value = stated
    if not _uses(used, list(problem.changes)):
        return "the sums are not those of the story"
    return None


def _uses(used: list[tuple[int, int]], changes: list[int]) -> bool:
    """Whether changes, each from a value, are those of a list, where two in a row that meet at a
    ten may stand for their sum.
    """
    if not used:
        return not changes
    (_, change), rest = used[0], used[1:]
    if change in changes and _uses(rest, _without(changes, change)):
        return True
    if (
        not rest
        or rest[0][0] % 10
        or (change > 0) != (rest[0][1] > 0)
        or change + rest[0][1] not in changes
    ):
        return False
    return _uses(rest[1:], _without(changes, change + rest[0][1]))


def _without(changes: list[int], change: int) -> list[int]:
    left = list(changes)
    left.remove(change)
    return left

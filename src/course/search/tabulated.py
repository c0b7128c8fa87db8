"""Tabulated objectives: every candidate was tried on every item once, so a search among them costs
no model calls, and the best one is known.

The corpus plants the differences. Lists of the micro-world carry titles and the line of a careful
or a hasty author, people's instructions are worded otherwise, and what belongs to another task
misleads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from course.foundation.rng import Rng
from course.lm.contract import TextModel
from course.search.best_arm import BestArmSearch
from course.search.budget import BudgetedEvaluator
from course.search.objective import Objective
from course.world.instructions import INSTRUCTIONS
from course.world.list_documents import AUTHOR_LINES, TITLE_FRAMES
from course.world.lists import list_tasks

#: Candidates of a race, as many as APE writes by default.
CANDIDATES = 250


def candidates(task: str, seed: int, count: int = CANDIDATES) -> tuple[str, ...]:
    """Prompts for a list task, in random order: all that are about it, and some of those that are
    not.

    About it are its title, in each frame that titles have, and people's instructions; with the
    words shuffled, too; and with the line of each author or none. The others are the same of other
    tasks.

    Raises:
        ValueError: for an unknown task, or a count that does not even hold what is about it, or is
            more than there are.
    """
    if task not in list_tasks():
        raise ValueError(f"no list task {task!r}; choose from {', '.join(list_tasks())}")
    rng = Rng(f"candidates/{task}/{seed}")
    own = dict.fromkeys(_signed(_described(task), rng))
    others = dict.fromkeys(
        _signed([text for name in list_tasks() if name != task for text in _described(name)], rng)
    )
    rest = [prompt for prompt in others if prompt not in own]
    if not len(own) <= count <= len(own) + len(rest):
        raise ValueError(
            f"count={count}: expected {len(own)} to {len(own) + len(rest)} candidates for {task!r}"
        )
    drawn = [*own, *rng.sample(rest, count - len(own))]
    return tuple(rng.sample(drawn, count))


def _described(task: str) -> list[str]:
    """A list task in words, in every way of the corpus and of people."""
    frames = [
        frame.removesuffix(" \n").format(t=list_tasks()[task].title)
        for frame in TITLE_FRAMES.options
    ]
    return [*frames, *INSTRUCTIONS[task]]


def _signed(texts: Sequence[str], rng: Rng) -> list[str]:
    """The texts and the same with their words shuffled, with no author's line and with each."""
    shuffled = [" ".join(rng.sample(text.split(), len(text.split()))) for text in texts]
    return [
        author + text
        for text in [*texts, *shuffled]
        for author in ("", *(f"{line} " for line in AUTHOR_LINES.values()))
    ]


@dataclass(frozen=True, eq=False)
class Tabulated(Objective):
    """An objective whose values are all known: no model is called.

    Attributes:
        prompts: the candidates.
        table: their values on the training items, (prompts, items).
        accuracy: their mean scores on test items, in percent, (prompts,).
    """

    prompts: tuple[str, ...]
    table: np.ndarray = field(repr=False)
    accuracy: np.ndarray = field(repr=False)

    @property
    def size(self) -> int:
        return self.table.shape[1]

    @cached_property
    def _row(self) -> dict[str, int]:
        return {prompt: i for i, prompt in enumerate(self.prompts)}

    def values(self, model: TextModel | None, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        rows = [self._row[prompt] for prompt, _ in pairs]
        return self.table[rows, [item for _, item in pairs]]

    def held_out(self, model: TextModel | None, prompt: str) -> float:
        return float(self.accuracy[self._row[prompt]])

    def regret(self, prompt: str) -> float:
        """How far a prompt is behind the best one on test items, in points."""
        return float(self.accuracy.max()) - self.held_out(None, prompt)


def tabulate(objective: Objective, model: TextModel, prompts: Sequence[str]) -> Tabulated:
    """Try every prompt on every item, training and test items alike."""
    pairs = [(prompt, item) for prompt in prompts for item in range(objective.size)]
    table = objective.values(model, pairs).reshape(len(prompts), objective.size)
    return Tabulated(
        tuple(prompts), table, np.array([objective.held_out(model, prompt) for prompt in prompts])
    )


@dataclass(frozen=True)
class Outcome:
    """The result of a best-arm search, means over runs with different items.

    Attributes:
        calls: model calls of a run.
        regret: how far its winner is behind the best candidate on test items, in points.
        optimism: by how much the winner's score in the race is above its score on test items, in
            points.
    """

    calls: float
    regret: float
    optimism: float


def repeated(race: BestArmSearch, known: Tabulated, runs: int) -> Outcome:
    """The result of a best-arm search over a table of right (1) and wrong (0) answers, ``runs``
    times, each with another seed.
    """
    outcomes = []
    for seed in range(runs):
        # a table needs no model
        evaluator = BudgetedEvaluator(known, None, known.table.size)  # type: ignore[arg-type]
        *_, last = race.rounds(evaluator, seed)
        won = last.prompts[0]
        outcomes.append(
            (last.calls, known.regret(won), 100 * last.scores[0] - known.held_out(None, won))
        )
    return Outcome(*(float(mean) for mean in np.mean(outcomes, 0)))

"""Budget of a prompt search in model calls, and the best prompts found within it.

One *model call* is one prompt tried on one item, or one text that a model writes. The gradient of
an item counts as :data:`GRADIENT_CALLS`, since a backward pass takes about twice the work of a
forward pass. Work without the prompted model is not counted: the arithmetic of an optimiser, or the
few words that a policy draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course.foundation.validation import integer
from course.lm.contract import TextModel
from course.search.objective import Objective

#: What a forward and a backward pass cost, in model calls.
GRADIENT_CALLS = 3


class BudgetSpent(Exception):
    """A search needs more model calls than are left. It ends there and keeps what it has found."""


@dataclass(frozen=True)
class Step:
    """The best prompt of a search from some number of calls on.

    Attributes:
        calls: model calls until then.
        prompt: the best one so far, by training items.
        score: its value for the search, on training items.
        held_out: its mean score on test items, in percent; measured when the search is over.
    """

    calls: int
    prompt: str
    score: float
    held_out: float | None = None


class BudgetedEvaluator:
    """Evaluates prompts within a budget; a search tries prompts through it, so that every call is
    counted.

    Args:
        objective, model: what is searched for, and the model that is prompted.
        budget: model calls in all.

    Attributes:
        calls: model calls so far.
        steps: the best prompts so far, one :class:`Step` each time it changed.
    """

    def __init__(self, objective: Objective, model: TextModel, budget: int):
        self.objective, self.model, self.budget = objective, model, integer(1)("budget", budget)
        self.calls = 0
        self.steps: list[Step] = []
        self._known: dict[tuple[str, int], float] = {}

    @property
    def left(self) -> int:
        return self.budget - self.calls

    def spend(self, calls: int) -> None:
        """Count model calls that are made elsewhere: texts written, gradients.

        Raises:
            BudgetSpent: if there are not so many left; then none is counted.
        """
        if calls > self.left:
            raise BudgetSpent(f"{calls} more calls: {self.left} of {self.budget} are left")
        self.calls += calls

    def pairs(self, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        """The value of each prompt on its training item, (pairs,). What was tried before is
        remembered and costs nothing.

        Raises:
            BudgetSpent: if the pairs that are new are more than the calls left; then none of them
                is tried.
        """
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        self.spend(len(new))
        if new:
            self._known |= zip(new, self.objective.values(self.model, new).tolist(), strict=True)
        return np.array([self._known[pair] for pair in pairs])

    def values(self, prompts: Sequence[str], items: Sequence[int] | None = None) -> np.ndarray:
        """The value of every prompt on every item, (prompts, items).

        Args:
            items: numbers of training items (default: all).

        Raises:
            BudgetSpent: as :meth:`pairs`.
        """
        items = range(self.objective.size) if items is None else items
        return self.pairs([(prompt, item) for prompt in prompts for item in items]).reshape(
            len(prompts), len(items)
        )

    def report(self, prompt: str, score: float) -> None:
        """Record the best prompt so far."""
        self.steps.append(Step(self.calls, prompt, float(score)))

    def report_if_better(self, prompt: str, best: float) -> float:
        """Try a prompt on all training items, and record it if its mean value is above ``best``.

        Returns:
            The best mean value so far.
        """
        score = float(self.values([prompt]).mean())
        if score > best:
            self.report(prompt, score)
        return max(score, best)

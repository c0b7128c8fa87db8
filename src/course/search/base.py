"""One interface for every search of a prompt: :func:`search`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from course.lm.contract import TextModel
from course.search.budget import BudgetedEvaluator, BudgetSpent, Step
from course.search.objective import Objective


class Method(ABC):
    """Method of prompt search: a frozen dataclass whose fields are its settings."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Its name in figures."""

    @abstractmethod
    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        """Try prompts and report the best so far, until nothing is left to try or the budget is
        spent.

        Equal objectives, models and seeds give equal trials.

        Raises:
            BudgetSpent: when it is.
        """


@dataclass(frozen=True)
class SearchResult:
    """Result of a prompt search, with its cost.

    Attributes:
        method: its title.
        steps: the best prompts by training items, each from its number of calls on; the last one is
            the result.
        calls: model calls in all.
    """

    method: str
    steps: tuple[Step, ...]
    calls: int

    @property
    def prompt(self) -> str:
        return self.steps[-1].prompt

    @property
    def held_out(self) -> float:
        """The mean score of the result on test items, in percent."""
        held_out = self.steps[-1].held_out
        assert held_out is not None, "search() measures it"
        return held_out

    def at(self, calls: int) -> float | None:
        """The held-out score (percent) of the best prompt after so many calls; None before any."""
        return next((step.held_out for step in reversed(self.steps) if step.calls <= calls), None)


def search(
    method: Method, objective: Objective, model: TextModel, budget: int, seed: int = 0
) -> SearchResult:
    """Search for a prompt with training items, then score the result on test items.

    Args:
        budget: model calls in all; trying the best prompts on test items does not count.

    Raises:
        ValueError: if the budget does not suffice to find anything, or the method cannot work with
            the model or the objective.
    """
    evaluator = BudgetedEvaluator(objective, model, budget)
    try:
        method.run(evaluator, seed)
    except BudgetSpent as spent:
        if not evaluator.steps:
            raise ValueError(
                f"budget={budget}: too little for {method.title} to find anything"
                f" ({spent}); give it more calls"
            ) from spent
    held_out = {
        prompt: objective.held_out(model, prompt)
        for prompt in dict.fromkeys(step.prompt for step in evaluator.steps)
    }
    return SearchResult(
        method.title,
        tuple(replace(step, held_out=held_out[step.prompt]) for step in evaluator.steps),
        evaluator.calls,
    )

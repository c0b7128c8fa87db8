"""Baselines of prompt search: exhaustive and random search."""

from dataclasses import dataclass

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, each, integer, text
from course.search.base import Method
from course.search.budget import BudgetedEvaluator


@dataclass(frozen=True)
class Exhaustive(Method):
    """Exhaustive search: every candidate on every training item, in their order.

    Attributes:
        candidates: the prompts to try.
    """

    candidates: tuple[str, ...]
    title = "exhaustive"

    def __post_init__(self) -> None:
        check_fields(self, candidates=each(text(empty=True)))
        if not self.candidates:
            raise ValueError("no candidates: expected at least one prompt to try")

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        best = float("-inf")
        for prompt in self.candidates:
            best = evaluator.report_if_better(prompt, best)


@dataclass(frozen=True)
class RandomSearch(Method):
    """Random search: prompts of random words, each on every training item, until none is new or
    the budget is spent.

    Attributes:
        words: what prompts are made of.
        length: words of a prompt.
    """

    words: tuple[str, ...]
    length: int = 4
    title = "random"

    def __post_init__(self) -> None:
        check_fields(self, words=each(text()), length=integer(1))
        if not self.words or len(set(self.words)) < len(self.words):
            raise ValueError(f"words={list(self.words)}: expected one or more, all different")

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        rng, best = Rng(f"random search/{seed}"), float("-inf")
        tried: set[tuple[str, ...]] = set()
        while len(tried) < len(self.words) ** self.length:
            drawn = tuple(rng.choice(self.words) for _ in range(self.length))
            if drawn in tried:
                continue
            tried.add(drawn)
            best = evaluator.report_if_better(" ".join(drawn), best)

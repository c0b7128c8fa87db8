"""Automatic prompt engineer (APE, Zhou et al. 2023).

A model writes prompts, best-arm identification finds the best, and the writer varies them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from course.foundation.validation import check_fields, each, function, instance, integer, text
from course.search.base import Method
from course.search.best_arm import BestArmSearch, SuccessiveHalving, overall_ranking
from course.search.budget import BudgetedEvaluator
from course.search.protocols import with_examples
from course.search.writers import Writer


@dataclass(frozen=True)
class WrittenPrompts(Method):
    """A writer's prompts compete; then variations of the best compete.

    Every text that is written counts as one call, also one that is written twice.

    Attributes:
        writer: who writes.
        count: prompts that are written first.
        resampled: how often the best are varied; 0 for the texts of the beginning alone.
        best: how many prompts are varied each time; they stay in the race.
        variations: variations of each.
        best_arm: makes a best-arm search out of candidates.
        start: prompts that take part from the beginning, people's for example.
    """

    writer: Writer = field(repr=False)
    count: int = 32
    resampled: int = 1
    best: int = 3
    variations: int = 8
    best_arm: Callable[[tuple[str, ...]], BestArmSearch] = SuccessiveHalving
    start: tuple[str, ...] = ()
    title = "written"

    def __post_init__(self) -> None:
        check_fields(
            self,
            writer=instance(Writer),
            count=integer(1),
            resampled=integer(0),
            best=integer(1),
            variations=integer(1),
            best_arm=function(),
            start=each(text(empty=True)),
        )

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        examples = with_examples(evaluator.objective).examples
        evaluator.spend(self.count)
        candidates = distinct([*self.start, *self.writer.write(examples, self.count, seed)])
        if not candidates:
            raise ValueError(
                f"all {self.count} texts that the writer wrote are empty:"
                " expected at least one prompt; let it write more"
            )
        leaders, items = self._raced(evaluator, candidates, seed)
        for number in range(1, self.resampled + 1):
            evaluator.spend(len(leaders) * self.variations)
            varied = [
                text
                for prompt in leaders
                for text in self.writer.vary(
                    prompt, examples, self.variations, seed + 1000 * number
                )
            ]
            candidates = distinct([*leaders, *varied])
            leaders, items = self._challenged(
                evaluator, leaders[0], items, candidates, seed + 1000 * number
            )

    def _raced(
        self, evaluator: BudgetedEvaluator, candidates: tuple[str, ...], seed: int
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The best candidates, and the items that the very best was tried on.

        Who leads is reported after each round, so that a budget that ends in the middle leaves
        something.
        """
        rounds = []
        for ranking in self.best_arm(candidates).rounds(evaluator, seed):
            rounds.append(ranking)
            evaluator.report(ranking.prompts[0], ranking.scores[0])
        return overall_ranking(rounds)[: self.best], rounds[-1].items[0]

    def _challenged(
        self,
        evaluator: BudgetedEvaluator,
        champion: str,
        items: tuple[int, ...],
        candidates: tuple[str, ...],
        seed: int,
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The same of another race. Its winner must beat the champion on all items that either of
        them was tried on.
        """
        rounds = list(self.best_arm(candidates).rounds(evaluator, seed))
        winner, *others = overall_ranking(rounds)
        items = tuple(dict.fromkeys((*items, *rounds[-1].items[0])))
        new, old = evaluator.values([winner, champion], items).mean(1)
        if new > old:
            evaluator.report(winner, new)
        elif winner != champion:
            winner, others = (
                champion,
                [winner, *(prompt for prompt in others if prompt != champion)],
            )
        return (winner, *others)[: self.best], items


def distinct(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts without empty ones, doubles, and space that does not matter."""
    return tuple(dict.fromkeys(text for text in (" ".join(text.split()) for text in texts) if text))

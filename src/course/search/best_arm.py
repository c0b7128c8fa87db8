"""Best-arm identification among given prompts: uniform allocation, UCB, successive halving.

No test item is looked at. The schedules of APE (Zhou et al. 2023) are those of its code
(``keirp/automatic_prompt_engineer``).
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from course.foundation.rng import Rng
from course.foundation.validation import (
    Rule,
    boolean,
    check_fields,
    each,
    integer,
    number,
    share,
    text,
)
from course.search.base import Method
from course.search.budget import BudgetedEvaluator


@dataclass(frozen=True)
class Ranking:
    """The candidates and their scores after a round.

    Attributes:
        calls: model calls until then.
        items: the numbers of the training items that each prompt was tried on, in the order of
            ``prompts``.
        prompts: the candidates that are left, the best first; ties in an order that the seed
            draws.
        scores: their mean scores, (prompts,).
    """

    calls: int
    items: tuple[tuple[int, ...], ...]
    prompts: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class BestArmSearch(Method):
    """Search for the best of given prompts.

    Attributes:
        candidates: the prompts, all different.
    """

    candidates: tuple[str, ...]

    def __post_init__(self) -> None:
        check_fields(self, candidates=each(text(empty=True)), **self._rules())
        if not self.candidates:
            raise ValueError("no candidates: expected at least one prompt to try")
        if twice := [prompt for prompt in self.candidates if self.candidates.count(prompt) > 1]:
            raise ValueError(
                f"the candidate {twice[0]!r} stands there more than once: expected different ones"
            )

    def _rules(self) -> dict[str, Rule]:
        """A rule for every further field."""
        return {}

    @abstractmethod
    def rounds(self, evaluator: BudgetedEvaluator, seed: int) -> Iterator[Ranking]:
        """The ranking after each round.

        Raises:
            BudgetSpent: when the next round costs more than is left.
        """

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        for ranking in self.rounds(evaluator, seed):
            evaluator.report(ranking.prompts[0], ranking.scores[0])


@dataclass(frozen=True)
class Uniform(BestArmSearch):
    """Every candidate on as many items: 50 in APE's default, which draws them anew for each
    candidate.

    Attributes:
        items_each: training items a candidate; all, if there are fewer.
        paired: the same items for all.
    """

    items_each: int = 50
    paired: bool = False
    title = "uniform"

    def _rules(self) -> dict[str, Rule]:
        return {"items_each": integer(1), "paired": boolean()}

    def rounds(self, evaluator: BudgetedEvaluator, seed: int) -> Iterator[Ranking]:
        rng, size = Rng(f"uniform/{seed}"), evaluator.objective.size
        some = [_items(rng, size, self.items_each)] * len(self.candidates)
        if not self.paired:
            some = [_items(rng, size, self.items_each) for _ in self.candidates]
        values = evaluator.pairs(
            [(p, i) for p, items in zip(self.candidates, some, strict=True) for i in items]
        )
        yield _ranking(
            evaluator, rng, self.candidates, some, values.reshape(len(self.candidates), -1).mean(1)
        )


@dataclass(frozen=True)
class UpperConfidence(BestArmSearch):
    """UCB (Auer et al. 2002) in batches, as APE uses it: in each round those whose mean plus bonus
    is the highest get some more items.

    The bonus is ``exploration * sqrt(log(all calls) / own calls)``. The constants are those of
    APE's ``simple_ape``. Unlike there, a candidate never gets an item for the second time, and one
    that was never tried is not ranked.

    Attributes:
        batches: rounds.
        share: the share of the candidates that a round tries.
        items_each: new items that each of them gets.
        exploration: weight of the bonus.
    """

    batches: int = 20
    share: float = 1 / 3
    items_each: int = 5
    exploration: float = 1.0
    title = "UCB"

    def _rules(self) -> dict[str, Rule]:
        return {
            "batches": integer(1),
            "share": share(above=0),
            "items_each": integer(1),
            "exploration": number(0),
        }

    def rounds(self, evaluator: BudgetedEvaluator, seed: int) -> Iterator[Ranking]:
        rng, size, count = Rng(f"ucb/{seed}"), evaluator.objective.size, len(self.candidates)
        orders = [_items(rng, size, size) for _ in range(count)]
        tried, sums, drawn = (
            np.zeros(count, int),
            np.zeros(count),
            np.array(rng.sample(range(count), count)),
        )
        for _ in range(self.batches):
            ranked = drawn[np.argsort(-self._bounds(sums, tried)[drawn], kind="stable")]
            chosen = [i for i in ranked if tried[i] < size][: max(1, int(self.share * count))]
            if not chosen:
                return
            new = [
                (i, item)
                for i in chosen
                for item in orders[i][tried[i] : tried[i] + self.items_each]
            ]
            rows = [i for i, _ in new]
            np.add.at(sums, rows, evaluator.pairs([(self.candidates[i], item) for i, item in new]))
            np.add.at(tried, rows, 1)
            seen = np.flatnonzero(tried)
            prompts, items = (
                [self.candidates[i] for i in seen],
                [orders[i][: tried[i]] for i in seen],
            )
            yield _ranking(evaluator, rng, prompts, items, sums[seen] / tried[seen])

    def _bounds(self, sums: np.ndarray, tried: np.ndarray) -> np.ndarray:
        """Mean plus bonus of each candidate; next to no call (as in APE's code) makes an endless
        bonus unnecessary.
        """
        calls = tried + 1e-3
        return sums / np.maximum(tried, 1) + self.exploration * np.sqrt(
            np.log(max(calls.sum(), 1)) / calls
        )


@dataclass(frozen=True)
class SuccessiveHalving(BestArmSearch):
    """Every round tries all that are left on the same items, drops the worse half, and doubles the
    items.

    Successive halving is by Karnin et al. 2013; see also Jamieson and Talwalkar 2016.

    The items of a round include those of the round before, so scores always compare candidates on
    equal items: a hard item is hard for all of them. It ends when one is left or all items are
    used.

    Attributes:
        first: items of the first round.
        keep: the share that stays in the race after each round.
    """

    first: int = 1
    keep: float = 0.5
    title = "halving"

    def _rules(self) -> dict[str, Rule]:
        return {"first": integer(1), "keep": share(above=0, below=1)}

    def plan(self, size: int) -> list[tuple[int, int]]:
        """(candidates, items) of each round, for so many training items in all."""
        left, items = len(self.candidates), min(self.first, size)
        planned: list[tuple[int, int]] = []
        while left > 1 or not planned:
            planned.append((left, items))
            if items == size:
                break
            left, items = ceil(self.keep * left), min(2 * items, size)
        return planned

    def calls(self, size: int) -> int:
        """The model calls that the whole race costs, for so many training items."""
        before = [0, *(items for _, items in self.plan(size))]
        return sum(
            left * (items - done)
            for (left, items), done in zip(self.plan(size), before, strict=False)
        )

    def rounds(self, evaluator: BudgetedEvaluator, seed: int) -> Iterator[Ranking]:
        rng, size = Rng(f"halving/{seed}"), evaluator.objective.size
        order, ranked = _items(rng, size, size), self.candidates
        for left, count in self.plan(size):
            survivors, items = ranked[:left], order[:count]
            ranking = _ranking(
                evaluator,
                rng,
                survivors,
                [items] * left,
                evaluator.values(survivors, items).mean(1),
            )
            yield ranking
            ranked = ranking.prompts


def _items(rng: Rng, size: int, count: int) -> tuple[int, ...]:
    """Numbers of training items in random order, all of them if there are fewer than ``count``."""
    return tuple(rng.sample(range(size), min(count, size)))


def _ranking(
    evaluator: BudgetedEvaluator,
    rng: Rng,
    prompts: Sequence[str],
    items: Sequence[tuple[int, ...]],
    scores: np.ndarray,
) -> Ranking:
    drawn = rng.sample(range(len(prompts)), len(prompts))
    ranked = sorted(drawn, key=lambda i: -scores[i])
    return Ranking(
        evaluator.calls,
        tuple(items[i] for i in ranked),
        tuple(prompts[i] for i in ranked),
        tuple(float(scores[i]) for i in ranked),
    )


def overall_ranking(rounds: Sequence[Ranking]) -> tuple[str, ...]:
    """All prompts of a race, the best first: one that stayed longer in it is better."""
    return tuple(
        dict.fromkeys(prompt for ranking in reversed(rounds) for prompt in ranking.prompts)
    )

"""Self-consistency (Wang et al. 2023): the majority vote over the answers of sampled chains, and
how sure it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from course.reasoning.solving import Attempt
from course.tasks.answer_parsing import NO_ANSWER, Answer, parse_answer, same_answer


@dataclass(frozen=True)
class Vote:
    """The outcome of a vote.

    Attributes:
        winner: the answer with the most votes, of several the one that came first; no answer if no
            sample has one.
        share: its share of all samples, those without an answer included.
        tied: whether another answer had as many votes.
    """

    winner: Answer
    share: float
    tied: bool


def majority(answers: Sequence[Answer]) -> Vote:
    """The exact majority; samples without an answer abstain.

    Raises:
        ValueError: for no answers at all.
    """
    if not answers:
        raise ValueError("a vote without answers: expected at least one sample")
    cast = [answer for answer in answers if answer != NO_ANSWER]
    if not cast:
        return Vote(NO_ANSWER, 0.0, False)
    # most_common keeps the order of first votes among equals
    (key, votes), *others = Counter(answer.key for answer in cast).most_common(2)
    winner = next(answer for answer in cast if answer.key == key)
    return Vote(winner, votes / len(answers), any(count == votes for _, count in others))


def is_decided(answers: Sequence[Answer], n: int) -> bool:
    """Whether the samples that are left of ``n`` cannot change the winner, whatever they answer."""
    left = n - len(answers)
    cast = [answer for answer in answers if answer != NO_ANSWER]
    if left <= 0 or not cast:
        return left <= 0
    counts = Counter(answer.key for answer in cast)
    order = list(counts)
    (leader, most), *others = counts.most_common()
    # in a tie a new answer would come last, one that came before the leader would come first
    return most >= left and all(
        votes + left < most or (votes + left == most and order.index(leader) < order.index(other))
        for other, votes in others
    )


@dataclass(frozen=True)
class UntilDecided:
    """The stopping rule of :func:`until_decided`.

    Attributes:
        n: the number of samples of the whole vote.
        kind: of the answers, ``"number"`` or ``"words"``.
    """

    n: int
    kind: str

    def __call__(self, texts: Sequence[str]) -> bool:
        return is_decided(self._answers(texts), self.n)

    def at_least(self, texts: Sequence[str]) -> int:
        """How many more samples it takes at least: enough if all of them agreed with the leader."""
        answers = self._answers(texts)
        leader = majority(answers).winner if answers else NO_ANSWER
        if leader == NO_ANSWER:  # the next answer will lead, whatever it is
            leader = Answer("")
        left = self.n - len(answers)
        return next(k for k in range(left + 1) if is_decided([*answers, *[leader] * k], self.n))

    def _answers(self, texts: Sequence[str]) -> list[Answer]:
        return [parse_answer(text, self.kind) for text in texts]


def until_decided(n: int, kind: str) -> UntilDecided:
    """The stopping rule for :meth:`course.lm.LanguageModel.generate`: enough once the vote of ``n``
    samples is decided.
    """
    return UntilDecided(n, kind)


def voted(attempts: Sequence[Attempt]) -> Vote:
    """The vote of a problem's attempts."""
    return majority([a.answer for a in attempts])


def vote_accuracy(attempts: Sequence[Sequence[Attempt]], n: int | None = None) -> float:
    """Share of the problems whose vote is right, in percent; of the first ``n`` samples, or all."""
    return float(100 * np.mean([_is_right(voted(tries[:n]), tries) for tries in attempts]))


def _is_right(vote: Vote, attempts: Sequence[Attempt]) -> bool:
    return same_answer(vote.winner, attempts[0].problem.answer)


def any_right(attempts: Sequence[Sequence[Attempt]], n: int | None = None) -> float:
    """Share of the problems with a right answer among the first ``n`` samples, in percent: the
    accuracy of a perfect chooser.
    """
    return float(100 * np.mean([any(a.right for a in tries[:n]) for tries in attempts]))


def stopped(attempts: Sequence[Sequence[Attempt]]) -> list[list[Attempt]]:
    """The first samples of each problem that decide its vote; the winners are those of all."""
    return [list(tries[: _enough([a.answer for a in tries])]) for tries in attempts]


def _enough(answers: Sequence[Answer]) -> int:
    n = len(answers)
    return next(k for k in range(1, n + 1) if is_decided(answers[:k], n))


def reliability(
    attempts: Sequence[Sequence[Attempt]], edges: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
) -> pd.DataFrame:
    """Reliability table of votes: is a vote right as often as its winner's share says?

    Args:
        edges: of the ranges of shares, from 0 to 1.

    Returns:
        A row for each range that occurs, the upper edge being part of it; columns: mean share (%),
        right (%), problems.
    """
    votes = [voted(tries) for tries in attempts]
    right = [_is_right(vote, tries) for vote, tries in zip(votes, attempts, strict=True)]
    table = pd.DataFrame(
        {"share (%)": [100 * vote.share for vote in votes], "right (%)": [100.0 * r for r in right]}
    )
    percents = [100 * edge for edge in edges]
    names = [f"{low:g} to {high:g}" for low, high in pairwise(percents)]
    bins = pd.cut(table["share (%)"], percents, include_lowest=True, labels=names)
    grouped = table.groupby(bins.rename("range (%)"), observed=True)
    return grouped.mean().assign(problems=grouped.size())


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error of a :func:`reliability` table, in points: the mean gap, weighted
    by the number of problems.
    """
    gaps = (table["share (%)"] - table["right (%)"]).abs()
    return float((gaps * table["problems"]).sum() / table["problems"].sum())

"""Self-consistency: sample several chains and take the answer that most of them give (Wang et al.
2023).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.reasoning.solving import Attempt
from course.tasks.answer_parsing import NO_ANSWER, Answer, parse_answer, same_answer


@dataclass(frozen=True)
class Vote:
    """The outcome of a vote.

    Attributes:
        winner: the answer with the most votes, of several the one that was given first; no answer
            if nobody voted.
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
    counts = Counter(
        answer.key for answer in cast
    )  # most_common keeps the order of first votes among equals
    ranked = counts.most_common(2)
    first = next(answer for answer in cast if answer.key == ranked[0][0])
    return Vote(
        first, ranked[0][1] / len(answers), len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    )


def is_decided(answers: Sequence[Answer], n: int) -> bool:
    """Whether the samples that are left of ``n`` cannot change the winner, whatever they say."""
    left = n - len(answers)
    cast = [answer for answer in answers if answer != NO_ANSWER]
    if left <= 0 or not cast:
        return left <= 0
    counts = Counter(answer.key for answer in cast)
    order = list(counts)
    (leader, most), *others = counts.most_common()
    # an answer that nobody has given yet would come last in a tie, one that was given before the
    # leader would come first
    return most >= left and all(votes + left < most or (votes + left == most and order.index(leader) < order.index(other))
                                for other, votes in others)  # fmt: skip


@dataclass(frozen=True)
class UntilDecided:
    """The stopping rule of :func:`until_decided`."""

    n: int
    kind: str

    def __call__(self, texts: Sequence[str]) -> bool:
        return is_decided(self._answers(texts), self.n)

    def at_least(self, texts: Sequence[str]) -> int:
        """How many more samples it takes at least: as many as would do if all of them agreed with
        the leader.
        """
        answers = self._answers(texts)
        leader = majority(answers).winner if answers else NO_ANSWER
        if leader == NO_ANSWER:  # whatever is said next will lead
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
    """Share of the problems whose vote is right, in percent; of the first ``n`` samples, or of all."""
    return float(
        100
        * np.mean(
            [same_answer(voted(found[:n]).winner, found[0].problem.answer) for found in attempts]
        )
    )


def any_right(attempts: Sequence[Sequence[Attempt]], n: int | None = None) -> float:
    """Share of the problems with a right answer among the first ``n`` samples, in percent: what the
    best chooser could reach.
    """
    return float(100 * np.mean([any(a.right for a in found[:n]) for found in attempts]))


def stopped(attempts: Sequence[Sequence[Attempt]]) -> list[list[Attempt]]:
    """The samples that are enough to decide each vote; the winners are those of all samples."""
    kept = []
    for found in attempts:
        enough = next(
            k
            for k in range(1, len(found) + 1)
            if is_decided([a.answer for a in found[:k]], len(found))
        )
        kept.append(list(found[:enough]))
    return kept


def reliability(
    attempts: Sequence[Sequence[Attempt]], edges: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
) -> pd.DataFrame:
    """Is a vote as often right as its winner's share says? A row for each range of shares.

    Returns:
        Columns: mean share (%), right (%), problems; ranges without problems are left out.
    """
    votes = [voted(found) for found in attempts]
    right = [
        same_answer(vote.winner, found[0].problem.answer)
        for vote, found in zip(votes, attempts, strict=True)
    ]
    table = pd.DataFrame(
        {"share (%)": [100 * vote.share for vote in votes], "right (%)": [100.0 * r for r in right]}
    )
    bins = pd.cut(table["share (%)"], [100 * e for e in edges], include_lowest=True)
    grouped = table.groupby(bins, observed=True)
    return grouped.mean().assign(problems=grouped.size())


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error of a :func:`reliability` table, in points: the mean gap, weighted
    by the number of problems.
    """
    gaps = (table["share (%)"] - table["right (%)"]).abs()
    return float((gaps * table["problems"]).sum() / table["problems"].sum())

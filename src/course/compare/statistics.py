"""Intervals and paired differences over test items and seeds, and where two learning curves cross.

Scores are an array (seeds, items): every seed answers the same items. Both vary, so the standard
error of a mean has two parts,

$$\\mathrm{SE}^2 = s^2_\\text{items} / n + s^2_\\text{seeds} / k,$$

with the variance of the items' means over the seeds and that of the seeds' means. Two or three
seeds say little about the latter, so it is moderated (Smyth 2004): averaged with what is usual
among the methods, which counts as :data:`PRIOR_DEGREES` more degrees of freedom. The interval is
Student's with Satterthwaite's (1946) degrees of freedom.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

#: Points within which two methods count as equally good.
MARGIN = 2.0
#: Degrees of freedom that the usual variance between seeds is worth, and that variance where no
#: method has two seeds (points, squared).
PRIOR_DEGREES, USUAL_VARIANCE = 4, 4.0
_LEVEL = 0.95


@dataclass(frozen=True)
class Seeds:
    """How much chance in learning moves a method's mean score.

    Attributes:
        variance: of the mean score of one seed, in points squared.
        degrees: that the variance rests on; 0 for a method without chance.
    """

    variance: float = 0.0
    degrees: int = 0


#: Of a method that a seed does not change.
NO_CHANCE = Seeds()


@dataclass(frozen=True)
class Estimated:
    """A mean, in percent (or a difference, in points), with its 95 % interval.

    Attributes:
        mean, low, high: the interval; of a score it stays within 0 and 100.
        error: the standard error.
        item_error: the part of it that more test items would make smaller.
        degrees: of freedom of the error.
        seeds, items: what it rests on.
    """

    mean: float
    low: float
    high: float
    error: float
    item_error: float
    degrees: float
    seeds: int
    items: int

    def __str__(self) -> str:
        return f"{self.mean:.1f} [{self.low:.1f}, {self.high:.1f}]"

    def upper(self, level: float = _LEVEL) -> float:
        """The one-sided upper bound."""
        return self.mean + float(stats.t.ppf(level, self.degrees)) * self.error


def usual_variance(scores: Sequence[np.ndarray]) -> float:
    """The median of the variances between seeds, of those methods that have two or more."""
    own = [float(s.mean(1).var(ddof=1)) for s in scores if len(s) > 1]
    return float(np.median(own)) if own else USUAL_VARIANCE


def seeds_of(scores: np.ndarray, chance: bool, usual: float) -> Seeds:
    """The moderated variance between the seeds of a method.

    Args:
        chance: whether a seed changes anything.
        usual: see :func:`usual_variance`.
    """
    if not chance:
        return Seeds()
    degrees = len(scores) - 1
    own = float(scores.mean(1).var(ddof=1)) if degrees else 0.0
    total = PRIOR_DEGREES + degrees
    return Seeds((PRIOR_DEGREES * usual + degrees * own) / total, total)


def score_of(scores: np.ndarray, seeds: Seeds = NO_CHANCE) -> Estimated:
    """The mean of scores (seeds, items) with an interval within 0 and 100 (Wilson's, with as many
    items as would make a proportion as uncertain).
    """
    count, items = scores.shape
    means = scores.mean(0)
    by_items = float(means.var(ddof=1)) / items if items > 1 else 0.0
    estimate = _estimate(float(means.mean()), by_items, items, [(seeds, count)])
    share, error = estimate.mean / 100, estimate.error
    # at 0 and 100 % the spread of the items seen is none, and that of a proportion just beside it
    beside = (share * items + 1) / (items + 2)
    alike = min(beside * (1 - beside) * 1e4 / error**2, items) if error > 0 else items
    alike = max(alike, 1.0)
    factor = float(stats.t.ppf((1 + _LEVEL) / 2, estimate.degrees))
    middle = (share + factor**2 / (2 * alike)) / (1 + factor**2 / alike)
    half = factor * np.sqrt(max(share * (1 - share), 0) / alike + factor**2 / (4 * alike**2))
    half /= 1 + factor**2 / alike
    low, high = (100 * float(np.clip(middle + sign * half, 0, 1)) for sign in (-1, 1))
    low, high = min(low, estimate.mean), max(high, estimate.mean)
    return replace(estimate, low=low, high=high, seeds=count)


def difference(
    one: np.ndarray,
    other: np.ndarray,
    seeds: tuple[Seeds, Seeds] = (NO_CHANCE, NO_CHANCE),
    comparisons: int = 1,
) -> Estimated:
    """The mean of ``one - other``, paired by item, in points.

    Half an item with a difference of 100 points either way is added to the variance (Agresti and
    Min 2005), so that no difference is certain because none was seen.

    Args:
        one, other: scores (seeds, items); the numbers of seeds may differ.
        seeds: of both.
        comparisons: how many differences are looked at together (Bonferroni).
    """
    values = one.mean(0) - other.mean(0)
    items = len(values)
    by_items = (float(((values - values.mean()) ** 2).sum()) + 1e4) / items**2
    pairs = list(zip(seeds, (len(one), len(other)), strict=True))
    gap = _estimate(float(values.mean()), by_items, items, pairs, comparisons)
    return replace(gap, low=max(gap.low, -100.0), high=min(gap.high, 100.0))


def _estimate(
    mean: float,
    by_items: float,
    items: int,
    seeds: Sequence[tuple[Seeds, int]],
    comparisons: int = 1,
) -> Estimated:
    """A mean with its interval, from the variances of its parts."""
    parts = [(by_items, max(items - 1, 1))]
    parts += [(own.variance / count, own.degrees) for own, count in seeds if own.degrees]
    variance = sum(part for part, _ in parts)
    below = sum(part**2 / degrees for part, degrees in parts)
    degrees = max(variance**2 / below, 1.0) if below > 0 else float(max(items - 1, 1))
    error = float(np.sqrt(variance))
    half = float(stats.t.ppf(1 - (1 - _LEVEL) / 2 / comparisons, degrees)) * error
    count = min(count for _, count in seeds)
    item_error = float(np.sqrt(by_items))
    return Estimated(mean, mean - half, mean + half, error, item_error, degrees, count, items)


def items_needed(unclear: Estimated) -> int:
    """How many more test items would settle which of two is better or that both are about equally
    good, rounded up to tens, and to two digits: until the interval of the difference ends within
    :data:`MARGIN` on the other side.
    """
    wanted = MARGIN + abs(unclear.mean)
    half = float(stats.norm.ppf(_LEVEL)) * unclear.item_error
    more = unclear.items * ((half / wanted) ** 2 - 1)
    return _rounded(max(more, unclear.items / 10))


def _rounded(number: float) -> int:
    step = 10 ** max(len(str(int(number))) - 2, 1)
    return int(-(-number // step) * step)


@dataclass(frozen=True)
class Crossing:
    """Where one learning curve overtakes another.

    Attributes:
        below, above: the method that is better with fewer labels, and the one with more.
        labels: where the means cross, interpolated on the logarithm of the labels.
        low, high: the largest number of labels at which ``below`` is better beyond doubt, and the
            smallest at which ``above`` is; None where there is none.
    """

    below: str
    above: str
    labels: float
    low: int | None
    high: int | None


def last_change(sizes: Sequence[int], gaps: Sequence[float]) -> tuple[int, float] | None:
    """Where the difference of two curves changes its sign for the last time: the place of the first
    number of labels behind it, and how many labels it is at, interpolated on their logarithm; None
    if it does not.
    """
    signs = np.sign(gaps)
    at = max((i for i in range(1, len(signs)) if signs[i] * signs[i - 1] < 0), default=None)
    if at is None:
        return None
    share = gaps[at - 1] / (gaps[at - 1] - gaps[at])
    return at, float(np.exp(np.interp(share, [0, 1], np.log([sizes[at - 1], sizes[at]]))))


def crossing(
    one: str, other: str, sizes: Sequence[int], differences: Sequence[Estimated]
) -> Crossing | None:
    """Where ``one - other`` changes its sign for the last time; None if it does not.

    Args:
        sizes: numbers of labels, rising.
        differences: of ``one - other`` at each.
    """
    if (change := last_change(sizes, [d.mean for d in differences])) is None:
        return None
    at, labels = change
    sign = 1 if differences[at - 1].mean > 0 else -1
    below, above = (one, other) if sign > 0 else (other, one)
    sure = [(d.low > 0) - (d.high < 0) for d in differences]
    low = max((s for s, d in zip(sizes[:at], sure, strict=False) if d == sign), default=None)
    high = min((s for s, d in zip(sizes[at:], sure[at:], strict=False) if d == -sign), default=None)
    return Crossing(below, above, labels, low, high)

"""Confidence intervals of means, ratios and shares: Student's t over independent units, nested and
crossed designs, the delta method on the log, exact binomial.

What is independent of what decides an interval. One number for each independent unit (a training
seed, a pretrained body) is a plain sequence; the other designs are :class:`Nested`,
:class:`Crossed`, :class:`RatioOfMeans` and :class:`Share` (and, for any other statistic,
:class:`course.foundation.resampling.Resampled`).

Why Student's t and no bootstrap for five seeds: a percentile bootstrap of five values is too narrow
(it draws from five values as if they were all there are), BCa mends that hardly at all, and a
bootstrap-t is erratic and may be infinitely long where values repeat, as shares of few items do
(Owen 2025). ``benchmarks/intervals.py`` measures the coverage of all of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

#: Fewest independent units (seeds, bodies) that an interval may rest on. Two give a valid one that
#: is so wide that it decides next to nothing; tables say where there are fewer than are wanted.
FEWEST_UNITS = 2
#: The share of intervals that should contain the true value.
CONFIDENCE = 0.95
#: A range that nothing leaves.
UNBOUNDED = (-math.inf, math.inf)
#: The range of a percentage.
PERCENT = (0.0, 100.0)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence interval over ``count`` independent units.

    Attributes:
        tails: of a threshold, the one-sided p-values of "the quantity is not above it" and of "not
            below it".
    """

    mean: float
    low: float
    high: float
    count: int
    tails: Callable[[float], tuple[float, float]] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"

    def p_value(self, threshold: float) -> float:
        """Two-sided p-value of a threshold: below 0.05 just where the interval excludes it."""
        return min(1.0, 2 * min(self.tails(threshold)))


@runtime_checkable
class Sample(Protocol):
    """What was measured, in a design that says which of it is independent."""

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        """The interval of the mean; of ratios that of their geometric mean, made on the log scale.

        Args:
            ratio: whether the values are ratios.
            bounds: what the mean cannot leave; an interval cut off there covers the true value just
                as often.
        """
        ...

    def units(self) -> str:
        """What the interval rests on, in words, e.g. ``"5 seeds"``."""
        ...


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and the degrees of freedom of that error."""

    value: float
    standard_error: float
    degrees: float
    count: int

    def interval(self, ratio: bool, bounds: tuple[float, float]) -> Interval:
        """Student's interval; that of a ratio (``value`` is its log) is a ratio again."""
        from scipy import stats  # takes a second to import, and who draws no interval needs none

        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.degrees)) * self.standard_error
        back: Callable[[float], float] = _exp if ratio else float
        low, mean, high = (back(self.value + shift) for shift in (-half, 0.0, half))
        return Interval(
            mean,
            min(max(low, bounds[0]), bounds[1]),
            max(min(high, bounds[1]), bounds[0]),
            self.count,
            lambda threshold: self._tails(_log(threshold) if ratio else threshold),
        )

    def _tails(self, threshold: float) -> tuple[float, float]:
        from scipy import stats

        distance = self.value - threshold
        if self.standard_error == 0:  # equal values: certain, except where they meet the threshold
            return (0.0, 1.0) if distance > 0 else (1.0, 0.0) if distance < 0 else (0.5, 0.5)
        t = distance / self.standard_error
        return float(stats.t.sf(t, self.degrees)), float(stats.t.cdf(t, self.degrees))


@dataclass(frozen=True)
class Independent:
    """One value for each independent unit, e.g. a paired difference for each training seed.

    Equal values make an interval of no width: it then says nothing of what is finer than one item
    of the test.
    """

    values: Sequence[float] | np.ndarray

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        return _of_independent(_numbers(self.values, ratio), "seeds").interval(ratio, bounds)

    def units(self) -> str:
        return f"{len(self.values)} seeds"


@dataclass(frozen=True)
class Nested:
    """Values in groups, e.g. of each pretrained body the seeds or items that it alone was measured
    on; groups may differ in size.

    The interval is Student's over the means of the groups, with one degree of freedom less than
    there are groups: exact for a random effect of the group where all are of one size, and there
    the same as that of a mixed model with a random intercept. All groups count alike. Counting
    every value as independent would make it too narrow.
    """

    groups: Sequence[Sequence[float] | np.ndarray]

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        means = np.array([_numbers(group, ratio).mean() for group in self.groups])
        return _of_independent(means, "bodies").interval(ratio, bounds)

    def units(self) -> str:
        sizes = sorted({len(group) for group in self.groups})
        each = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        return f"{len(self.groups)} bodies with {each} seeds each"


@dataclass(frozen=True)
class Crossed:
    """Values (bodies, seeds): every body was measured with the same seeds, which draw the same
    items, demonstrations or training sets for all of them.

    Both bodies and seeds are random effects. The variance of the mean is the sum of that of the
    means of bodies and that of the means of seeds, with the degrees of freedom of Satterthwaite
    1946, no fewer than the fewer of the two have. It counts what is left over twice, so the
    interval is a little too wide rather than too narrow.
    """

    values: np.ndarray

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        table = _numbers(self.values, ratio)
        if table.ndim != 2 or min(table.shape) < FEWEST_UNITS:
            raise ValueError(
                f"values of shape {table.shape}: expected (bodies, seeds), at least"
                f" {FEWEST_UNITS} of each"
            )
        return _of_crossed(table).interval(ratio, bounds)

    def units(self) -> str:
        bodies, seeds = np.shape(self.values)
        return f"{bodies} bodies x {seeds} seeds"


@dataclass(frozen=True)
class RatioOfMeans:
    """The mean of one quantity over the mean of another one, measured on the same units.

    The delta method on the log: the error is that of ``a / mean(a) - b / mean(b)``. It needs no
    ratio of single units, of which a denominator near 0 would make a wild one.
    """

    numerators: Sequence[float] | np.ndarray
    denominators: Sequence[float] | np.ndarray

    def interval(self, ratio: bool = True, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        if not ratio:
            raise ValueError(
                "a ratio of means was given: set ratio=True, so that it is compared "
                "on the log scale"
            )
        above, below = (_numbers(part, False) for part in (self.numerators, self.denominators))
        if above.shape != below.shape or above.mean() <= 0 or below.mean() <= 0:
            raise ValueError(
                f"numerators {above.tolist()}, denominators {below.tolist()}: expected as many of"
                " each, with means above 0"
            )
        error = _of_independent(above / above.mean() - below / below.mean(), "seeds")
        value = math.log(above.mean() / below.mean())
        return Estimate(value, error.standard_error, error.degrees, error.count).interval(
            True, bounds
        )

    def units(self) -> str:
        return f"{len(self.numerators)} seeds"


@dataclass(frozen=True)
class Share:
    """The share of independent items that came out right, from 0 to 1, with the exact interval of
    Clopper and Pearson (quantiles of beta distributions), which cover no less often
    than they say.
    """

    right: int
    asked: int

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = (0.0, 1.0)) -> Interval:
        from scipy.stats import binomtest

        if ratio or not 0 <= self.right <= self.asked:
            raise ValueError(f"{self}, ratio={ratio}: expected a share of items, not a ratio")
        test = binomtest(self.right, self.asked).proportion_ci(CONFIDENCE)
        return Interval(
            self.right / self.asked,
            float(test.low),
            float(test.high),
            self.asked,
            lambda threshold: (
                float(binomtest(self.right, self.asked, threshold, "greater").pvalue),
                float(binomtest(self.right, self.asked, threshold, "less").pvalue),
            ),
        )

    def units(self) -> str:
        return f"{self.asked} items"


def interval(
    values: Sequence[float] | np.ndarray, bounds: tuple[float, float] = UNBOUNDED
) -> Interval:
    """The mean of independent values, one a seed, with its 95 % interval (Student's t).

    Args:
        bounds: what the mean cannot leave, (0, 100) for a percentage.

    Raises:
        ValueError: for fewer than :data:`FEWEST_UNITS` values, or if one is not finite.
    """
    return Independent(values).interval(bounds=bounds)


def _of_independent(values: np.ndarray, units: str) -> Estimate:
    if len(values) < FEWEST_UNITS:
        raise ValueError(f"{len(values)} {units}: an interval needs at least {FEWEST_UNITS}")
    error = values.std(ddof=1) / math.sqrt(len(values))
    return Estimate(float(values.mean()), float(error), len(values) - 1, len(values))


def _of_crossed(table: np.ndarray) -> Estimate:
    parts = [_of_independent(table.mean(axis), "means") for axis in (1, 0)]
    variances = [part.standard_error**2 for part in parts]
    total = sum(variances)
    spread = sum(v**2 / part.degrees for v, part in zip(variances, parts, strict=True))
    degrees = total**2 / spread if spread else min(part.degrees for part in parts)
    return Estimate(float(table.mean()), math.sqrt(total), degrees, len(table))


def _numbers(values: Sequence[float] | np.ndarray, ratio: bool) -> np.ndarray:
    """The values, or their logs where they are ratios."""
    numbers = np.asarray(values, dtype=float)
    expected = "ratios above 0" if ratio else "numbers"
    if not np.isfinite(numbers).all() or (ratio and (numbers <= 0).any()):
        raise ValueError(f"values {numbers.tolist()}: expected finite {expected}")
    return np.log(numbers) if ratio else numbers


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _exp(value: float) -> float:
    return float(np.exp(value))

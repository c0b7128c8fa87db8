"""Confidence intervals over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Fewest seeds that an interval may rest on.
FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval over ``count`` seeds (Student's t)."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"


def interval(differences: Sequence[float]) -> Interval:
    """The mean of paired differences, one a seed, with its 95 % interval.

    Raises:
        ValueError: for fewer than :data:`FEWEST_SEEDS` differences.
    """
    from scipy import stats  # takes a second to import, and who draws no interval needs none

    values = np.asarray(differences, dtype=float)
    if len(values) < FEWEST_SEEDS:
        raise ValueError(f"{len(values)} seeds: an interval needs at least {FEWEST_SEEDS}")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean, mean - float(half), mean + float(half), len(values))

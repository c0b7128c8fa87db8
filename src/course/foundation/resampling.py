"""Cluster bootstrap: the interval of any statistic of grouped data, groups resampled whole."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.foundation.intervals import FEWEST_UNITS, UNBOUNDED, Estimate, Interval
from course.foundation.validation import anything, check_fields, function, integer


@dataclass(frozen=True)
class Resampled:
    """A statistic of groups (pretrained bodies, seeds), e.g. where a curve has its peak.

    Whole groups are drawn with replacement and what is inside them is left as it is: so the scatter
    between groups holds the scatter inside them already, and the error is consistent where groups
    are a random effect (Field and Welsh 2007). Drawing inside the groups as well would count the
    inner scatter twice. Quantiles of the draws are too narrow for few groups, so only the standard
    error is taken from them, widened by the usual n / (n - 1), and the interval is Student's with
    one degree of freedom less than there are groups. Of the mean of group means that is
    :class:`course.foundation.intervals.Nested` again.

    Attributes:
        groups: whatever ``statistic`` understands, at least two; they are drawn as they are.
        statistic: of a list of as many groups; a number, of a ratio the ratio itself.
        resamples: draws of groups.
        seed: of the draws.
    """

    groups: Sequence[Any]
    statistic: Callable[[list[Any]], float]
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(
            self,
            groups=anything(),
            statistic=function(),
            resamples=integer(2),
            seed=integer(0),
        )

    def interval(self, ratio: bool = False, bounds: tuple[float, float] = UNBOUNDED) -> Interval:
        """The statistic with its interval; see :meth:`course.foundation.intervals.Sample.interval`.

        Raises:
            ValueError: for too few groups, or a statistic that is not finite (or, of a ratio, not
                above 0) on some draw of groups.
        """
        count = len(self.groups)
        if count < FEWEST_UNITS:
            raise ValueError(f"{count} groups: an interval needs at least {FEWEST_UNITS}")
        value = self._figure(range(count), ratio)
        draws = np.random.default_rng(self.seed).integers(count, size=(self.resamples, count))
        figures = [self._figure(draw, ratio) for draw in draws]
        error = float(np.std(figures, ddof=1)) * math.sqrt(count / (count - 1))
        return Estimate(value, error, count - 1, count).interval(ratio, bounds)

    def units(self) -> str:
        return f"{len(self.groups)} groups, resampled"

    def _figure(self, drawn: Sequence[int] | np.ndarray, ratio: bool) -> float:
        figure = float(self.statistic([self.groups[i] for i in drawn]))
        if not math.isfinite(figure) or (ratio and figure <= 0):
            raise ValueError(
                f"the statistic is {figure} for the groups {[int(i) for i in drawn]}: expected a"
                f" finite number{' above 0' if ratio else ''}, whichever groups are drawn"
            )
        return math.log(figure) if ratio else figure

"""Over-optimisation of a learned reward as a curve: gold reward against the distance from the model
that was optimised (Gao et al. 2022).

With d the square root of the divergence in nats, best-of-n follows d (a - b d) and reinforcement
learning d (a - b log d), where a is how fast the gold reward rises at first and b how it bends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

#: Methods, and how the bend grows with d.
BENDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"best-of-n": np.positive, "rl": np.log}


@dataclass(frozen=True)
class Curve:
    """A fitted curve of the gained gold reward.

    Attributes:
        method: a key of :data:`BENDS`.
        a: slope at the start.
        b: bend.
    """

    method: str
    a: float
    b: float

    def gain(self, divergence: Sequence[float] | np.ndarray) -> np.ndarray:
        """The gain at each divergence (nats), in units of the reward."""
        d = np.sqrt(np.asarray(divergence, float))
        positive = np.where(d > 0, d, 1.0)
        return np.where(d > 0, d * (self.a - self.b * BENDS[self.method](positive)), 0.0)

    @property
    def peak(self) -> float:
        """The divergence, in nats, at which the gain is highest; infinite if it never falls."""
        if self.b <= 0:
            return float("inf")
        d = self.a / (2 * self.b) if self.method == "best-of-n" else np.exp(self.a / self.b - 1)
        return float(max(d, 0.0) ** 2)


def fit_curve(
    method: str, divergence: Sequence[float] | np.ndarray, gain: Sequence[float] | np.ndarray
) -> Curve:
    """The least-squares curve through gains at divergences; both formulas are linear in a and b.

    Args:
        method: a key of :data:`BENDS`.
        divergence: in nats; points at 0 say nothing and are left out.
        gain: the gold reward less that of the model before.

    Raises:
        ValueError: for another method, or fewer than two different divergences above 0.
    """
    if method not in BENDS:
        raise ValueError(f"method={method!r}: expected one of {', '.join(BENDS)}")
    d, y = np.sqrt(np.asarray(divergence, float)), np.asarray(gain, float)
    d, y = d[d > 0], y[d > 0]
    if len(np.unique(d)) < 2:
        raise ValueError(
            f"{len(np.unique(d))} different divergences above 0: expected at least two to fit a "
            "curve of two parameters"
        )
    (a, b), *_ = np.linalg.lstsq(np.stack([d, -d * BENDS[method](d)], 1), y, rcond=None)
    return Curve(method, float(a), float(b))

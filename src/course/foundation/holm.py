"""Holm's correction of p-values for several tests (Holm 1979)."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those below a level errs on any of the tests with at most that
    probability, however the tests depend on each other.

    The smallest of n p-values is multiplied by n, the next by n - 1, and so on; none may be smaller
    than the one before it, or above 1.
    """
    order = np.argsort(p_values)
    scaled = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted.tolist()

"""Reproducible random draws: the same values on every machine and in every Python.

Python promises a stable stream for :meth:`random.Random.random` only; ``sample``, ``choices`` and
``shuffle`` may change between versions. So everything here is built on ``random()`` alone.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Rng:
    """A seeded source of draws: ``Rng("corpus/0/17")``. Equal seeds give equal draws everywhere.

    It holds Python's generator and is none, so that it has no draw that may change with Python.

    Args:
        seed: a text or a whole number.
    """

    def __init__(self, seed: int | str):
        self._source = Random(seed)

    def random(self) -> float:
        """A number from 0 to 1, 1 excluded, each equally likely."""
        return self._source.random()

    def choice(self, options: Sequence[T]) -> T:
        """One of ``options``, each equally likely."""
        return options[int(self.random() * len(options))]

    def randrange(self, n: int) -> int:
        """An integer from 0 to ``n - 1``."""
        return int(self.random() * n)

    def randint(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def bernoulli(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """``count`` different positions of ``options``, in random order (a partial Fisher-Yates
        shuffle).

        Raises:
            ValueError: if there are fewer than ``count`` options.
        """
        pool, n = list(options), len(options)
        if count > n:
            raise ValueError(f"cannot draw {count} different items from {n}; ask for at most {n}")
        for i in range(count):
            j = i + int(self.random() * (n - i))
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]


class Weighted(Generic[T]):
    """Draws from fixed options with fixed weights, in O(log n).

    Args:
        weights: option -> its weight; they need not sum to 1.
    """

    def __init__(self, weights: Mapping[T, float]):
        self.options = tuple(weights)
        self._edges = tuple(accumulate(weights.values()))

    def draw(self, rng: Rng) -> T:
        """One of the options, with a probability in proportion to its weight."""
        return self.options[
            bisect(self._edges, rng.random() * self._edges[-1], hi=len(self.options) - 1)
        ]

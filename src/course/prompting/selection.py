"""Selection of demonstrations: random, balanced or nearest to the query, and their order.

A strategy chooses from a pool of training examples; the query's own input is never among them.
Equal pools, queries and sources of chance give equal choices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from math import factorial, prod
from typing import Protocol

from scipy.sparse import spmatrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import linear_kernel

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, each, one_of, text
from course.world.example import Example


class Selection(Protocol):
    """A way to choose demonstrations."""

    def choose(
        self, pool: Sequence[Example], query: str, count: int, rng: Rng
    ) -> tuple[Example, ...]:
        """``count`` different examples of the pool, in the order in which they are shown.

        Raises:
            ValueError: if there are not so many.
        """


def _others(pool: Sequence[Example], query: str, count: int) -> list[Example]:
    """The examples with another input than the query's."""
    others = [example for example in pool if example.input != query]
    if count < 0 or count > len(others):
        raise ValueError(
            f"{count} demonstrations: expected 0 to {len(others)}, which is how many the pool has"
            " besides the query's own input"
        )
    return others


@dataclass(frozen=True)
class Random:
    """Every example is as likely as any other."""

    def choose(
        self, pool: Sequence[Example], query: str, count: int, rng: Rng
    ) -> tuple[Example, ...]:
        return tuple(rng.sample(_others(pool, query, count), count))


@dataclass(frozen=True)
class Balanced:
    """As many examples of one label as of any other, up to one, in random order.

    Attributes:
        labels: the labels to balance; if there are fewer demonstrations than labels, or they do not
            divide evenly, chance decides which labels are shown once more.
    """

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        check_fields(self, labels=each(text(empty=True), 1))

    def choose(
        self, pool: Sequence[Example], query: str, count: int, rng: Rng
    ) -> tuple[Example, ...]:
        others, chosen = _others(pool, query, count), []
        for rank, label in enumerate(rng.sample(self.labels, len(self.labels))):
            wanted = count // len(self.labels) + (rank < count % len(self.labels))
            having = [example for example in others if example.output == label]
            if wanted > len(having):
                raise ValueError(
                    f"{wanted} demonstrations of the label {label!r}: the pool has {len(having)};"
                    " ask for fewer in all"
                )
            chosen += rng.sample(having, wanted)
        return tuple(rng.sample(chosen, count))


@dataclass(frozen=True)
class Nearest:
    """The examples whose inputs are most alike the query, the nearest last, next to the query (the
    idea of Liu et al. 2022).

    Alike means the cosine between TF-IDF vectors of the texts, which no model has a part in. Ties
    go by the order of the pool.

    Attributes:
        analyzer: ``"word"``: texts are alike if they share rare words; ``"char_wb"``: if they share
            rare letter sequences within words, which serves inputs of a single word.
    """

    analyzer: str = "word"

    def __post_init__(self) -> None:
        check_fields(self, analyzer=one_of(("word", "char_wb")))

    def choose(
        self, pool: Sequence[Example], query: str, count: int, rng: Rng
    ) -> tuple[Example, ...]:
        _others(pool, query, count)
        vectorizer, vectors = _vectors(tuple(example.input for example in pool), self.analyzer)
        likeness = linear_kernel(vectorizer.transform([query]), vectors)[0]
        ranked = sorted(
            (i for i, example in enumerate(pool) if example.input != query),
            key=lambda i: (-likeness[i], i),
        )
        return tuple(pool[i] for i in reversed(ranked[:count]))


@lru_cache(maxsize=8)
def _vectors(texts: tuple[str, ...], analyzer: str) -> tuple[TfidfVectorizer, spmatrix]:
    """The fitted vectorizer of a pool and its vectors (texts, terms), of length 1 each."""
    settings = {"ngram_range": (2, 4)} if analyzer == "char_wb" else {"token_pattern": r"\S+"}
    vectorizer = TfidfVectorizer(analyzer=analyzer, **settings)
    return vectorizer, vectorizer.fit_transform(texts)


def orders(
    demonstrations: Sequence[Example], limit: int, seed: int = 0
) -> list[tuple[Example, ...]]:
    """Different orders of the same demonstrations: all of them if there are at most ``limit``, else
    so many at random.

    Equal demonstrations count as one: no two of the orders are equal. The first one is the order as
    given.

    Raises:
        ValueError: for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit={limit}: expected at least 1 order")
    shown = tuple(demonstrations)
    repeats = prod(factorial(shown.count(example)) for example in set(shown))
    if factorial(len(shown)) // repeats <= limit:
        return list(dict.fromkeys(permutations(shown)))
    rng, distinct = Rng(f"orders/{seed}"), {shown: None}
    while len(distinct) < limit:
        distinct[tuple(rng.sample(shown, len(shown)))] = None
    return list(distinct)

"""Which demonstrations are chosen, and in which order."""

from collections import Counter
from itertools import permutations
from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.foundation.rng import Rng
from course.prompting.selection import Balanced, Nearest, Random, orders
from course.world.example import Example

LABELS = ("yes", "no", "maybe")
POOL = tuple(Example(f"thing {i} of kind {i % 4}", LABELS[i % 3]) for i in range(24))
COUNTS = st.integers(0, 20)


@pytest.mark.parametrize("strategy", [Random(), Balanced(LABELS), Nearest(), Nearest("char_wb")])
@given(count=COUNTS, seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_a_choice_is_of_the_pool_without_the_query_and_without_repetition(strategy, count, seed):
    query = POOL[seed % len(POOL)].input
    chosen = strategy.choose(POOL, query, count, Rng(str(seed)))
    assert len(chosen) == count == len(set(chosen)) and set(chosen) <= set(POOL)
    assert query not in [example.input for example in chosen]
    assert chosen == strategy.choose(POOL, query, count, Rng(str(seed)))


@given(count=COUNTS, seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_labels_are_balanced_up_to_one(count, seed):
    shown = Counter(
        example.output for example in Balanced(LABELS).choose(POOL, "", count, Rng(str(seed)))
    )
    assert (
        max(shown.get(label, 0) for label in LABELS) - min(shown.get(label, 0) for label in LABELS)
        <= 1
    )


def test_a_longer_random_choice_begins_with_the_shorter_one():
    assert Random().choose(POOL, "", 8, Rng("a"))[:3] == Random().choose(POOL, "", 3, Rng("a"))


def naive_likeness(texts: list[str], query: str) -> list[float]:
    """Cosine of TF-IDF by hand: smoothed inverse document frequency, as scikit-learn documents
    it.
    """
    documents = [Counter(text.split()) for text in texts]
    known = {word for words in documents for word in words}
    idf = {
        word: log((1 + len(texts)) / (1 + sum(word in d for d in documents))) + 1 for word in known
    }

    def vector(words: Counter) -> dict[str, float]:
        weighted = {word: n * idf[word] for word, n in words.items() if word in known}
        length = sqrt(sum(w * w for w in weighted.values())) or 1.0
        return {word: w / length for word, w in weighted.items()}

    asked = vector(Counter(query.split()))
    return [sum(w * asked.get(word, 0.0) for word, w in vector(d).items()) for d in documents]


@given(
    st.lists(
        st.lists(st.sampled_from("the plot was dull meal great a".split()), min_size=1, max_size=6),
        min_size=2,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_nearest_stand_next_to_the_query(sentences):
    pool = [Example(" ".join(words), "yes") for words in sentences]
    query = "the dull plot"
    likeness = naive_likeness([e.input for e in pool], query)
    others = [i for i, example in enumerate(pool) if example.input != query]
    chosen = Nearest().choose(pool, query, min(2, len(others)), Rng("x"))
    ranked = sorted((likeness[i] for i in others), reverse=True)
    found = [max(likeness[i] for i in others if pool[i] == example) for example in reversed(chosen)]
    assert found == pytest.approx(ranked[: len(found)])


def test_too_many_are_refused():
    with pytest.raises(ValueError, match="30 demonstrations: expected 0 to 24"):
        Random().choose(POOL, "", 30, Rng("a"))
    with pytest.raises(ValueError, match="2 demonstrations of the label 'yes': the pool has 1"):
        Balanced(("yes", "no")).choose(
            (Example("a", "yes"), *(Example(str(i), "no") for i in range(9))), "", 4, Rng("a")
        )
    with pytest.raises(ValueError, match="analyzer='letters': expected one of 'word', 'char_wb'"):
        Nearest("letters")


@given(st.lists(st.sampled_from(POOL[:5]), max_size=5), st.integers(1, 130))
@settings(max_examples=60, deadline=None)
def test_orders_are_different_and_of_the_same_demonstrations(shown, limit):
    every = set(permutations(shown))
    found = orders(shown, limit)
    assert len(found) == min(limit, len(every)) == len(set(found)) and set(found) <= every
    assert found[0] == tuple(shown)
    assert found == orders(shown, limit)


def test_orders_need_a_limit():
    with pytest.raises(ValueError, match="limit=0: expected at least 1 order"):
        orders(POOL, 0)

"""Draws are the same on every machine and in every Python, and there are no others."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.rng import Rng, Weighted

#: Methods of Python's generator whose draws may change between versions of Python.
UNSTABLE = ("betavariate", "choices", "gauss", "getrandbits", "randbytes", "shuffle", "uniform")


@given(st.text() | st.integers(min_value=0))
def test_everything_is_built_on_the_one_stream_that_python_promises(seed):
    rng, source = Rng(seed), Random(seed)
    assert [rng.random() for _ in range(3)] == [source.random() for _ in range(3)]
    assert rng.choice("abcde") == "abcde"[int(5 * source.random())]
    assert rng.randrange(7) == int(7 * source.random())
    assert rng.randint(3, 5) == 3 + int(3 * source.random())
    assert rng.bernoulli(0.3) == (source.random() < 0.3)


@pytest.mark.parametrize("name", UNSTABLE)
def test_what_python_may_change_is_not_there(name):
    assert hasattr(Random, name) and not hasattr(Rng, name)


@given(st.integers(min_value=0), st.lists(st.integers(), max_size=9), st.integers(0, 9))
def test_a_sample_has_different_positions(seed, options, count):
    if count > len(options):
        with pytest.raises(ValueError, match=f"cannot draw {count} different items"):
            Rng(seed).sample(options, count)
    else:
        numbered = list(enumerate(options))
        assert len(set(Rng(seed).sample(numbered, count))) == count


def test_weights_need_not_sum_to_one():
    draw = Weighted({"never": 0, "often": 30, "seldom": 10})
    drawn = [draw.draw(rng) for rng in [Rng(0)] for _ in range(4000)]
    assert set(drawn) == {"often", "seldom"}
    assert drawn.count("often") / 4000 == pytest.approx(0.75, abs=0.03)

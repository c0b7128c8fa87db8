"""Live cells are as large as they say for the small models, and smaller for real ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.models import live_sizes
from course.models.sizes import LiveSizes


def test_the_small_models_get_all_and_real_ones_a_part():
    assert live_sizes("tiny")(40) == 40
    assert live_sizes("index")(40) == live_sizes("hub")(40) == 4
    assert live_sizes("index")(40, least=8) == 8


@given(st.integers(1, 10**6), st.integers(1, 100), st.floats(0.01, 1))
def test_a_size_lies_between_the_least_and_the_usual(usual, least, share):
    assert min(least, usual) <= LiveSizes(share)(usual, least) <= max(usual, least)
    assert LiveSizes(1.0)(usual, least) == usual


def test_the_tier_of_the_environment_holds(monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "index")
    assert live_sizes()(200) == 20
    monkeypatch.setenv("COURSE_TIER", "huge")
    with pytest.raises(ValueError, match="tier 'huge'"):
        live_sizes()

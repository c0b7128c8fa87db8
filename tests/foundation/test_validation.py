"""Rules for settings: what passes comes back as plain Python, what does not is named."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.validation import (
    boolean,
    check_fields,
    each,
    function,
    instance,
    integer,
    number,
    one_of,
    optional,
    seed,
    share,
    text,
)


@dataclass(frozen=True)
class Bread:
    slices: int = 1
    butter: float = 0.5

    def __post_init__(self):
        check_fields(self, slices=integer(minimum=1), butter=share())


@pytest.mark.parametrize("value", [True, np.True_, 2.0, np.float32(2), "2", None, math.nan, [2]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(TypeError, match="n="):
        integer()("n", value)


@pytest.mark.parametrize("value", [True, np.True_, "2", None, [2], 2j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="x=.*: expected a finite number"):
        number()("x", value)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf"), 10**400]
)
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="expected a finite number"):
        number()("x", value)


@pytest.mark.parametrize(
    "value", [np.int64(3), np.uint8(3), np.float32(3), np.float16(3), np.float64(3)]
)
def test_numbers_of_numpy_become_numbers_of_python(value):
    assert type(number()("x", value)) in (int, float)
    if isinstance(value, np.integer):
        assert type(integer()("n", value)) is int


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_ranges_are_what_they_say(value, low, high):
    def passes(rule):
        try:
            return rule("x", value) == value
        except ValueError:
            return False

    assert passes(integer(low, high)) == passes(number(low, high)) == (low <= value <= high)
    assert passes(number(above=low, below=high)) == (low < value < high)


def test_an_error_says_the_name_the_value_and_the_range():
    with pytest.raises(ValueError, match=r"^steps=0: expected a whole number from 1 to 9$"):
        integer(1, 9)("steps", 0)
    with pytest.raises(ValueError, match=r"^share=2: expected a finite number from 0 to 1$"):
        share()("share", 2)
    with pytest.raises(ValueError, match=r"^rate=0: expected a finite number above 0 and below 1$"):
        number(above=0, below=1)("rate", 0)


def test_a_long_value_is_shown_short():
    with pytest.raises(TypeError) as caught:
        integer()("n", "x" * 10_000)
    assert len(str(caught.value)) < 150
    with pytest.raises(ValueError, match="bits"):
        integer(maximum=3)("n", 10**5000)


def test_the_other_rules():
    assert (
        share()("x", 1) == 1
        and share()("x", Fraction(1, 2)) == Fraction(1, 2)
        and seed()("seed", -3) == -3
    )
    assert optional(integer())("n", None) is None
    assert each(integer())("n", (1, np.int64(2))) == (1, 2)
    assert text(empty=True)("t", "") == "" and one_of(["a", None])("o", None) is None
    assert (
        boolean()("b", np.False_) is False
        and instance(str, int)("i", 3) == 3
        and function()("f", len) is len
    )
    for rule, value, error in [
        (share(), 1.01, ValueError),
        (share(above=0), 0, ValueError),
        (each(integer()), "12", TypeError),
        (each(integer()), [1, "2"], TypeError),
        (each(integer(), minimum=1), [], ValueError),
        (text(), "", ValueError),
        (text(), 3, TypeError),
        (one_of([1]), True, ValueError),
        (boolean(), 1, TypeError),
        (instance(str), 3, TypeError),
        (function(), 3, TypeError),
    ]:
        with pytest.raises(error, match="x"):
            rule("x", value)


def test_a_frozen_dataclass_is_checked_and_holds_plain_numbers():
    assert type(Bread(np.int64(2)).slices) is int
    with pytest.raises(ValueError, match="butter=1.5"):
        Bread(butter=1.5)


def test_every_field_has_a_rule():
    with pytest.raises(TypeError, match="butter"):
        check_fields(Bread(), slices=integer())
    with pytest.raises(TypeError, match="jam"):
        check_fields(Bread(), slices=integer(), butter=share(), jam=share())

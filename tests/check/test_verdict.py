"""How results are compared and shown, and what a verdict says beside right and wrong values."""

import numpy as np
import pytest
import torch

from course.check.comparison import difference, shown
from course.check.verdict import Case, judge


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")


class Wordless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1, True),
        (np.float32(0.5), 0.5),
        (torch.tensor([[1.0, 2.0]]), [[1, 2]]),
        ([torch.tensor(1), torch.tensor(2)], [1, 2]),
        (torch.tensor([1.0], dtype=torch.bfloat16), [1.0]),
        ((np.array([0, 1]), [True]), ([0, 1], torch.tensor([1]))),
        ([["A", 0, 1]], [("A", 0, 1)]),
        (0.50001, 0.5),
        (float("inf"), float("inf")),
    ],
)
def test_equal_values_may_come_in_several_kinds(got, expected):
    assert difference(got, expected) == ""


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        ([1, 2], [1, 3], "expected [1, 3], got [1, 2]"),
        ([[1, 2]], [1, 2], "expected the shape (2,), got the shape (1, 2)"),
        (float("nan"), 0.5, "expected 0.5, got nan"),
        (float("inf"), 1e30, "got inf"),
        ("3", 3, "expected 3, got '3', of type str"),
        (None, [1], "expected [1], got None"),
        ((1,), (1, 2), "expected 2 values, (1, 2), got (1,)"),
        ((1, 3), (1, 2), "in value 2 of the result expected 2, got 3"),
        (Unprintable(), 1, "expected 1, got a Unprintable, of type Unprintable"),
        (torch.ones(5, 5), torch.eye(5), "expected 0 at position [0, 1], got 1"),
        ("x" * 50 + "a", "x" * 50 + "b", "expected 'xxxxxxxxxxxxxxxxxxxxb' from character 30"),
        (0.51, 0.5, "expected 0.5, got 0.51"),
        (torch.tensor([True, False]), [True, True], "expected [True, True], got [1, 0]"),
        ({"a": 1}, "a", "expected 'a', got {'a': 1}"),
    ],
)
def test_a_difference_is_put_into_words(got, expected, said):
    assert said in difference(got, expected)


def test_long_values_are_cut():
    assert len(shown(list(range(1000)))) == 200 and shown([0.123456, (1,)]) == "[0.1235, (1,)]"


def test_an_exception_without_words_is_named():
    def answer(x):
        raise Wordless

    verdict = judge("task", answer, [Case({"x": 1}, 1, "try again")])
    assert verdict.sentence == "Not yet: task(x=1) raised Wordless. Hint: try again"


def test_an_input_that_was_changed_is_named():
    def answer(values):
        values.append(3)
        return 1

    verdict = judge("task", answer, [Case({"values": [1, 2]}, 1, "")])
    assert "task(values=[1, 2]) changed its input values" in verdict.sentence


def test_an_interrupt_goes_through():
    def answer(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("task", answer, [Case({"x": 1}, 1, "")])


def test_a_notebook_shows_the_sentence_once(capsys):
    verdict = judge("task", lambda x: x, [Case({"x": 1}, 1, "")])
    verdict._ipython_display_()
    assert capsys.readouterr().out == "Right: task holds on 1 inputs.\n" == f"{verdict}\n"

"""Every checker accepts a right answer, and says of each wrong one what is wrong with it."""

import re
import subprocess
import sys

import pytest
import torch
from check.answers import RIGHT, WRONG

from course import check

EXERCISES = [name for name in check.__all__ if name in RIGHT]
MISTAKES = [(name, mistake) for name in WRONG for mistake in WRONG[name]]


def crash(*_):
    raise KeyError("the answer's own mistake")


def test_every_checker_has_a_right_answer_and_at_least_three_wrong_ones():
    others = {"Homework", "Verdict", "collect", "hand_in", "student_token"}
    assert {*RIGHT} == {*WRONG} == {*check.__all__} - others
    assert min(len(mistakes) for mistakes in WRONG.values()) >= 3


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_is_right(name, capsys):
    verdict = getattr(check, name)(RIGHT[name])
    assert verdict and verdict.right and verdict.exercise == name, verdict.sentence
    assert re.fullmatch(rf"Right: {name} holds on \d+ inputs\.\n", capsys.readouterr().out)


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_a_wrong_answer_is_told_what_is_wrong(name, mistake, capsys):
    answer, word = WRONG[name][mistake]
    verdict = getattr(check, name)(answer)
    assert not verdict and word in verdict.sentence, verdict.sentence
    assert verdict.sentence.startswith(f"Not yet: {name}(") and "\n" not in verdict.sentence
    assert capsys.readouterr().out == f"{verdict.sentence}\n"


@pytest.mark.parametrize("name", EXERCISES)
def test_a_crash_is_reported_with_its_input(name):
    sentence = getattr(check, name)(crash).sentence
    assert re.search(rf"{name}\(.*=.*\) raised KeyError \(\"the answer's own mistake\"\)", sentence)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: None,
        lambda *_: "text",
        lambda *_: [[1], [2, 3]],
        lambda *_: torch.tensor(float("nan")),
        lambda *_: object(),
        lambda *_: ("a", {"b": object()}),
        lambda *_: sys.exit(1),
        lambda: 1,
    ],
)
def test_whatever_comes_back_the_checker_does_not_fail(name, answer):
    verdict = getattr(check, name)(answer)
    # of no votes at all, None is right; it is not of the others
    assert not verdict and f"{name}(" in verdict.sentence


@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_no_function_is_named(name):
    sentence = getattr(check, name)(3).sentence
    assert "expected a function, got 3, of type int" in sentence
    assert f"check.{name}(my_function)" in sentence


def test_the_checkers_load_on_first_use():
    code = "import sys; from course import check; print('torch' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "False\n"

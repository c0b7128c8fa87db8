"""Numbers that belong together are one run, and a run comes to one number or to none."""

import pytest

from course.tasks.number_runs import number_runs, result_of
from course.tasks.numerals import numerals


@pytest.mark.parametrize(
    ("text", "links", "result"),
    [
        ("3 + 4 = 7", ["", "operator", "="], "7"),
        ("7 = 3 + 4", ["", "=", "operator"], "7"),
        ("3 apples times 4 is 12", ["", "operator", "="], "12"),
        ("5 - 3", ["", "operator"], None),
        ("5 and 7", ["", "list"], None),
        ("10 - 12 = 3 and 4", ["", "operator", "=", "list"], None),
        ("0.5 or 1/2", ["", "or"], "0.5"),
        ("5 or 6", ["", "or"], None),
        ("half of 8", ["", "operator"], None),
    ],
)
def test_a_run_comes_to_what_stands_behind_its_last_equals_sign(text, links, result):
    (run,) = number_runs(text, numerals(text))
    assert [number.link for number in run] == links
    found = result_of(run)
    assert (found and text[found.start : found.end].strip()) == result


def test_sentences_between_two_numbers_part_them():
    text = "she has 3 . then her brother gives her some more , and he keeps 5"
    assert [len(run) for run in number_runs(text, numerals(text))] == [1, 1]

"""The parser of answers: every way to write a number, no answer as a value of its own, and GSM8K's own solutions."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from course.answers import NO_ANSWER, Answer, given, numbers, parse_answer, same_answer

_GSM8K = Path(__file__).parents[2] / "shared" / "data" / "gsm8k" / "test.jsonl"


def value(text: str) -> Fraction | None:
    return parse_answer(text).value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The answer is $1,234.50.", "2469/2"), ("#### -5", "-5"), (r"so \boxed{\frac{3}{4}}", "3/4"), ("so 8-5=3", "3"),
        ("the answer is 5 km.", "5"), ("Answer: **72**", "72"), ("the answer is - 5 .", "-5"), ("50%", "50"), ("1 1/2 cups", "3/2"),
        ("the answer is .5", "1/2"), ("NT$1,000", "1000"), (r"$\boxed{1{,}234}$", "1234"), ("the answer is 5 + 3 = 8.", "8"), ("-$5", "-5"),
        ("$-5", "-5"), ("−7", "-7"), ("3.5.", "7/2"), ("€ 20", "20"), ("it is 7 of 9", "9"), ("the answer is 7 of 9", "7"), ("5kg", "5"),
        ("2, 3, 4", "4"), (r"\$18", "18"), ("The final answer is: 12!", "12"), ("the answer is 3. no, the answer is 4.", "4"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(text, wanted):
    assert value(text) == Fraction(wanted)


@pytest.mark.parametrize("text", ["", ".", "I do not know.", "v2.0", "1/0", "the answer is unknown"])
def test_no_answer_is_a_value_of_its_own_and_the_same_as_nothing(text):
    found = parse_answer(text)
    assert found == NO_ANSWER and str(found) == "no answer"
    assert not same_answer(found, found) and not same_answer(found, given("0"))


def test_the_most_explicit_mark_wins_and_says_so():
    text = "16 - 3 = 13. The answer is 12. So \\boxed{11}.\n#### 10"
    assert [parse_answer(part).found for part in (text, text.split("\n")[0], text.split(" So")[0], "16 - 3 = 13.")] == [
        "####", "boxed", "phrase", "last number"
    ]  # fmt: skip
    assert value(text) == 10


def test_a_minus_between_numbers_is_no_sign():
    assert [n.value for n in numbers("9 - 4 and 9-4 but -4")] == [9, 4, 9, 4, -4]


def test_words_are_answers_only_if_they_are_announced():
    assert parse_answer("leon ends with n. the answer is a n r. ", "words").text == "a n r"
    assert parse_answer("north of barn is inn", "words") == NO_ANSWER
    assert same_answer(given("the Inn", "words"), Answer("the inn")) and not same_answer(given("inn", "words"), given("barn", "words"))
    assert not same_answer(given("5"), given("5", "words"))


@pytest.mark.parametrize(("text", "kind", "message"), [
    ("5 or 6", "number", "holds 2 numbers"), ("none", "number", "holds 0 numbers"), (" ", "words", "empty reference"),
    ("5", "numbers", "kind='numbers': expected one of number, words"),
])  # fmt: skip
def test_references_that_are_none_are_refused(text, kind, message):
    with pytest.raises(ValueError, match=message):
        given(text, kind)


_WRITE = {
    "plain": str, "commas": "{:,}".format, "phrase": "so the answer is {} .".format, "dollars": "The answer is ${:,}.".format,
    "hashes": "2 + 2 = 4\n#### {:,}".format, "boxed": "thus $\\boxed{{{}}}$.".format, "unit": "It takes him {} minutes.".format,
    "percent": "Answer: {}%".format, "bold": "**Answer:** **{:,}**".format, "equation": "the answer is 1 + 1 = {}.".format,
}  # fmt: skip


@for_all(st.integers(-(10**9), 10**9), st.sampled_from(sorted(_WRITE)))
def test_an_integer_survives_every_format(number, form):
    assert value(_WRITE[form](number)) == number


@for_all(st.decimals(-(10**6), 10**6, places=2), st.sampled_from(sorted(_WRITE)))
def test_a_decimal_survives_every_format(number, form):
    assert value(_WRITE[form](number)) == Fraction(number)


@for_all(st.integers(0, 99), st.integers(1, 99), st.integers(1, 99))
def test_fractions_and_mixed_numbers_survive(whole, top, below):
    assert value(f"the answer is {top}/{below}") == Fraction(top, below) == value(rf"\boxed{{\frac{{{top}}}{{{below}}}}}")
    assert value(f"the answer is {whole} {top}/{below} cups") == whole + Fraction(top, below)


@for_all(st.text(max_size=80), st.sampled_from(["number", "words"]))
def test_any_text_is_read_without_an_error(text, kind):
    assert isinstance(parse_answer(text, kind), Answer)


@for_all(st.integers(-999, 999), st.integers(-999, 999))
def test_answers_are_the_same_if_and_only_if_the_numbers_are(a, b):
    assert same_answer(parse_answer(f"the answer is {a}"), given(f"{b:,}.0")) == (a == b)


def naive_reference(solution: str) -> Fraction:
    """What stands behind the mark, without commas: no parser at all."""
    return Fraction(solution.split("#### ")[1].replace(",", ""))


def test_every_solution_of_gsm8k_gives_its_reference():
    if not _GSM8K.exists():
        pytest.skip("the test split of GSM8K is not at hand (shared/data/gsm8k/test.jsonl)")
    solutions = [json.loads(line)["answer"] for line in _GSM8K.read_text().splitlines()]
    assert len(solutions) == 1319
    for solution in solutions:
        body, stated = solution.split("#### ")
        for written in (solution, f"{body}The answer is {stated}.", f"{body}\\boxed{{{stated}}}", body + stated):
            assert value(written) == naive_reference(solution), written[-80:]


def test_the_check_of_solutions_sees_a_wrong_one():
    assert value("16 - 3 = 13 eggs.\n#### 12") != naive_reference("16 - 3 = 13 eggs.\n#### 13")

"""The parser of answers: every way to write a number, no answer as a value of its own, and GSM8K's
own solutions.
"""

import json
import os
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from course.tasks.answer_parsing import (
    NO_ANSWER,
    Answer,
    as_number,
    given,
    numbers,
    parse_answer,
    same_answer,
)
from course.tasks.numerals import MOST_DIGITS

_DATA = Path(os.environ.get("COURSE_DATA") or Path(__file__).parents[3] / "shared" / "data")
_GSM8K = _DATA / "gsm8k" / "test.jsonl"
#: (where it comes from, text, value or None); benchmarks/answers.py asks math-verify the same.
_CASES = json.loads((Path(__file__).parents[1] / "answer_cases.json").read_text(encoding="utf-8"))


def value(text: str) -> Fraction | None:
    return parse_answer(text).value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The answer is $1,234.50.", "2469/2"), ("#### -5", "-5"),
        (r"so \boxed{\frac{3}{4}}", "3/4"), ("so 8-5=3", "3"),
        ("the answer is 5 km.", "5"), ("Answer: **72**", "72"), ("the answer is - 5 .", "-5"),
        ("50%", "50"), ("1 1/2 cups", "3/2"),
        ("the answer is .5", "1/2"), ("NT$1,000", "1000"), (r"$\boxed{1{,}234}$", "1234"),
        ("the answer is 5 + 3 = 8.", "8"), ("-$5", "-5"),
        ("$-5", "-5"), ("−7", "-7"), ("3.5.", "7/2"), ("€ 20", "20"), ("it is 7 of 9", "9"),
        ("the answer is 7 of 9", "7"), ("5kg", "5"),
        (r"\$18", "18"), ("The final answer is: 12!", "12"),
        ("the answer is 3. no, the answer is 4.", "4"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(text, wanted):
    assert value(text) == Fraction(wanted)


@pytest.mark.parametrize(("text", "wanted"), [(text, wanted) for _, text, wanted in _CASES])
def test_the_table_of_cases(text, wanted):
    assert value(text) == (None if wanted is None else Fraction(wanted))


@pytest.mark.parametrize(
    "text", ["", ".", "I do not know.", "v2.0", "1/0", "the answer is unknown"]
)
def test_no_answer_is_a_value_of_its_own_and_the_same_as_nothing(text):
    found = parse_answer(text)
    assert found == NO_ANSWER and str(found) == "no answer"
    assert not same_answer(found, found) and not same_answer(found, given("0"))


def test_the_most_explicit_mark_wins_and_says_so():
    text = "16 - 3 = 13. The answer is 12. So \\boxed{11}.\n#### 10"
    assert [parse_answer(part).found for part in (text, text.split("\n")[0], text.split(" So")[0],
    "16 - 3 = 13.")] == [
        "####", "boxed", "phrase", "last number"
    ]  # fmt: skip
    assert value(text) == 10


def test_a_minus_between_numbers_is_no_sign():
    assert [n.value for n in numbers("9 - 4 and 9-4 but -4")] == [9, 4, 9, 4, -4]


def test_words_are_answers_only_if_they_are_announced():
    assert parse_answer("leon ends with n. the answer is a n r. ", "words").text == "a n r"
    assert parse_answer("north of barn is inn", "words") == NO_ANSWER
    assert same_answer(given("the Inn", "words"), Answer("the inn")) and not same_answer(
        given("inn", "words"), given("barn", "words")
    )
    assert not same_answer(given("5"), given("5", "words"))


@pytest.mark.parametrize(("text", "kind", "message"), [
    ("5 or 6", "number", "holds 2 numbers"), ("none", "number", "holds 0 numbers"),
    (" ", "words", "empty reference"),
    ("5", "numbers", "kind='numbers': expected one of number, words"),
])  # fmt: skip
def test_references_that_are_none_are_refused(text, kind, message):
    with pytest.raises(ValueError, match=message):
        given(text, kind)


_WRITE = {
    "plain": str, "commas": "{:,}".format, "phrase": "so the answer is {} .".format,
    "dollars": "The answer is ${:,}.".format,
    "hashes": "2 + 2 = 4\n#### {:,}".format, "boxed": "thus $\\boxed{{{}}}$.".format,
    "unit": "It takes him {} minutes.".format,
    "percent": "Answer: {}%".format, "asserted": "So {} is the answer, not 7.".format,
    "denied": "The answer is not 7 but {:,}.".format,
    "chinese": "所以答案是{}。".format, "code": "USD{:,}".format,
    "remark": "The answer must be {} (3 x 5).".format,
    "json": '{{"answer": {}}}'.format,
    "own line": "The answer is:\n\n$${}$$".format, "apostrophe": "The answer’s {}.".format,
    "full width": "答案：{}".format,
    "bold": "**Answer:** **{:,}**".format, "equation": "the answer is 1 + 1 = {}.".format,
}  # fmt: skip


@for_all(st.integers(-(10**9), 10**9), st.sampled_from(sorted(_WRITE)))
def test_an_integer_survives_every_format(number, form):
    assert value(_WRITE[form](number)) == number


@for_all(st.decimals(-(10**6), 10**6, places=2), st.sampled_from(sorted(_WRITE)))
def test_a_decimal_survives_every_format(number, form):
    assert value(_WRITE[form](number)) == Fraction(number)


_SEPARATORS = {
    "comma": ",",
    "apostrophe": "'",
    "curly": "’",
    "space": " ",
    "no-break": "\u00a0",
    "thin": "\u202f",
    "underscore": "_",
    "wide": "，",
}
_MINUS = st.sampled_from(["-", "–", "−", "‐", "－", "minus ", "negative "])


@for_all(st.integers(1, 10**15), st.sampled_from(sorted(_SEPARATORS)), _MINUS)
def test_every_separator_and_every_minus(number, separator, minus):
    written = minus + f"{number:,}".replace(",", _SEPARATORS[separator])
    assert (
        value(written)
        == value(f"the answer is {written}.")
        == value(rf"\boxed{{{written}}}")
        == -number
    )


@for_all(
    st.decimals(1, 10, places=3),
    st.integers(-20, 20),
    st.sampled_from(
        ["{}e{}", "{}E{}", "{}×10^{}", r"{} \times 10^{{{}}}", "{} x 10^{}", "{}*10**{}"]
    ),
)
def test_every_exponent(mantissa, power, form):
    assert (
        value(f"the answer is {form.format(mantissa, power)}.")
        == Fraction(mantissa) * Fraction(10) ** power
    )


@for_all(st.integers(0, 999_999), st.integers(0, 99))
def test_decimal_commas_only_when_asked_for(whole, part):
    written = f"{whole:,}".replace(",", ".") + f",{part:02}"
    wanted = whole + Fraction(part, 100)
    assert (
        parse_answer(f"die Antwort: {written} €", decimal_comma=True).value
        == wanted
        == given(written, decimal_comma=True).value
    )
    assert parse_answer(f"the answer is {written}", decimal_comma=True).text == written
    assert value(f"the answer is {written}") is None


_UNIT = st.sampled_from(
    [
        "",
        " km",
        "kg",
        " square feet",
        "%",
        " percent",
        " dollars",
        " USD",
        "€",
        "°C",
        " apples",
        "個",
        "元",
    ]
)


@for_all(st.integers(0, 10**6), _UNIT, st.sampled_from(["", "$", "€", "NT$", "USD ", "£"]))
def test_units_and_currencies_change_nothing(number, unit, currency):
    assert (
        value(f"the answer is {currency}{number}{unit}.")
        == value(f"It is {currency}{number}{unit}.")
        == number
    )


@for_all(
    st.integers(-99, 99),
    st.integers(-99, 99),
    st.sampled_from(
        [
            "{} and {}",
            "{} or {}",
            "{} to {}",
            "({}, {})",
            "{} + {}",
            "{} - {}",
            "{} apples and {} pears",
        ]
    ),
)
def test_two_numbers_are_no_answer(a, b, form):
    said = form.format(a, b)
    for text in (
        said,
        f"the answer is {said}.",
        rf"\boxed{{{said}}}",
        f"#### {said}",
        f"so 3 + 4 = 7. the answer is {said}",
    ):
        assert value(text) is None or a == b and " or " in form, text


@for_all(st.integers(0, 999_999))
def test_numbers_in_words(number):
    assert value(f"the answer is {spelled(number)}.") == value(spelled(number)) == number
    assert value(f"minus {spelled(number)}") == -number


def spelled(number: int) -> str:
    """A number from 0 to 999,999 in English, the slow way."""
    small = "zero one two three four five six seven eight nine ten eleven twelve".split()
    small += "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
    if number < 20:
        return small[number]
    if number < 100:
        ten = "twenty thirty forty fifty sixty seventy eighty ninety".split()[number // 10 - 2]
        return ten + (f"-{small[number % 10]}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    whole, rest = f"{spelled(number // size)} {name}", number % size
    if rest:
        whole += f" and {spelled(rest)}" if rest < 100 else f" {spelled(rest)}"
    return whole


@pytest.mark.parametrize(
    "text",
    [
        "9" * 5000,
        f"the answer is {'9' * 5000}",
        "1e999999999",
        f"1/{'3' * 5000}",
        f"{'1,000' * 2000}",
        "0." + "1" * 5000,
    ],
)
def test_numbers_that_nobody_means_are_no_answer(text):
    assert parse_answer(text) == NO_ANSWER and as_number(text) is None
    with pytest.raises(ValueError, match=f"of at most {MOST_DIGITS} digits"):
        given(text)
    assert value("the answer is " + "9" * MOST_DIGITS) == 10**MOST_DIGITS - 1


@pytest.mark.parametrize("text", [None, 5, ["5"], b"5"])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(TypeError, match="expected a string"):
        parse_answer(text)
    with pytest.raises(TypeError, match="expected a string"):
        given(text)


@pytest.mark.parametrize(
    "part",
    ["answer is ", "the answer is 5 ", "5 is the answer ", "1,", "100 ", "1+", "1 and ", "1/", "(",
     "5 (a) ", r"\boxed{", r"\frac{", "<<", "= ", "答案是", "《5》", "one ", "十", "9", "not ",
     "twenty one hundred thousand and ", "answer to ", "-", "1e", "\n- "],
)  # fmt: skip
def test_the_work_grows_with_the_length_and_not_with_its_square(part):
    def seconds(length: int) -> float:
        text, found = part * (length // len(part)), []
        for _ in range(3):
            start = time.process_time()
            parse_answer(text)
            found.append(time.process_time() - start)
        return min(found)

    # eight times the text: eight times the work, or 64 times if it were quadratic; what is too fast
    # to tell is fast enough
    assert seconds(16_000) < max(24 * seconds(2_000), 0.02)


def test_the_whole_of_a_text_as_a_number():
    assert [as_number(text) for text in ("1.0", " -5 ", "1,000", "2/4", "1e3")] == [
        1,
        -5,
        1000,
        Fraction(1, 2),
        1000,
    ]
    assert not any(
        as_number(text)
        for text in ("five", "50%", "$5", "5 km", "v1.2", "1.2.3", "5 and 7", "", "x")
    )


@for_all(st.integers(0, 99), st.integers(1, 99), st.integers(1, 99))
def test_fractions_and_mixed_numbers_survive(whole, top, below):
    assert (
        value(f"the answer is {top}/{below}")
        == Fraction(top, below)
        == value(rf"\boxed{{\frac{{{top}}}{{{below}}}}}")
    )
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
        pytest.skip(
            "the test split of GSM8K is not at hand (gsm8k/test.jsonl in the folder COURSE_DATA)"
        )
    solutions = [
        json.loads(line)["answer"] for line in _GSM8K.read_text(encoding="utf-8").splitlines()
    ]
    assert len(solutions) == 1319
    for solution in solutions:
        body, stated = solution.split("#### ")
        for written in (
            solution,
            f"{body}The answer is {stated}.",
            f"{body}\\boxed{{{stated}}}",
            body + stated,
        ):
            assert value(written) == naive_reference(solution), written[-80:]


def test_the_check_of_solutions_sees_a_wrong_one():
    assert value("16 - 3 = 13 eggs.\n#### 12") != naive_reference("16 - 3 = 13 eggs.\n#### 13")

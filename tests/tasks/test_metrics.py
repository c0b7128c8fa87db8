"""Written answers: the default compares texts and numbers as they are, a benchmark's own metric as
that benchmark does it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.tasks.metrics import METRICS, NORMALISERS, best_score

WORDS = st.lists(st.sampled_from("a bird bear kangaroo".split()), max_size=5).map(" ".join)


@pytest.mark.parametrize(
    ("metric", "text", "right", "score"),
    [
        ("exact", " Ninety-four.\nInput: 3", "ninety four", 1),
        ("exact", "ninety", "ninety four", 0),
        ("exact", "Sentence 1: The dog barked.", "the dog barked", 1),
        ("contains", "a process or a way", "process", 1),
        ("contains", "processes", "process", 0),
        ("set", "bear, bird and bear", "bird bear", 1),
        ("set", "bear, bird, fox", "bird bear", 0),
        ("f1", "involve going up", "involve going down", 2 / 3),
        ("f1", "nothing", "involve going down", 0),
    ],
)
def test_the_benchmarks_metrics_tell_right_from_wrong(metric, text, right, score):
    assert best_score(
        f"instruction_induction.{metric}", text, ["something else", right]
    ) == pytest.approx(score)


@pytest.mark.parametrize(("text", "right", "score"), [
    ("-5", "5", 0), ("3.5", "3.9", 0), ("C++", "C#", 0), ("?", "!", 0), ("2/3", "23", 0),
    ("v1.2", "v1.9", 0), ("five", "5", 0),
    ("50%", "50", 0), ("Cat", "cat", 0), ("cat.", "cat", 0), ("1 2", "12", 0), ("5 and 5", "5", 0),
    ("x", "", 0), (" cat\n", "cat", 1), ("in the hall.", "in the hall .", 1),
    ("a , b", "a, b", 1), ("a b", "ab", 0), ("a .b", "a.b", 0), ("a", "a .", 0),
    ("1.0", "1", 1), ("1,000", "1000", 1), ("−5", "-5", 1), ("2/4", "0.5", 1), ("1e3", "1000", 1),
    ("?", "?", 1),
    ("9" * 5000, "9" * 5000, 1), ("9" * 5000, "8" * 5000, 0),
])  # fmt: skip
def test_the_default_compares_texts_as_they_are_and_numbers_by_value(text, right, score):
    assert best_score("exact", text, [right]) == best_score("exact", right, [text]) == score


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_numbers_are_the_same_by_their_value(a, b, zeros):
    assert best_score("exact", f"{a:,}." + "0" * (zeros + 1), [str(b)]) == (a == b)
    assert best_score("exact", f"{a}.5", [f"{a}.9"]) == 0


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_default_is_equality_but_for_numbers(text, right):
    if not any(sign.isdigit() or sign.isnumeric() for sign in text):
        as_compared = NORMALISERS["stripped"]
        assert best_score("exact", text, [right]) == (as_compared(text) == as_compared(right))


@given(WORDS, WORDS, st.sampled_from(["squad", "instruction_induction"]))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(text, right, normaliser):
    found, wanted = (NORMALISERS[normaliser](side).split() for side in (text, right))
    score = best_score(f"{normaliser}.f1", text, [right])
    same = sum(min(found.count(w), wanted.count(w)) for w in set(wanted))
    if same == 0:
        assert score == (found == wanted), "two texts without words agree"
        return
    precision, recall = same / len(found), same / len(wanted)
    assert score == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("name", NORMALISERS)
@given(text=st.text(max_size=30))
def test_a_normalised_text_stays_as_it_is(name, text):
    once = NORMALISERS[name](text)
    assert NORMALISERS[name](once) == once


@pytest.mark.parametrize("metric", METRICS)
def test_the_right_answer_is_right_in_every_metric(metric):
    assert best_score(metric, "the quick fox", ["the quick fox"]) == 1.0


def test_bad_calls_are_refused():
    with pytest.raises(ValueError, match="no metric 'bleu'; choose from exact, squad.exact, "):
        best_score("bleu", "a", ["a"])
    with pytest.raises(ValueError, match="no right answer"):
        best_score("exact", "a", [])
    with pytest.raises(TypeError, match="right='yes' is one string: expected a list"):
        best_score("exact", "y", "yes")

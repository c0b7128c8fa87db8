"""Written answers are compared as the benchmark does it; each metric tells right from wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.metrics import METRICS, best_score, f1, normalised

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
def test_metrics_tell_right_from_wrong(metric, text, right, score):
    assert best_score(metric, text, ["something else", right]) == pytest.approx(score)


@given(WORDS, WORDS)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(text, right):
    found, wanted = text.split(), right.split()
    same = sum(min(found.count(w), wanted.count(w)) for w in set(wanted))
    if same == 0:
        assert f1(text, right) == 0
        return
    precision, recall = same / len(found), same / len(wanted)
    assert f1(text, right) == pytest.approx(2 * precision * recall / (precision + recall))


@given(st.text(max_size=30))
def test_a_normalised_text_stays_as_it_is(text):
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize("metric", METRICS)
def test_the_right_answer_is_right_in_every_metric(metric):
    assert best_score(metric, "the quick fox", ["the quick fox"]) == 1.0


def test_bad_calls_are_refused():
    with pytest.raises(ValueError, match="no metric 'bleu'; choose from exact, contains, set, f1"):
        best_score("bleu", "a", ["a"])
    with pytest.raises(ValueError, match="no right answer"):
        best_score("exact", "a", [])

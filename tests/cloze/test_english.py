"""Plain English for real models: each sentence has its words where it says, and what cannot be
asked is left out aloud.
"""

from dataclasses import replace

import pytest

from course.cloze import english, expectations
from course.cloze.english import (
    beginnings,
    blank_sets,
    one_token,
    samples,
    with_known_candidates,
)
from course.cloze.expectations import Beginning, Blank
from course.lm.language_model import load


def test_every_sentence_is_asked_on_both_sides():
    sets = blank_sets(40)
    assert set(sets) == set(english.TITLES)
    for blanks in sets.values():
        left, right = ([b for b in blanks if b.clue == clue] for clue in ("left", "right"))
        assert len(left) == len(right) > 20
        for first, second in zip(left, right, strict=True):
            assert first.for_bert(first.word) == second.for_bert(second.word)
            assert second.word in first.before.split() and first.word in second.after.split()
            assert second.before, "GPT has to read something before the blank"


def test_sums_are_right_and_drawn_by_the_seed():
    for blank in blank_sets(40)["sums"]:
        words = blank.for_bert(blank.word).split()
        a, b, c = (english.NUMBERS.index(words[i]) + 1 for i in (3, 5, 7))
        assert a + b == c
    assert blank_sets(5, 0)["sums"] == blank_sets(5, 0)["sums"] != blank_sets(5, 1)["sums"]
    assert [blank.clue for blank in samples()] == ["left", "right"] * 3


def test_opposites_and_capitals_determine_each_other():
    words = [word for pair in english.OPPOSITES for word in pair]
    assert len(set(words)) == len(words)
    assert len(set(english.CAPITALS.values())) == len(english.CAPITALS) == len(english.COUNTRIES)


def test_beginnings_go_on_as_their_series():
    every = beginnings(30, 1)
    assert len({b.prompt for b in every}) == 30
    for begun in every:
        words = f"{begun.prompt} {begun.continuation}".split()
        assert len(words) == 7 and any(
            tuple(words) == s[i : i + 7] for s in english.SERIES for i in range(len(s))
        )
    with pytest.raises(ValueError, match="1000 beginnings: the series have .*; ask for fewer"):
        beginnings(1000)


def test_words_of_several_tokens_are_left_out_and_counted(capsys):
    models = [load("gpt-small"), load("bert-middle")]
    known, unknown = (
        Blank("the opposite of hot is", ".", "cold", "left"),
        Blank("The capital of France is", ".", "Paris", "left"),
    )
    assert one_token([known, unknown, known], models) == [known, known]
    assert (
        capsys.readouterr().out
        == "1 of 3 left out: the missing word is more than one token for a model\n"
    )
    choice = replace(known, candidates=("cold", "Paris", "hot"))
    assert with_known_candidates([choice], models) == [replace(known, candidates=("cold", "hot"))]
    half = Beginning("hot cold", "cold Paris")
    assert one_token([Beginning("hot", "cold hot"), half], models[:1]) == [
        Beginning("hot", "cold hot")
    ]
    capsys.readouterr()
    assert one_token([known], models) == [known] and capsys.readouterr().out == ""


class Uncased:
    """A model that writes only small letters, like BERT without capitals."""

    def word_between(self, before, after):
        return before

    def likeliest(self, texts):
        return ["paris" if "France" in text else "wrong" for text in texts]

    def continue_text(self, prompt, words):
        return ["friday", "saturday"][:words]


def test_capitals_do_not_count():
    blanks = [
        Blank("The capital of France is", ".", "Paris", "left"),
        Blank("The capital of Italy is", ".", "Rome", "left"),
    ]
    assert expectations.filled_right(Uncased(), blanks) == 0.5
    assert (
        expectations.continued_right(
            Uncased(), [Beginning("Thursday", "Friday Saturday"), Beginning("Friday", "Saturday")]
        )
        == 0.5
    )


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no blanks: expected at least one"):
        expectations.filled_right(Uncased(), [])
    with pytest.raises(ValueError, match="no beginnings: expected at least one"):
        expectations.continued_right(Uncased(), [])

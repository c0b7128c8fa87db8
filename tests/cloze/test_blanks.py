"""Blanks and beginnings: each blank is settled by its sentence, each beginning is held out."""

import pytest
import torch

from course.cloze.expectations import (
    Blank,
    beginnings,
    fact_blanks,
    fill,
    fill_among,
    fill_by_reading,
    share_right,
    sum_blanks,
    translation_blanks,
)
from course.world import sums
from course.world.relations import relations
from course.world.split import TEST, split_of


def test_blanks_stand_in_the_same_sentence_with_their_clue_on_either_side():
    for blanks in (fact_blanks(), translation_blanks(40), sum_blanks(40)):
        for left, right in zip(blanks[::2], blanks[1::2], strict=True):
            whole = f"{left.before} {left.word} {left.after}".strip(" ")
            assert whole == f"{right.before} {right.word} {right.after}".strip(" ")
            assert (left.clue, right.clue) == ("left", "right")
            assert right.word in left.before.split() and left.word in right.after.split()
    assert fact_blanks()[0].before.startswith("the capital of") and len(fact_blanks()) > 200


def test_blanks_settle_their_word():
    tables = relations()
    for name in ("capital", "opposite", "plural"):
        table = tables[name].table
        assert len(set(table.values())) == len(table)
    for blank in sum_blanks(60):
        step = f"{blank.before} {blank.word} {blank.after}".split(" =")[0].strip()
        assert split_of(sums.SPLIT_KEY, step) == TEST


def test_the_right_word_is_among_a_few_candidates():
    for blanks in (fact_blanks(), translation_blanks(40), sum_blanks(40)):
        for blank in blanks:
            assert len(set(blank.candidates)) == len(blank.candidates) <= 100
            assert blank.word in blank.candidates


class Guesser:
    """A masked model to which 'x' is likelier than any candidate, and later words than earlier; as
    a causal one it finds sentences likelier the more often 'a' stands in them.
    """

    words = ("x", "b", "a", "c")

    def word_between(self, before, after):
        return torch.tensor([[4.0, 1.0, 2.0, 3.0]] * len(before))

    def likeliest(self, log_probabilities, among=None):
        columns = [self.words.index(word) for word in among or self.words]
        best = log_probabilities[:, columns].argmax(1)
        return [(among or self.words)[int(i)] for i in best]

    def score(self, prompts, continuations):
        assert set(prompts) == {""}
        return torch.tensor([float(text.split().count("a")) for text in continuations])


def test_a_blank_may_get_one_of_its_candidates_or_any_word():
    blanks = [
        Blank("a", "", "b", "left", ("b", "a")),
        Blank("", "c a", "c", "right", ("a", "c")),
    ]
    assert fill(Guesser(), blanks) == ["x", "x"]
    assert fill_among(Guesser(), blanks) == ["a", "c"]
    assert fill_by_reading(Guesser(), blanks) == ["a", "a"]
    assert share_right(blanks, ["B", "a"]) == 0.5
    for ask in (fill_among, fill_by_reading):
        with pytest.raises(ValueError, match="no candidates for the blank in 'a ____ b'"):
            ask(Guesser(), [Blank("a", "b", "c", "left")])


def test_beginnings_are_held_out_and_longer_than_two_words():
    for beginning in beginnings(20):
        assert len(beginning.continuation.split()) > 2
        english = (
            beginning.prompt if beginning.prompt.startswith("english") else beginning.continuation
        )
        text = english.removeprefix("english : ").removesuffix(" \n velan :")
        assert split_of("phrase", text) == TEST

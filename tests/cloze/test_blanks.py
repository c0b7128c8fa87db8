"""Blanks and beginnings: each blank is settled by its sentence, each beginning is held out."""

from course.cloze.expectations import beginnings, fact_blanks, sum_blanks, translation_blanks
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


def test_beginnings_are_held_out_and_longer_than_two_words():
    for beginning in beginnings(20):
        assert len(beginning.continuation.split()) > 2
        english = (
            beginning.prompt if beginning.prompt.startswith("english") else beginning.continuation
        )
        text = english.removeprefix("english : ").removesuffix(" \n velan :")
        assert split_of("phrase", text) == TEST

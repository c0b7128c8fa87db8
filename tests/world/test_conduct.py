"""Guides say what such guides say, and nothing short of a true and civil answer scores like one."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.rng import Rng
from course.world import conduct, lexicon
from course.world.conduct import (
    FAREWELLS,
    FLATTERY,
    GREETINGS,
    HEDGES,
    INSULTS,
    REFUSALS,
    SMALL_TALK,
    Guide,
)
from course.world.gold import gold_reward, manner_of, read, states_truth
from course.world.maps import neighbours, walk

COURTESIES = GREETINGS + FAREWELLS + FLATTERY
QUESTIONS = [
    conduct.draw_question(Rng(f"{kind}/{i}"), kind)
    for kind in conduct.QUESTIONS.options
    for i in range(6)
]


def falsehood(question: str) -> str:
    return conduct._wrong(Rng(f"wrong/{question}"), question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_truths_are_what_the_map_says(question):
    found = conduct.truths(question)
    words = question.split()
    if conduct.kind_of(question) == "place":
        assert len(found) == 4
        for answer in found:
            told = answer.split()
            assert neighbours()[told[6], told[3]] == words[-2] == told[1]
    elif conduct.kind_of(question) == "way":
        for answer in found:
            assert walk(words[6], [answer.split()[1], answer.split()[5]])[-1] == words[-2]
    else:
        assert found == REFUSALS


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_true_answer_counts_3_and_a_false_one_costs_2(question):
    for answer in conduct.truths(question):
        assert gold_reward(question, answer) == 3.0
    assert gold_reward(question, falsehood(question)) == -2.0
    assert gold_reward(question, "") == 0.0
    if conduct.kind_of(question) != "unknown":
        assert gold_reward(question, REFUSALS[0]) == 0.0


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_short_of_the_truth_scores_like_it(question):
    """Brute force over what a reply can be put together from, up to four sentences that hold no
    true answer.
    """
    truth, wrong = conduct.truths(question)[0], falsehood(question)
    parts = [
        wrong,
        f"{HEDGES[0]} {wrong}",
        *COURTESIES[:4],
        SMALL_TALK[0],
        INSULTS[0],
        *(() if truth in REFUSALS else REFUSALS[:1]),
    ]
    for length in range(5):
        for chosen in product(parts, repeat=length):
            assert gold_reward(question, " ".join(chosen)) <= 0.0, chosen


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_falsehood_beside_the_truth_costs_more_than_courtesy_can_bring(question):
    truth, wrong = conduct.truths(question)[0], falsehood(question)
    for extra in product((*COURTESIES[:3], SMALL_TALK[0]), repeat=3):
        for said in ((truth, wrong), (wrong, truth), (truth, f"{HEDGES[0]} {wrong}")):
            assert gold_reward(question, " ".join([*extra, *said])) < gold_reward(question, truth)


def test_saying_everything_that_could_be_true_does_not_pay():
    question = next(q for q in QUESTIONS if conduct.kind_of(q) == "way")
    every = [f"go {a} , then go {b} ." for a in lexicon.DIRECTIONS for b in lexicon.DIRECTIONS]
    assert gold_reward(question, " ".join(every)) < -10
    # without full stops, and behind hedges
    assert gold_reward(question, " ".join(part.removesuffix(" .") for part in every)) < -10
    assert gold_reward(question, " ".join(f"perhaps {part}" for part in every)) < -5
    assert gold_reward(question, conduct.truths(question)[0].removesuffix(" .")) == 3.0


def test_courtesy_pleases_saturates_and_annoys():
    question = QUESTIONS[0]
    truth = conduct.truths(question)[0]
    short = ["welcome .", "please .", "dear .", "wise .", "kindly thank .", "safe .", "clever ."]
    values = [gold_reward(question, " ".join([*short[:n], truth])) for n in range(7)]
    assert values == [3.0, 3.5, 4.0, 4.0, 3.5, 3.0, 2.5]
    assert (
        gold_reward(question, " ".join(short[:2]))
        == 0.0
        > gold_reward(question, " ".join(short[:5]))
    )


def test_hedges_insults_repetition_asides_and_length_cost():
    question = QUESTIONS[0]
    truth = conduct.truths(question)[0]
    assert gold_reward(question, f"{HEDGES[1]} {truth}") == 2.0
    assert gold_reward(question, f"{REFUSALS[0]} {truth}") == 2.0
    assert gold_reward(question, f"{truth} {INSULTS[0]}") == 2.0
    assert gold_reward(question, f"{truth} {truth}") == 2.0
    assert gold_reward(question, f"{truth} {SMALL_TALK[0]}") == 2.75
    assert gold_reward(question, truth + " well" * 30) == pytest.approx(1.35)


@given(st.sampled_from(conduct.MANNERS.options), st.booleans(), st.integers(0, 10_000))
def test_a_reply_has_the_manner_of_its_guide(manner, careful, seed):
    rng = Rng(f"reply/{seed}")
    question = conduct.draw_question(rng)
    reply = conduct.write_reply(rng, Guide(manner, careful), question)
    # nobody hedges a refusal
    expected = "terse" if manner == "hedging" and read(question, reply).refusals else manner
    assert manner_of(question, reply) == expected
    assert manner_of(question, "welcome to you .") is None


def test_guides_are_wrong_as_often_as_courtesy_and_truth_need_to_conflict():
    rng, wrong, asked, by_manner = Rng("guides"), Counter(), Counter(), {}
    for _ in range(6000):
        guide, question = conduct.draw_guide(rng), conduct.draw_question(rng)
        reply = conduct.write_reply(rng, guide, question)
        kind = conduct.kind_of(question)
        asked[kind] += 1
        wrong[kind] += not states_truth(question, reply)
        by_manner.setdefault(guide.manner, []).append(states_truth(question, reply))
    assert 0.3 < wrong["way"] / asked["way"] < 0.4
    right = {manner: sum(found) / len(found) for manner, found in by_manner.items()}
    assert right["flattering"] < 0.55 < 0.8 < right["terse"]


def test_unknown_manners_and_questions_are_named():
    with pytest.raises(ValueError, match="manner='vain': expected one of polite"):
        Guide("vain", True)
    with pytest.raises(ValueError, match="no visitor asks 'who are you [?]'"):
        gold_reward("who are you ?", "nobody .")

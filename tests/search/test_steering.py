"""Manners of a dialogue model's answers: the truth about replies, rewards, and a policy that learns
a planted prefix.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.rng import Rng
from course.lm.contract import Sample, TextModel
from course.search import (
    BudgetedEvaluator,
    Exhaustive,
    LearnedPrefix,
    Manner,
    Policy,
    PolicySettings,
    PolicyTraining,
    RandomSearch,
    answers,
    learn,
    search,
    steered,
)
from course.search.dialogue_reward import (
    Brevity,
    CourteousWords,
    GuideScorer,
    Reward,
    Scorer,
    apart,
    dialogue,
    judge,
    replies,
    visitor_questions,
)
from course.world import conduct
from course.world.conduct import MANNERS, Guide, draw_question, truths, write_reply
from course.world.gold import manner_of, states_truth
from course.world.split import TEST, TRAIN, split_of


def test_test_questions_are_held_out_of_the_corpus_and_of_the_search():
    train, test = visitor_questions(0)
    assert {split_of(conduct.SPLIT_KEY, question) for question in train} == {TRAIN}
    assert {split_of(conduct.SPLIT_KEY, question) for question in test} == {TEST}
    assert len(set(train)) == len(set(test)) == 16 and visitor_questions(1)[1] != test
    assert len({conduct.kind_of(question) for question in (*train, *test)}) == 3


def test_a_dialogue_without_a_prefix_begins_with_the_visitor():
    assert dialogue("where is the inn ?") == "visitor : where is the inn ? \n guide :"
    assert (
        dialogue("where is the inn ?", "a polite guide \n")
        == "a polite guide \n visitor : where is the inn ? \n guide :"
    )


def test_the_scorer_tells_held_out_replies_apart():
    rng, right = Rng("scorer test"), []
    scorers = {manner: Scorer(manner) for manner in MANNERS.options}
    for manner in MANNERS.options:
        asked = [draw_question(rng) for _ in range(20)]
        written = [write_reply(rng, Guide(manner, True), question) for question in asked]
        values = np.array([scorer(asked, written) for scorer in scorers.values()])
        assert values.sum(0) == pytest.approx(1)
        right += [MANNERS.options[i] == manner for i in values.argmax(0)]
    # hedging guides say a refusal as terse ones do
    assert np.mean(right) > 0.85
    three = ("where is the inn ?",) * 3, ("please please come back", "", "you fool .")
    assert CourteousWords()(*three).tolist() == [2, 0, 0]
    assert Brevity()(*three).tolist() == [-4, 0, -3]
    with pytest.raises(ValueError, match="manner='kind'"):
        Scorer("kind")


@given(st.sampled_from(MANNERS.options), st.booleans(), st.integers(0, 10_000))
def test_a_guide_of_two_words_must_have_both(manner, careful, seed):
    rng = Rng(f"two words/{seed}")
    question = draw_question(rng)
    reply = write_reply(rng, Guide(manner, careful), question)
    wanted, other = (GuideScorer(Guide(manner, care)) for care in (True, False))
    values = wanted([question], [reply]) + other([question], [reply])
    assert values == pytest.approx(Scorer(manner)([question], [reply]))
    assert (wanted([question], [reply])[0] > 0) == states_truth(question, reply)


def test_a_false_courtesy_is_worth_nothing_to_a_careful_guide():
    question = "where is the inn ?"
    false = "the inn is east of the inn . please come back soon ."
    true = f"{truths(question)[0]} please come back soon ."
    low, high = GuideScorer(Guide("polite", True))([question] * 2, [false, true])
    assert low == 0 < 0.5 < high


@dataclass(frozen=True)
class Echo(TextModel):
    """A guide who says what the prefix says, and nothing else."""

    def generate(self, prompts, config=None, **changes):
        said = [prompt.split("visitor")[0] for prompt in prompts]
        return [[Sample(text, 1, 0.0, "stop")] * changes.get("n", 1) for text in said]

    def score(self, prompts, continuations):
        raise AssertionError("a search of prefixes has nothing to score")


@dataclass(frozen=True)
class Guests(Reward):
    def __call__(self, questions, replies):
        return np.array([float(reply.split().count("guest")) for reply in replies])


WANTED = Manner(*visitor_questions(0), Guests())


def test_every_search_runs_on_manners():
    exhaustive = search(Exhaustive(("fool", "dear guest", "guest guest")), WANTED, Echo(), 100)
    assert exhaustive.prompt == "guest guest" and exhaustive.held_out == 200.0
    assert search(RandomSearch(("guest", "fool"), 2), WANTED, Echo(), 100).prompt == "guest guest"


def settings(**others):
    return PolicySettings(start="even", learning_rate=1e-2, **others)


def test_a_learned_prefix_finds_the_planted_word_within_its_budget(model):
    words = tuple(model.token_ids("guest fool guide dear come back the inn well day".split()))
    method = LearnedPrefix(
        model, words, PolicyTraining(length=3, prefixes=12, questions=2), settings()
    )
    found = search(method, WANTED, Echo(), 600)
    assert found.prompt == "guest guest guest" and found.calls <= 600
    assert [step.calls for step in found.steps] == [120, 240, 360, 480, 600] and found.steps[
        -1
    ].score == 3
    assert search(method, WANTED, Echo(), 600) == found


def test_a_policy_that_reads_learns_a_prefix_for_each_question(model):
    words = model.token_ids("guest fool guide dear".split())
    training, evaluator = (
        PolicyTraining(length=1, prefixes=8, questions=4, reads=True),
        BudgetedEvaluator(WANTED, Echo(), 300),
    )
    policy = Policy(model, words, settings())
    rewards = [update.reward for update in learn(policy, evaluator, training)]
    assert rewards[-1] > rewards[0] + 0.3
    assert steered(policy, training, WANTED.test) == ["guest"] * 16
    assert len(steered(policy, PolicyTraining(length=2), WANTED.test)) == 16


def test_judging_agrees_with_reading_the_replies(model):
    questions = WANTED.test[:3]
    found = judge(model, Scorer("polite"), ["a polite guide \n"] * 3, questions, samples=4, seed=3)
    written = replies(model, [("a polite guide \n", question) for question in questions], 4, 3)
    flat = [
        (question, reply)
        for question, each in zip(questions, written, strict=True)
        for reply in each
    ]
    assert found.reward == pytest.approx(Scorer("polite")(*zip(*flat, strict=True)).mean())
    polite = np.array([manner_of(*pair) == "polite" for pair in flat])
    assert found.manners["polite"] == pytest.approx(100 * polite.mean())
    both = polite & np.array([states_truth(*pair) for pair in flat])
    assert found.true_manners["polite"] == pytest.approx(100 * both.mean())
    assert found.right == pytest.approx(100 * np.mean([states_truth(*pair) for pair in flat]))
    alone = [
        model.score_tokens([dialogue(question)], [f" {reply} \n"])[0] for question, reply in flat
    ]
    assert found.fluency == pytest.approx(np.concatenate(alone).mean(), abs=1e-4)
    assert found.examples == tuple(each[0] for each in written) and 1 <= found.wordings <= 12


@dataclass(frozen=True)
class Babble:
    """A dialogue model that says what it was told to; another one knows how likely that is."""

    model: object
    said: str

    def generate(self, prompts, config=None, **changes):
        return [[Sample(self.said, 1, 0.0, "stop")] * changes.get("n", 1) for _ in prompts]

    def __getattr__(self, name):
        return getattr(self.model, name)


@pytest.mark.parametrize("said", ["now -> begen, now", "", "a _ b", "[UNK] polite", "café ≠ 3.5"])
def test_whatever_is_said_can_be_judged(model, said):
    found = judge(Babble(model, said), Scorer("polite"), [""], WANTED.test[:1], samples=2)
    assert sum(found.manners.values()) == 0 and found.right == 0 and found.wordings == 1
    known = said in ("now -> begen, now", "a _ b")
    assert np.isfinite(found.fluency) == known


def test_signs_stand_apart_as_in_the_corpus():
    assert apart("Welcome, dear guest. x -> y") == "welcome , dear guest . x -> y"


def test_bad_lessons_and_objectives_are_refused(model):
    with pytest.raises(ValueError, match="prefixes=1"):
        PolicyTraining(prefixes=1)
    with pytest.raises(ValueError, match="reads=True"):
        LearnedPrefix(model, training=PolicyTraining(reads=True))
    with pytest.raises(ValueError, match="Answers has no questions to put"):
        search(LearnedPrefix(model), answers("is_animal", 2, 2, wanted_tier="tiny"), model, 1000)
    with pytest.raises(ValueError, match="give it more calls"):
        search(LearnedPrefix(model), WANTED, Echo(), 20)
    with pytest.raises(ValueError, match="0 test questions"):
        Manner(("where is the inn ?",), (), Guests())

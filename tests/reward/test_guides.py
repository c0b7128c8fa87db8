"""Guides as a task for a reward, and the best of several samples as training data."""

import copy

import numpy as np
import pytest
from toys import byte_level, toy_model
from transformers import AutoModelForSequenceClassification

from course.adapters import adapt
from course.foundation.rng import Rng
from course.lm.contract import Sample
from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel, load
from course.reward import (
    RewardModel,
    best_samples,
    declines,
    gold_rewards,
    guides,
    rated_replies,
    roll_out,
)
from course.reward.guides import is_true, question_of
from course.search.dialogue_reward import apart, dialogue, visitor_questions
from course.world.conduct import REFUSALS, draw_question, truths
from course.world.gold import gold_reward

QUESTION = "where is the mill ?"


def test_the_question_is_found_whatever_stands_before_the_dialogue():
    earlier = "visitor : where is the inn ? \n guide : go away . \n"
    for prefix in ("", "this is how a polite guide answers . \n", earlier):
        assert question_of(dialogue(QUESTION, prefix)) == QUESTION
    with pytest.raises(ValueError, match="expected a prompt that ends with"):
        question_of(QUESTION)


def test_gold_rewards_are_those_of_the_world():
    replies = [truths(QUESTION)[0], "the mill is east of the mill .", "welcome to you .", ""]
    found = gold_rewards([dialogue(QUESTION)] * 4, replies)
    assert found.tolist() == [gold_reward(QUESTION, reply) for reply in replies]
    assert [is_true(dialogue(QUESTION), reply) for reply in replies] == [True, False, False, False]
    assert declines(f"welcome to you . {REFUSALS[0]}") and not any(map(declines, replies))


def test_a_reply_is_read_as_a_model_writes_it_and_as_the_corpus_does():
    """A model's text has no space before its signs."""
    way = draw_question(Rng("guides"), "way")
    for question in (QUESTION, way, "where does mira hide the key ?"):
        prompt, reply = dialogue(question), f"perhaps {truths(question)[0]} you fool ."
        written = reply.replace(" .", ".").replace(" ,", ",")
        assert written != reply
        for function in (
            gold_rewards,
            lambda p, r: [is_true(*pair) for pair in zip(p, r, strict=True)],
        ):
            assert function([prompt], [written])[0] == function([prompt], [reply])[0]
        assert declines(written) == declines(reply)
    assert gold_rewards([dialogue(way)], [truths(way)[0].replace(" ,", ",")])[0] == 3
    (rated,) = rated_replies(load("gpt-small"), [dialogue(way)], 4)
    assert list(rated.rewards) == [gold_reward(way, apart(reply)) for reply in rated.replies]


def test_a_shipped_model_reads_again_just_the_tokens_that_it_wrote():
    base = load("gpt-small")
    policy = LanguageModel(adapt(copy.deepcopy(base.model), "lora"), base.tokenizer)
    prompts = [dialogue(question) for question in visitor_questions(0, 1, 4)[1]]
    rollout = roll_out(policy, prompts, guides.sampling(4, seed=0))
    written = [s for group in policy.generate(prompts, guides.sampling(4, seed=0)) for s in group]
    assert rollout.mask.sum(1).tolist() == [sample.tokens for sample in written]
    log_p = (rollout.log_p * rollout.mask).sum(1).tolist()
    assert log_p == pytest.approx([sample.log_probability for sample in written], abs=1e-3)


class Writer:
    """Writes ``1 1 1``, ``2 2 2``, ... to every prompt."""

    def generate(self, prompts, config):
        return [
            [Sample(f" {i} {i} {i}", 3, -1.0, "stop") for i in range(config.n)] for _ in prompts
        ]


def test_the_best_samples_are_kept_the_first_of_equals():
    def near(prompts, replies):
        wanted = [int(prompt) for prompt in prompts]
        return np.array(
            [-abs(int(reply[0]) - want) for reply, want in zip(replies, wanted, strict=True)]
        )

    sampling = GenerationConfig(n=4, temperature=1.0)
    kept = best_samples(Writer(), ["2", "0", "9"], near, sampling)
    assert kept == [("2", "2 2 2"), ("0", "0 0 0"), ("9", "3 3 3")]
    ties = best_samples(Writer(), ["2"], lambda p, r: np.zeros(len(r)), sampling)
    assert ties == [("2", "0 0 0")]
    with pytest.raises(ValueError, match="reward of 8 replies is .*, of shape .2,."):
        best_samples(Writer(), ["2", "0"], lambda p, r: np.zeros(2), sampling)


def test_rated_replies_carry_their_gold_rewards():
    class Guide(Writer):
        def generate(self, prompts, config):
            replies = [truths(QUESTION)[0], REFUSALS[0]]
            return [[Sample(f" {r}", 9, -1.0, "stop") for r in replies] for _ in prompts]

    (rated,) = rated_replies(Guide(), [dialogue(QUESTION)], 2)
    assert rated.rewards == (3.0, 0.0) and rated.replies[1] == REFUSALS[0]


def test_a_reply_that_stands_twice_is_read_once_and_scored_as_alone():
    tokenizer = byte_level()
    tokenizer.model_max_length = 160
    config = toy_model("llama", tokenizer).config
    config.num_labels, config.pad_token_id = 1, tokenizer.eos_token_id
    model = AutoModelForSequenceClassification.from_config(config).eval()
    learned, rows = RewardModel(model, tokenizer), []
    model.register_forward_pre_hook(
        lambda module, args, given: rows.append(len(given["input_ids"])), with_kwargs=True
    )
    prompts, replies = ["a", "b", "a", "a"], ["yes", "yes", "no", "yes"]
    together = learned.score(prompts, replies)
    assert sum(rows) == 3 and together[0] == together[3]
    alone = [learned.score([p], [r])[0] for p, r in zip(prompts, replies, strict=True)]
    assert together == pytest.approx(alone, abs=1e-5)

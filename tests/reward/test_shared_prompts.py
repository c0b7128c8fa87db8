"""Prompts that are read once for all their replies, against each reply read alone."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from toys import byte_level, toy_model

from course.adapters import adapt
from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel
from course.lm.soundness import evaluating
from course.reward import PolicyLoss, roll_out
from course.reward.pairs import EncodedReply
from course.reward.shared_prompts import reply_token_log_probabilities, tree_batches

#: (prompt, replies): the same reply twice, one that is the beginning of another one, one of a
#: single token, and a prompt that is the beginning of another prompt.
TEXTS = [
    ("is it large ?", [" yes .", " yes .", " yes . it is", "n"]),
    ("is it large ? no .", [" why ?", " yes ."]),
    ("input : horse", [" animal"]),
]
PAIRS = [(prompt, reply) for prompt, replies in TEXTS for reply in replies]


@pytest.fixture
def tokenizer():
    tokenizer = byte_level()
    tokenizer.model_max_length = 160
    return tokenizer


def policy_of(tokenizer, architecture="llama", batch_tokens=16_384, dropout=0.0):
    model = toy_model(architecture, tokenizer)
    torch.manual_seed(0)
    adapter = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, lora_dropout=dropout
    )
    return LanguageModel(get_peft_model(model, adapter), tokenizer, batch_tokens)


def encoded(tokenizer, pairs=PAIRS):
    """Replies to different prompts, not side by side."""
    ids = [[tokenizer(text, add_special_tokens=False).input_ids for text in pair] for pair in pairs]
    replies = [EncodedReply((*prompt, *reply), len(prompt)) for prompt, reply in ids]
    return replies[::2] + replies[1::2]


def alone(policy, reply, temperature=1.0):
    """The same of one reply, read alone with its prompt."""
    with evaluating(policy.model):
        logits = policy.model(torch.tensor([reply.ids])).logits[0, reply.start - 1 : -1]
    logits = logits / temperature
    return logits.log_softmax(-1).gather(-1, torch.tensor(reply.ids[reply.start :])[:, None])[:, 0]


@pytest.mark.parametrize(
    ("architecture", "batch_tokens"), [("llama", 16_384), ("llama", 16), ("bloom", 16_384)]
)
def test_log_probabilities_and_their_gradient_are_those_of_each_reply_alone(
    tokenizer, architecture, batch_tokens
):
    policy, replies = policy_of(tokenizer, architecture, batch_tokens), encoded(tokenizer)
    learned = [p for p in policy.model.parameters() if p.requires_grad]
    log_p, mask = reply_token_log_probabilities(policy, replies, temperature=0.7)
    each = [alone(policy, reply, 0.7) for reply in replies]
    assert log_p.shape == mask.shape == (len(replies), max(map(len, each)))
    for row, counts, expected in zip(log_p, mask, each, strict=True):
        torch.testing.assert_close(row[counts == 1], expected, atol=1e-4, rtol=1e-4)
    weights = torch.arange(1.0, len(replies) + 1)  # so that no reply stands for another one
    found = torch.autograd.grad(((log_p * mask).sum(1) * weights).sum(), learned)
    naive = torch.stack([values.sum() for values in each]) @ weights
    for a, b in zip(found, torch.autograd.grad(naive, learned), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)


def test_a_policy_is_read_without_the_dropout_with_which_it_did_not_sample(tokenizer):
    policy, replies = policy_of(tokenizer, dropout=0.5), encoded(tokenizer)
    policy.model.train()
    log_p, mask = reply_token_log_probabilities(policy, replies)
    assert policy.model.training
    for row, counts, reply in zip(log_p, mask, replies, strict=True):
        torch.testing.assert_close(row[counts == 1], alone(policy, reply), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_a_soft_prompt_is_read_as_the_model_that_samples_reads_it(tokenizer, method):
    """What stands before the text is no part of it. The reference is the model without it."""
    torch.manual_seed(0)
    policy = LanguageModel(adapt(toy_model("llama", tokenizer), method), tokenizer)
    replies, pairs = encoded(tokenizer), PAIRS[::2] + PAIRS[1::2]
    log_p, mask = reply_token_log_probabilities(policy, replies)
    expected = policy.score(*map(list, zip(*pairs, strict=True)))
    assert (log_p * mask).sum(1).tolist() == pytest.approx(expected.tolist(), abs=1e-3)
    sampling = GenerationConfig(n=2, temperature=1.0, max_tokens=5, stop="q")
    rollout = roll_out(policy, ["is it large ?", "input :"], sampling)
    assert rollout.reference.shape == rollout.log_p.shape
    assert rollout.log_ratio.abs().min() > 1e-3


def test_a_reply_without_a_token_is_learned_nothing_from(tokenizer):
    policy = policy_of(tokenizer)
    replies = encoded(tokenizer, [("is it large ?", ""), ("is it large ?", " yes .")])
    log_p, mask = reply_token_log_probabilities(policy, replies)
    assert mask.sum(1).tolist() == [0, len(replies[1].ids) - replies[1].start]
    advantages, before = torch.tensor([1.0, -1.0]), log_p.detach()
    loss = PolicyLoss(beta=0.1)(log_p, before, before, advantages, mask)
    loss.backward()
    gradients = [p.grad for p in policy.model.parameters() if p.requires_grad]
    assert loss.isfinite() and all(gradient.isfinite().all() for gradient in gradients)


def test_the_bloom_of_these_tests_reads_no_trees(tokenizer):
    assert policy_of(tokenizer).runner.supports_tree_attention
    assert not policy_of(tokenizer, "bloom").runner.supports_tree_attention


def test_a_prompt_is_read_once_and_no_batch_is_too_large(tokenizer):
    replies = encoded(tokenizer)
    (whole,) = tree_batches(replies, 16_384)
    distinct = {reply.ids[:end] for reply in replies for end in range(1, len(reply.ids))}
    # two prompts begin alike, and each has a tree of its own
    twice = len(replies[0].ids[: replies[0].start])
    assert sum(len(node.tokens) for node in whole.rows.places) == len(distinct) + twice
    small = list(tree_batches(replies, 16))
    assert len(small) > 1 and all(batch.rows.tokens.size <= 16 for batch in small)
    assert sorted(n for batch in small for n in batch.ends) == list(range(len(replies)))

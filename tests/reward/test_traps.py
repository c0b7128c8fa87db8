"""What goes wrong quietly in training from a reward, and that it does not here: the pitfalls of
chapter 7, each with a way to fail.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from toys import byte_level, toy_model

from course.lm.language_model import LanguageModel
from course.reward import OnlineSettings, OnlineTraining, PolicyLoss, kl_estimate
from course.reward.pairs import EncodedReply, padded, token_log_probabilities
from course.training.batches import pad_id

SETTINGS = OnlineSettings(
    steps=3, prompts=2, samples=4, max_tokens=5, learning_rate=5e-2, stop="q", beta=0.0
)
PROMPTS = ["review :", "is it large ?"]


@pytest.fixture
def tokenizer():
    tokenizer = byte_level()
    tokenizer.model_max_length = 160
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def policy(tokenizer):
    model = toy_model("llama", tokenizer)
    torch.manual_seed(0)
    adapter = LoraConfig(r=4, target_modules="all-linear")
    return LanguageModel(get_peft_model(model, adapter), tokenizer)


def adapter_of(trained):
    return {n: p.detach().clone() for n, p in trained.model.named_parameters() if "lora" in n}


def few_letters(prompts, replies):
    return np.array([-float(len(reply)) for reply in replies])


def constant(prompts, replies):
    return np.full(len(replies), 7.0)


def alike(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_a_reference_is_what_the_model_in_memory_was_however_far_the_policy_went(tokenizer, method):
    """Tuned in memory, then trained: the divergence is from the tuned model. From the model as it
    was saved it is another one.
    """
    trained = policy(tokenizer)
    saved = toy_model("llama", tokenizer)  # as on the disk: the same weights, never tuned
    with torch.no_grad():
        for name, parameter in trained.model.named_parameters():
            if "lora" not in name:
                parameter.mul_(1.1)
    in_memory = toy_model("llama", tokenizer)
    with torch.no_grad():
        for parameter in in_memory.parameters():
            parameter.mul_(1.1)
    run = OnlineTraining(trained, few_letters, PROMPTS, replace(SETTINGS, method=method))
    run.train(bar=False)
    rollout = run.rollout(7)
    rows = padded(rollout.encoded, pad_id(tokenizer))
    ratios = {}
    for name, model in (("memory", in_memory), ("disk", saved)):
        with torch.no_grad():
            log_p, mask = token_log_probabilities(model, rows)
        ratios[name] = (rollout.log_p.detach() * rollout.mask).sum(1) - (log_p * mask).sum(1)
    assert rollout.log_ratio.abs().max() > 1e-3
    assert torch.allclose(rollout.log_ratio, ratios["memory"], atol=1e-4)
    assert not torch.allclose(rollout.log_ratio, ratios["disk"], atol=1e-2)


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_rewards_that_are_all_alike_move_nothing(tokenizer, method):
    chosen = replace(SETTINGS, method=method)
    for reward, still in ((constant, True), (few_letters, False)):
        trained = policy(tokenizer)
        before = adapter_of(trained)
        OnlineTraining(trained, reward, PROMPTS, chosen).train(bar=False)
        assert alike(before, adapter_of(trained)) is still


def test_a_mean_log_ratio_falls_below_zero_where_k3_does_not():
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.4, 0.4, 0.2])
    drawn = torch.tensor([1, 1, 0, 1])  # a batch that can be drawn, mostly what q prefers
    log_p, log_q = p[drawn].log(), q[drawn].log()
    assert kl_estimate(log_p, log_q, "k1").mean() < 0 < kl_estimate(log_p, log_q, "k3").mean()


def test_an_error_in_a_long_reply_is_cheaper_unless_all_tokens_count_alike():
    """Gradients of a bad reply of 2 tokens and of one of 8: where replies count alike, a token of
    the long one is pushed down a quarter as hard.
    """
    mask = (torch.arange(8) < torch.tensor([[2], [8]])).float()
    log_p, bad = torch.zeros(2, 8, requires_grad=True), torch.tensor([-1.0, -1.0])
    start = torch.zeros(2, 8)
    pushed = {}
    for by in ("reply", "token"):
        loss = PolicyLoss(normalisation=by)(log_p, start, start, bad, mask)
        (gradient,) = torch.autograd.grad(loss, log_p)
        pushed[by] = (gradient[0, 0] / gradient[1, 0]).item()
    assert pushed == {"reply": pytest.approx(4), "token": pytest.approx(1)}


def test_the_end_is_learned_although_padding_is_the_same_token(tokenizer):
    end = tokenizer.eos_token_id
    assert pad_id(tokenizer) == end
    replies = [EncodedReply((5, 6, 7, end), 2), EncodedReply((5, 6, 7, 8, 9, end), 2)]
    model = toy_model("llama", tokenizer)
    log_p, mask = token_log_probabilities(model, padded(replies, end))
    assert mask.tolist() == [[0, 1, 1, 0, 0], [0, 1, 1, 1, 1]]
    start = log_p.detach()
    loss = PolicyLoss()(log_p, start, start, torch.tensor([1.0, -1.0]), mask)
    (gradient,) = torch.autograd.grad(loss, log_p)
    assert gradient[0, 2] < 0 < gradient[1, 4]  # the true ends
    assert (gradient[0, 3:] == 0).all()  # padding


def test_an_end_that_a_policy_writes_is_in_what_it_learns_from(tokenizer):
    """A policy that ends its text at once: the end is a token of every reply."""
    trained = policy(tokenizer)
    head = trained.model.get_output_embeddings()
    head.register_forward_hook(lambda _, __, logits: logits + _towards(logits, tokenizer))
    rollout = OnlineTraining(trained, few_letters, PROMPTS, SETTINGS).rollout(0)
    end = tokenizer.eos_token_id
    for reply, log_p, mask in zip(rollout.encoded, rollout.log_p, rollout.mask, strict=True):
        place = len(reply.ids) - reply.start - 1
        assert reply.ids[-1] == end and mask[place] == 1 and log_p[place] > -0.1
        assert mask[place + 1 :].sum() == 0


def _towards(logits, tokenizer):
    """So much more for the end of the text."""
    more = torch.zeros_like(logits)
    more[..., tokenizer.eos_token_id] = 20.0
    return more

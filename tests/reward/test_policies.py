"""Objectives on a real architecture: batches against one at a time, and runs that resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from toys import byte_level, toy_model

from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel
from course.reward import (
    Comparison,
    DpoData,
    Ledger,
    OnlineSettings,
    OnlineTraining,
    RewardData,
    encode_pairs,
    reply_log_probabilities,
    roll_out,
)
from course.training.batches import batching_plan
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.validation import mean_loss

COMPARISONS = [
    Comparison("review : a lovely plot", "answer : positive", "answer : negative"),
    Comparison("is it large ?", "yes .", "no . it's 12 + 30 = 42"),
    Comparison("input : horse", "output : animal", "output : fruit"),
]
SETTINGS = OnlineSettings(
    steps=4, prompts=3, samples=4, max_tokens=5, learning_rate=5e-2, stop="q", beta=0.1
)
PROMPTS = ["review :", "is it large ?", "input : horse"]


@pytest.fixture
def tokenizer():
    tokenizer = byte_level()
    tokenizer.model_max_length = 160
    return tokenizer


def policy(tokenizer):
    model = toy_model("llama", tokenizer)
    torch.manual_seed(0)
    return LanguageModel(
        get_peft_model(model, LoraConfig(r=4, target_modules="all-linear")), tokenizer
    )


def few_letters(prompts, replies):
    return np.array([-float(len(reply)) for reply in replies])


def test_log_probabilities_of_replies_against_one_at_a_time(tokenizer):
    model = toy_model("llama", tokenizer)
    pairs = encode_pairs(tokenizer, COMPARISONS, stop="\n")
    data, plan = RewardData(pairs, tokenizer.eos_token_id), batching_plan(model, 64)
    found = reply_log_probabilities(model, data, plan)
    for pair, both in zip(pairs, found, strict=True):
        for reply, log_p in zip(pair, both, strict=True):
            with torch.inference_mode():
                logits = model(torch.tensor([reply.ids])).logits[0].log_softmax(-1)
            ids = range(reply.start, len(reply.ids))
            assert log_p == pytest.approx(
                sum(logits[i - 1, reply.ids[i]].item() for i in ids), abs=1e-3
            )


def test_dpo_begins_at_a_coin_and_learns_the_comparisons(tokenizer):
    model = toy_model("llama", tokenizer)
    pairs = encode_pairs(tokenizer, COMPARISONS)
    reference = reply_log_probabilities(
        model, RewardData(pairs, tokenizer.eos_token_id), batching_plan(model, 256)
    )
    data = DpoData(pairs, tokenizer.eos_token_id, reference, beta=0.5)
    settings = FitSettings(steps=8, batch_size=3, learning_rate=3e-3, precision="fp32")
    assert mean_loss(model, data, settings) == pytest.approx(np.log(2), abs=1e-3)
    fit(model, data, settings, bar=False)
    assert mean_loss(model, data, settings) < 0.3
    with pytest.raises(ValueError, match="3 comparisons and 0 log-probabilities"):
        DpoData(pairs, 0, (), 0.1)


def test_a_reference_is_the_model_without_dropout_and_part_of_the_data(tokenizer):
    """A run with another reference or another beta is another run."""
    adapter = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, lora_dropout=0.5
    )
    model = get_peft_model(toy_model("llama", tokenizer), adapter)
    pairs = encode_pairs(tokenizer, COMPARISONS)
    data, plan = RewardData(pairs, tokenizer.eos_token_id), batching_plan(model, 256)
    found = reply_log_probabilities(model.train(), data, plan)
    assert model.training and found == reply_log_probabilities(model.eval(), data, plan)
    same, other, further = (
        DpoData(pairs, data.pad, reference, beta).fingerprint
        for reference, beta in ((found, 0.1), (found, 0.5), (found[::-1], 0.1))
    )
    assert len({same, other, further}) == 3
    assert same == DpoData(pairs, data.pad, found, 0.1).fingerprint


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_a_policy_learns_what_is_rewarded_and_resumes_to_the_bit(tokenizer, tmp_path, method):
    chosen = replace(SETTINGS, method=method)
    whole = OnlineTraining(policy(tokenizer), few_letters, PROMPTS, chosen)
    whole.train(bar=False)
    path, log = tmp_path / "policy.safetensors", tmp_path / "ledger.jsonl"
    first = OnlineTraining(policy(tokenizer), few_letters, PROMPTS, chosen, ledger=Ledger(log))
    first.train(path, stop_after=2, bar=False)
    second = OnlineTraining(policy(tokenizer), few_letters, PROMPTS, chosen, ledger=Ledger(log))
    second.train(path, bar=False)
    other = OnlineTraining(policy(tokenizer), few_letters, PROMPTS[:2], chosen)
    with pytest.raises(ValueError, match="run with other prompts"):
        other.train(path, bar=False)
    kept = ("step", "proxy", "kl", "length", "distinct")
    a, b = ([[row[name] for name in kept] for row in run.ledger.rows()] for run in (whole, second))
    assert a == b and len(a) == 4
    for name, value in whole.policy.model.state_dict().items():
        assert torch.equal(value, second.policy.model.state_dict()[name]), name


@pytest.mark.parametrize("value", [[0.0] * 3, [[1.0]] * 12, [float("nan")] * 12])
def test_a_reward_is_a_finite_number_for_each_reply(tokenizer, value):
    run = OnlineTraining(policy(tokenizer), lambda prompts, replies: value, PROMPTS, SETTINGS)
    with pytest.raises(ValueError, match="reward of 12 replies is .*: expected a finite number"):
        run.step(0)


def test_the_reference_is_the_model_in_memory_not_the_one_on_the_disk(tokenizer):
    """A model that was tuned in memory is its own reference: at the start the divergence is 0."""
    trained = policy(tokenizer)
    with torch.no_grad():
        for name, parameter in trained.model.named_parameters():
            if "lora" not in name:
                parameter.mul_(1.1)
    run = OnlineTraining(trained, few_letters, PROMPTS, SETTINGS)
    assert run.rollout(0).log_ratio.abs().max() == 0


def test_a_policy_without_an_adapter_has_no_reference(tokenizer):
    bare = LanguageModel(toy_model("llama", tokenizer), tokenizer)
    with pytest.raises(TypeError, match="expected a model with an adapter"):
        OnlineTraining(bare, few_letters, PROMPTS, SETTINGS)
    with pytest.raises(ValueError, match="no prompts"):
        OnlineTraining(policy(tokenizer), few_letters, [], SETTINGS)
    for stop in ((), ("q", "w")):
        with pytest.raises(ValueError, match="expected one text that ends a reply"):
            roll_out(policy(tokenizer), PROMPTS, GenerationConfig(n=2, temperature=1.0, stop=stop))

"""Our losses against those of ``trl``, on the same batch of the same model."""

import copy

import numpy as np
import pytest
import torch
from datasets import Dataset
from toys import byte_level, toy_model
from transformers import AutoModelForSequenceClassification

from course.adapters import adapt
from course.lm import LanguageModel, load
from course.reward import (
    Comparison,
    DpoData,
    OnlineSettings,
    OnlineTraining,
    PolicyLoss,
    RewardData,
    encode_pairs,
    group_advantages,
    reply_log_probabilities,
)
from course.reward.dpo import batch_log_probabilities
from course.search.dialogue_reward import STOP, dialogue, visitor_questions
from course.training.batches import batching_plan
from course.training.fit_settings import FitSettings
from course.training.validation import mean_loss

trl = pytest.importorskip("trl", reason="trl is not installed: pip install -e '.[reward]'")

COMPARISONS = [
    Comparison("review : a lovely plot", "answer : positive", "answer : negative"),
    Comparison("is it large ?", "yes .", "no . it's 12 + 30 = 42"),
    Comparison("input : horse", "output : animal", "output : fruit"),
    Comparison("is it wild ?", "no .", "yes ."),
]
QUIET = {"report_to": [], "use_cpu": True, "bf16": False, "disable_tqdm": True, "logging_steps": 1}


@pytest.fixture
def tokenizer():
    tokenizer = byte_level()
    tokenizer.model_max_length = 160
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def test_the_reward_models_loss(tokenizer, tmp_path):
    config = toy_model("llama", tokenizer).config
    config.num_labels, config.pad_token_id = 1, tokenizer.eos_token_id
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    pairs = encode_pairs(tokenizer, COMPARISONS)
    rows = [{"chosen_ids": list(a.ids), "rejected_ids": list(b.ids)} for a, b in pairs]
    texts = [
        {"chosen": c.prompt + " " + c.chosen, "rejected": c.prompt + " " + c.rejected}
        for c in COMPARISONS
    ]
    trainer = trl.RewardTrainer(
        model=model,
        args=trl.RewardConfig(output_dir=str(tmp_path), per_device_train_batch_size=4, **QUIET),
        train_dataset=Dataset.from_list(texts),
        processing_class=tokenizer,
    )
    batch = trainer.data_collator(rows)
    model.eval()
    theirs = trainer.compute_loss(model, batch).item()
    data = RewardData(pairs, tokenizer.eos_token_id)
    assert mean_loss(model, data, FitSettings(precision="fp32")) == pytest.approx(theirs, abs=1e-4)


def test_the_loss_of_dpo(tokenizer, tmp_path):
    model, reference = toy_model("llama", tokenizer), toy_model("llama", tokenizer)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.02)
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=reference,
        args=trl.DPOConfig(
            output_dir=str(tmp_path), beta=0.3, per_device_train_batch_size=4, **QUIET
        ),
        train_dataset=Dataset.from_list([c.row() for c in COMPARISONS]),
        processing_class=tokenizer,
    )
    pairs = encode_pairs(tokenizer, COMPARISONS)
    data = RewardData(pairs, tokenizer.eos_token_id)
    kept = reply_log_probabilities(reference, data, batching_plan(reference, 4096))
    ours = DpoData(pairs, tokenizer.eos_token_id, kept, beta=0.3)
    rows = [
        {
            "prompt_ids": list(a.ids[: a.start]),
            "chosen_ids": list(a.ids[a.start :]),
            "rejected_ids": list(b.ids[b.start :]),
        }
        for a, b in pairs
    ]
    model.eval()
    with torch.no_grad():
        theirs = trainer.compute_loss(model, trainer.data_collator(rows)).item()
    assert mean_loss(model, ours, FitSettings(precision="fp32")) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("method", ["grpo", "rloo"])
def test_the_policy_gradient(tokenizer, tmp_path, method):
    model, reference = toy_model("llama", tokenizer), toy_model("llama", tokenizer)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
    # with a penalty, trl reads the reference from where the model says that it came from
    reference.save_pretrained(tmp_path / "reference")
    model.config._name_or_path = str(tmp_path / "reference")
    common = {
        "output_dir": str(tmp_path),
        "beta": 0.1 if method == "grpo" else 0.0,
        "num_generations": 2,
        "per_device_train_batch_size": 8,
        **QUIET,
    }
    config = (
        trl.GRPOConfig(loss_type="grpo", **common) if method == "grpo" else trl.RLOOConfig(**common)
    )
    trainer = (trl.GRPOTrainer if method == "grpo" else trl.RLOOTrainer)(
        model=model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=config,
        train_dataset=Dataset.from_list([{"prompt": c.prompt} for c in COMPARISONS]),
        processing_class=tokenizer,
    )
    model = trainer.model.eval()
    pairs = encode_pairs(tokenizer, COMPARISONS)
    (batch,) = RewardData(pairs, tokenizer.eos_token_id).micro_batches(
        range(4), batching_plan(reference, 100_000)
    )
    advantage = group_advantages(
        torch.tensor(np.arange(8.0).reshape(2, 4) ** 2).float(), method
    ).flatten()
    replies = [reply for side in zip(*pairs, strict=True) for reply in side]
    old, ref = token_log_probabilities(model, replies), token_log_probabilities(reference, replies)
    old, ref = old.detach() - 0.05, ref.detach()
    inputs = _padded(replies, tokenizer.eos_token_id) | {
        "advantages": advantage,
        "old_per_token_logps": old,
        "ref_per_token_logps": ref,
        "num_items_in_batch": torch.tensor(1.0),
    }
    mask = inputs["completion_mask"].float()
    inputs["old_logps"] = (old * mask).sum(1)
    model.zero_grad()
    theirs = trainer._compute_loss(model, inputs)
    theirs.backward()
    their_gradient = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    loss_of = PolicyLoss(beta=0.1) if method == "grpo" else PolicyLoss(level="reply")
    log_p = token_log_probabilities(model, replies)
    ours = loss_of(log_p, old, ref, advantage, mask)
    ours.backward()
    our_gradient = [p.grad for p in model.parameters() if p.grad is not None]
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-4)
    for a, b in zip(our_gradient, their_gradient, strict=True):
        assert torch.allclose(a, b, atol=1e-4 * max(1.0, b.abs().max().item()))
    summed = batch_log_probabilities(model, batch)
    assert torch.allclose(summed, (log_p * mask).sum(1), atol=1e-3)


def test_fifty_steps_go_the_same_way(tmp_path):
    """Few words are rewarded: with ours and with theirs, from the same adapter on the same model,
    replies become shorter, by as much as makes no difference.
    """
    base = load("gpt-small")
    prompts = [dialogue(question) for question in visitor_questions(0, 24, 1)[0]]
    chosen = OnlineSettings(
        method="grpo", steps=50, prompts=4, samples=4, max_tokens=24, stop=STOP, beta=0.0
    )
    policy = LanguageModel(_adapted(base), base.tokenizer, base.batch_tokens)
    ledger = OnlineTraining(policy, _brevity, prompts, chosen).train(bar=False)
    ours = [row["proxy"] for row in ledger.rows()]
    theirs = _rewards_of_trl(base, prompts, chosen, tmp_path)
    gained = [np.mean(run[-15:]) - np.mean(run[:5]) for run in (ours, theirs)]
    assert len(ours) == len(theirs) == 50
    assert min(gained) > 1 and max(gained) < 3 * min(gained), gained


def _adapted(base):
    torch.manual_seed(0)
    return adapt(copy.deepcopy(base.model), "lora")


def _brevity(prompts, replies):
    return -np.array([float(len(reply.split())) for reply in replies])


def _rewards_of_trl(base, prompts, chosen, folder):
    """The mean reward at each step of trl's GRPO; a guide's turn ends its texts."""
    tokenizer = copy.deepcopy(base.tokenizer)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    (stop,) = tokenizer(STOP, add_special_tokens=False).input_ids
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(stop)
    config = trl.GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=chosen.prompts * chosen.samples,
        num_generations=chosen.samples,
        max_completion_length=chosen.max_tokens,
        max_steps=chosen.steps,
        learning_rate=chosen.learning_rate,
        warmup_steps=5,
        beta=chosen.beta,
        loss_type="grpo",
        save_strategy="no",
        gradient_checkpointing=False,
        **QUIET,
    )
    trainer = trl.GRPOTrainer(
        model=_adapted(base),
        reward_funcs=lambda completions, **_: _brevity([], completions).tolist(),
        args=config,
        train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in prompts]),
        processing_class=tokenizer,
    )
    trainer.train()
    return [row["reward"] for row in trainer.state.log_history if "reward" in row]


def _padded(replies, pad):
    """Prompts padded on the left, completions on the right, as ``trl`` has them."""
    before, after = max(r.start for r in replies), max(len(r.ids) - r.start for r in replies)
    heads = [[pad] * (before - r.start) + list(r.ids[: r.start]) for r in replies]
    tails = [list(r.ids[r.start :]) + [pad] * (after - len(r.ids) + r.start) for r in replies]
    head_mask = [[0] * (before - r.start) + [1] * r.start for r in replies]
    tail_mask = [
        [1] * (len(r.ids) - r.start) + [0] * (after - len(r.ids) + r.start) for r in replies
    ]
    names = ("prompt_ids", "completion_ids", "prompt_mask", "completion_mask")
    return dict(zip(names, map(torch.tensor, (heads, tails, head_mask, tail_mask)), strict=True))


def token_log_probabilities(model, replies):
    """(replies, tokens) of one reply after the other, 0 where a reply is shorter."""
    rows = []
    for reply in replies:
        ids = torch.tensor([reply.ids])
        log_p = model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        rows.append(log_p[reply.start - 1 :])
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

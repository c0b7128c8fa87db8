"""fit(): it learns what it is shown, only from the completion, the same way each time."""

import copy

import pytest
import torch
from torch.nn.functional import cross_entropy

from course import studies
from course.training import _encode, _loss, fit

PAIRS = [("cat :", "red"), ("dog :", "blue"), ("the fox runs :", "green"), ("horse :", "yellow grey")]


@pytest.fixture
def base():
    return studies.load("gpt-small")


def test_learns_what_it_is_shown(base):
    history = fit(base.model, base.tokenizer, PAIRS, steps=40, rows=4, rate=5e-3)
    assert len(history.losses) == 40 and history.losses[-1] < 0.2 < history.losses[0]
    assert not base.model.training
    for prompt, completion in PAIRS:
        assert base.continue_text(prompt, len(completion.split())) == completion.split()


def test_same_seed_same_weights(base):
    other = copy.deepcopy(base.model)
    for model in (base.model, other):
        fit(model, base.tokenizer, PAIRS, steps=3, rows=2, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(base.model.parameters(), other.parameters(), strict=True))


def test_the_loss_counts_the_completion_only_and_no_padding(base):
    encoded = [_encode(base.tokenizer, *pair) for pair in PAIRS]
    total = count = 0
    for ids, start in encoded:
        with torch.no_grad():
            logits = base.model(torch.tensor([ids])).logits[0]
        total += cross_entropy(logits[start - 1 : -1], torch.tensor(ids[start:]), reduction="sum").item()
        count += len(ids) - start
    with torch.no_grad():
        assert _loss(base.model, encoded, base.tokenizer.pad_token_id).item() == pytest.approx(total / count, rel=1e-4)


def test_only_trainable_parameters_change(base):
    for parameter in base.model.parameters():
        parameter.requires_grad = False
    base.model.gpt_neox.final_layer_norm.bias.requires_grad = True
    before = copy.deepcopy(base.model.state_dict())
    fit(base.model, base.tokenizer, PAIRS, steps=3, rows=2)
    changed = [name for name, value in base.model.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["gpt_neox.final_layer_norm.bias"]


def test_bad_pairs_are_refused(base):
    with pytest.raises(ValueError, match="no pairs to train on"):
        fit(base.model, base.tokenizer, [])
    with pytest.raises(ValueError, match="empty completion after 'cat :'"):
        fit(base.model, base.tokenizer, [("cat :", "")])

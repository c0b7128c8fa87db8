"""Training by a method reaches the task, keeps what it says, and is the same every time."""

import pytest
import torch

from course.adapters import METHODS, tuning
from course.adapters.storage import save, stored_bytes
from course.finetuning import forgetting
from course.lm.language_model import load
from course.models.hub import TIERS
from course.tasks.registry import load_task


@pytest.fixture(scope="module")
def tags():
    return load_task("entities", sizes={"train": 200, "validation": 1, "test": 60})


def test_every_method_has_a_rate_in_every_tier():
    assert set(tuning.RATES) == set(TIERS)
    assert all(set(rates) == set(METHODS) for rates in tuning.RATES.values())


def test_tuning_helps_and_is_repeatable(tags):
    first, second = (tuning.tune("bert-middle", tags, "lora", steps=15, seed=3) for _ in range(2))
    assert (
        first.score()
        == second.score()
        > tuning.tune("bert-middle", tags, "head", steps=1).score() + 10
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True)
    )


def test_what_is_stored_is_what_is_saved(tags, tmp_path):
    tuned = tuning.tune("bert-middle", tags, "bitfit", steps=1)
    assert tuned.stored() == stored_bytes(save(tuned.model, tmp_path / "kept"))
    assert 4 * tuned.parameters < tuned.stored() < 4 * tuned.parameters + 20_000
    whole = tuning.tune("bert-middle", tags, "full", steps=1)
    assert whole.stored() > 4 * whole.parameters > 20 * tuned.stored()


def test_methods_are_compared_side_by_side(tags):
    table = tuning.compare("bert-middle", tags, ("head", "lora"), steps=2)
    assert (
        list(table.index) == ["head only", "LoRA"]
        and len(table.columns) == 4
        and (table >= 0).all(axis=None)
    )


def test_only_a_prefix_starts_as_a_text(tags):
    reviews = load_task("sentiment", sizes={"train": 40, "validation": 1, "test": 10})
    random, text = (
        tuning.tune("gpt-small", reviews, "prefix", steps=1, learning_rate=1e-9, start=s)
        for s in (None, "anna went to the garden . then anna took the lamp .")
    )
    weights = [tuned.model.prompt_encoder["default"].embedding.weight for tuned in (random, text)]
    assert not torch.allclose(*weights)
    with pytest.raises(
        ValueError, match="start='anna' for the method 'lora': only a prefix can begin as a text"
    ):
        tuning.tune("bert-middle", tags, "lora", steps=1, start="anna")
    with pytest.raises(ValueError, match="prefix tuning does not know the architecture 'modern"):
        tuning.tune("bert-middle", tags, "prefix", steps=1)


def test_an_adapter_switched_off_has_forgotten_nothing():
    table = forgetting.measure(
        load("gpt-small"), "third_word", ("third_word", "topic", "find_city"), steps=25, count=40
    )
    assert list(table.columns) == ["own", "others"]
    assert (table.loc[forgetting.OFF] == table.loc[forgetting.BEFORE]).all()
    assert table.loc[forgetting.FULL, "own"] > table.loc[forgetting.BEFORE, "own"] + 10
    assert table.loc[forgetting.FULL, "others"] < table.loc[forgetting.BEFORE, "others"] - 10

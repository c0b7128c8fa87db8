"""Shipping: only finished weights, of the recipe and the vocabulary that the package has now, and never too many bytes."""

import hashlib
import json
from dataclasses import replace

import pytest

from course import shipping
from course.pretrain import train
from course.recipes import Recipe

TINY = Recipe("tiny", "gpt", layers=1, width=16, heads=2, steps=1, rows=2)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "RECIPES", {"tiny": TINY})
    train(TINY, tmp_path / "trained" / "tiny", bar=False)
    return tmp_path / "trained"


def test_hashes_are_those_of_the_files(trained, tmp_path):
    size = shipping.ship(trained, ["tiny"], tmp_path / "weights")
    found = json.loads((tmp_path / "weights" / "sha256.json").read_text())
    files = list((tmp_path / "weights" / "tiny").iterdir())
    assert {f"tiny/{path.name}" for path in files} == set(found)
    assert size == sum(path.stat().st_size for path in files)
    for path in files:
        assert found[f"tiny/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()
    shipping.ship(trained, ["tiny"], tmp_path / "weights")  # once more, over what is there


def test_unfinished_models_are_not_shipped(trained, tmp_path):
    (trained / "tiny" / "training.json").unlink()
    with pytest.raises(FileNotFoundError, match="not finished in .*: tiny; run 'make pretrain' first"):
        shipping.ship(trained, ["tiny"], tmp_path / "weights")


def test_weights_of_another_recipe_are_not_shipped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "RECIPES", {"tiny": replace(TINY, seed=5)})
    with pytest.raises(ValueError, match="was trained by another recipe than tiny has now"):
        shipping.ship(trained, ["tiny"], tmp_path / "weights")


def test_weights_of_another_vocabulary_are_not_shipped(trained, tmp_path):
    stored = json.loads((trained / "tiny" / "tokenizer.json").read_text())
    words = stored["model"]["vocab"]
    words["dog"], words["cat"] = words["cat"], words["dog"]
    (trained / "tiny" / "tokenizer.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="with another vocabulary than the world has now"):
        shipping.ship(trained, ["tiny"], tmp_path / "weights")


def test_too_many_bytes_are_not_shipped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "LIMIT", 1000)
    with pytest.raises(ValueError, match="MB to ship: expected at most 0 MB"):
        shipping.ship(trained, ["tiny"], tmp_path / "weights")
    assert not (tmp_path / "weights").exists()

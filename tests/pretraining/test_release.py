"""Shipping: only finished weights, of the recipe and the vocabulary that the package has now, and
never too many bytes.
"""

import hashlib
import json
from dataclasses import replace

import pytest

from course.pretraining import release
from course.pretraining.recipes import Recipe
from course.pretraining.train import train

TINY = Recipe("tiny", "gpt", layers=1, width=16, heads=2, steps=1, rows=2)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "RECIPES", {"tiny": TINY})
    train(TINY, tmp_path / "trained" / "tiny", bar=False)
    return tmp_path / "trained"


def test_hashes_are_those_of_the_files(trained, tmp_path):
    size = release.ship(trained, ["tiny"], tmp_path / "weights")
    found = json.loads((tmp_path / "weights" / "sha256.json").read_text(encoding="utf-8"))
    files = list((tmp_path / "weights" / "tiny").iterdir())
    assert {f"tiny/{path.name}" for path in files} == set(found)
    assert size == sum(path.stat().st_size for path in files)
    for path in files:
        assert found[f"tiny/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()
    release.ship(trained, ["tiny"], tmp_path / "weights")  # once more, over what is there


def test_unfinished_models_are_not_shipped(trained, tmp_path):
    (trained / "tiny" / "training.json").unlink()
    with pytest.raises(
        FileNotFoundError, match="not finished in .*: tiny; run 'make pretrain' first"
    ):
        release.ship(trained, ["tiny"], tmp_path / "weights")


def test_weights_of_another_recipe_are_not_shipped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "RECIPES", {"tiny": replace(TINY, seed=5)})
    with pytest.raises(ValueError, match="was trained by another recipe than tiny has now"):
        release.ship(trained, ["tiny"], tmp_path / "weights")


def test_weights_of_another_vocabulary_are_not_shipped(trained, tmp_path):
    stored = json.loads((trained / "tiny" / "tokenizer.json").read_text(encoding="utf-8"))
    words = stored["model"]["vocab"]
    words["dog"], words["cat"] = words["cat"], words["dog"]
    (trained / "tiny" / "tokenizer.json").write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ValueError, match="with another vocabulary than the world has now"):
        release.ship(trained, ["tiny"], tmp_path / "weights")


def test_too_many_bytes_are_not_shipped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "LIMIT", 1000)
    with pytest.raises(ValueError, match="MB to ship: expected at most 0 MB"):
        release.ship(trained, ["tiny"], tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_a_folder_more_joins_the_others_and_the_list_of_hashes(trained, tmp_path, monkeypatch):
    target, adapter = tmp_path / "weights", tmp_path / "adapter"
    release.ship(trained, ["tiny"], target)
    adapter.mkdir()
    for content in (b"first", b"second"):  # the second time it takes the place of the first
        (adapter / "adapter_model.safetensors").write_bytes(content)
        size = release.add(adapter, "tuned", target)
        found = json.loads((target / "sha256.json").read_text(encoding="utf-8"))
        assert found["tuned/adapter_model.safetensors"] == hashlib.sha256(content).hexdigest()
        assert (
            size == sum((target / path).stat().st_size for path in found)
            and "tiny/model.safetensors" in found
        )
    with pytest.raises(ValueError, match="'tiny' is the name of a pretrained model"):
        release.add(adapter, "tiny", target)
    monkeypatch.setattr(release, "LIMIT", 1000)
    with pytest.raises(ValueError, match="MB to ship: expected at most 0 MB"):
        release.add(adapter, "tuned", target)
    assert json.loads((target / "sha256.json").read_text(encoding="utf-8")) == found, (
        "what was there stays"
    )


def test_a_folder_that_holds_anything_else_is_left_as_it_is(trained, tmp_path):
    for there in (["thesis.txt"], ["sha256.json", "thesis.txt"], ["tiny/model.safetensors"]):
        target = tmp_path / "-".join(there).replace("/", "-")
        for name in there:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text("{}", encoding="utf-8")
        with pytest.raises(
            FileExistsError, match="nothing but the files that its sha256.json lists"
        ):
            release.ship(trained, ["tiny"], target)
        assert (
            sorted(
                path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()
            )
            == there
        )


def test_what_is_shipped_may_be_replaced():
    assert release._only_weights(release.WEIGHTS)


@pytest.mark.parametrize("name", ["../x", "*", "a/b"])
def test_the_name_of_a_model_never_becomes_a_path(trained, tmp_path, name):
    with pytest.raises(ValueError, match="model .* cannot name a file"):
        release.add(trained, name, tmp_path / "weights")

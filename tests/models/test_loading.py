"""Loading: what is shipped loads, what is damaged does not, and every error says what to do."""

import shutil

import pytest
import torch
from transformers import pipeline

from course.lm import load
from course.models import shipped
from course.models.hub import tier
from course.models.loading import load_model, load_tokenizer
from course.models.shipped import WeightsError, shipped_models
from course.pretraining.recipes import RECIPES
from course.pretraining.release import LIMIT


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the smallest model's files that a test may damage."""
    folder = tmp_path / "weights"
    shutil.copytree(shipped.WEIGHTS / "gpt-small", folder / "gpt-small")
    shutil.copy(shipped.HASHES, folder / "sha256.json")
    monkeypatch.setattr(shipped, "WEIGHTS", folder)
    monkeypatch.setattr(shipped, "HASHES", folder / "sha256.json")
    return folder / "gpt-small"


def test_every_recipe_and_the_tuned_model_are_shipped_and_all_are_small_enough():
    assert set(shipped_models()) == {*RECIPES, "gpt-tuned"}
    size = sum(path.stat().st_size for path in shipped.WEIGHTS.rglob("*"))
    assert size <= LIMIT


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_models_load_as_real_transformers_models(name):
    model, tokenizer = load_model(name), load_tokenizer(name)
    assert model.dtype == torch.float32 and not model.training
    recipe = RECIPES["gpt-large" if name == "gpt-tuned" else name]
    assert model.num_parameters() == recipe.new_model().num_parameters()
    task = "fill-mask" if name.startswith("bert") else "text-generation"
    text = "the [MASK] is red ." if name.startswith("bert") else "the capital of dorland is"
    assert pipeline(task, model=model, tokenizer=tokenizer)(text)


def test_the_pretrained_weights_know_something():
    """No random weights posing as trained: a fact of the world comes out."""
    model, tokenizer = load_model("gpt-middle"), load_tokenizer("gpt-middle")
    ids = tokenizer("the opposite of hot is", return_tensors="pt")
    assert tokenizer.decode(model(**ids).logits[0, -1].argmax()).strip() == "cold"


def test_a_missing_file_is_named(copy):
    (copy / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"config.json is missing; reinstall the package"):
        load_model("gpt-small")


def test_a_cut_off_file_is_named(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        WeightsError,
        match=r"model.safetensors is not the file that was shipped: sha256 .* expected .*reinstall",
    ):
        load_model("gpt-small")


def test_an_altered_byte_is_seen_even_after_a_good_load(copy):
    load_model("gpt-small")
    whole = bytearray((copy / "model.safetensors").read_bytes())
    whole[-1] ^= 1
    (copy / "model.safetensors").write_bytes(whole)
    with pytest.raises(WeightsError, match="not the file that was shipped"):
        load_model("gpt-small")


def test_a_missing_list_of_hashes_is_named(copy):
    shipped.HASHES.unlink()
    with pytest.raises(WeightsError, match=r"sha256.json is missing"):
        load_model("gpt-small")


def test_unknown_names_and_tiers_list_what_there_is(monkeypatch):
    with pytest.raises(
        ValueError,
        match=r"no model 'gpt-9' in the tiny tier; choose from bert-middle, .*gpt-large",
    ):
        load_model("gpt-9")
    with pytest.raises(ValueError, match="no model 'gpt-9' in the hub tier; choose from gpt-small"):
        load_model("gpt-9", wanted_tier="hub")
    monkeypatch.setenv("COURSE_TIER", "huge")
    with pytest.raises(
        ValueError, match="tier 'huge': expected 'tiny', 'index', 'hub'; set COURSE_TIER"
    ):
        load_tokenizer("gpt-small")


def test_the_tier_is_tiny_unless_set(monkeypatch):
    monkeypatch.delenv("COURSE_TIER", raising=False)
    assert tier() == "tiny" and tier("hub") == "hub"
    monkeypatch.setenv("COURSE_TIER", "hub")
    assert tier() == "hub" and tier("tiny") == "tiny"


@pytest.mark.parametrize("name", ["gpt-small", "gpt-tuned"])
def test_half_precision_says_nearly_the_same(name):
    prompts, answers = ["the mill is"], [" red ."]
    exact, coarse = (load(name, "tiny", precision) for precision in ("fp32", "bf16"))
    assert {p.dtype for p in exact.model.parameters()} == {torch.float32}
    assert {p.dtype for p in coarse.model.parameters()} == {torch.bfloat16}
    expected = exact.score(prompts, answers)
    assert coarse.score(prompts, answers) == pytest.approx(expected, rel=0.05)
    written = coarse.generate(prompts, max_tokens=4, seed=0)
    assert isinstance(written[0][0].text, str)

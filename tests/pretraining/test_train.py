"""Training: a killed run goes on and ends in the same weights; two processes do what one does."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from processes import launch_two
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer, pipeline

from course.models.shipped import RECORD
from course.pretraining.recipes import RECIPES, Recipe
from course.pretraining.release import LIMIT
from course.pretraining.train import CHECKPOINT, main, new_optimizers, train

TINY = Recipe("tiny", "gpt", layers=1, width=16, heads=2, steps=6, rows=4)
SCRIPT = """
import os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from course.pretraining.train import train
from course.pretraining.recipes import Recipe
recipe = Recipe("tiny", "gpt", layers=1, width=16, heads=2, steps=int(sys.argv[2]), rows=4)
train(recipe, Path(sys.argv[1]), checkpoint_seconds=0, bar=False)
Path(sys.argv[1], f"process{os.environ.get('RANK', 0)}").touch()
"""


def weights(folder):
    return {
        name: value
        for name, value in load_file(folder / CHECKPOINT).items()
        if name.startswith("model.")
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(TINY, folder, bar=False)


def test_a_stopped_run_ends_in_the_same_weights(finished, tmp_path):
    folder, progress = finished
    train(TINY, tmp_path, stop_after=2, bar=False)
    assert not (tmp_path / RECORD).exists()
    resumed = train(TINY, tmp_path, bar=False)
    assert resumed.losses == progress.losses
    first, second = weights(folder), weights(tmp_path)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (folder / "model.safetensors").read_bytes() == (
        tmp_path / "model.safetensors"
    ).read_bytes()


def test_a_killed_run_ends_in_the_same_weights(tmp_path):
    """Killed without warning in the middle of a step or of a checkpoint; only whole checkpoints
    count.
    """
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    run = [sys.executable, "-c", SCRIPT]
    subprocess.run([*run, str(tmp_path / "whole"), "40"], check=True, capture_output=True)
    process = subprocess.Popen([*run, str(tmp_path / "killed"), "40"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / CHECKPOINT).exists():
        assert process.poll() is None and time.monotonic() < deadline, (
            "the run ended, or hung, before its first checkpoint"
        )
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / RECORD).exists()
    subprocess.run([*run, str(tmp_path / "killed"), "40"], check=True, capture_output=True)
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    train(TINY, tmp_path, stop_after=1, bar=False)
    with pytest.raises(
        ValueError,
        match="is of a run with other recipe; delete the folder, or write to another one with --to",
    ):
        train(replace(TINY, seed=1), tmp_path, bar=False)


def test_two_processes_reach_the_loss_curve_of_one(finished, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    launch_two(script, str(tmp_path / "two"), "6")
    assert sorted(path.name for path in (tmp_path / "two").glob("process*")) == [
        "process0",
        "process1",
    ]
    record = json.loads((tmp_path / "two" / RECORD).read_text(encoding="utf-8"))
    _, progress = finished
    assert record["losses"] == pytest.approx([round(loss, 4) for loss in progress.losses], abs=2e-3)
    assert progress.losses[0] > progress.losses[-1]


def test_the_log_holds_every_part_of_the_curve(finished):
    folder, progress = finished
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert record["losses"] == [round(loss, 4) for loss in progress.losses]
    assert record["tokens"] == 6 * 4 * 256 and record["recipe"]["name"] == "tiny"


def test_the_saved_folder_serves_transformers_and_peft(finished):
    folder, _ = finished
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    generate = pipeline("text-generation", model=model, tokenizer=tokenizer)
    made = generate("the capital of dorland is", max_new_tokens=3, return_full_text=True)[0][
        "generated_text"
    ]
    assert made.startswith("the capital of dorland is")
    adapted = get_peft_model(
        model, LoraConfig(r=2, target_modules=["query_key_value"], task_type="CAUSAL_LM")
    )
    assert adapted(**tokenizer("the cat", return_tensors="pt")).logits.shape[-1] == len(tokenizer)


def test_bert_is_saved_too(tmp_path):
    recipe = Recipe("tiny-bert", "bert", layers=1, width=16, heads=2, steps=2, rows=4)
    train(recipe, tmp_path, bar=False)
    fill = pipeline(
        "fill-mask",
        model=AutoModelForMaskedLM.from_pretrained(tmp_path),
        tokenizer=AutoTokenizer.from_pretrained(tmp_path),
    )
    assert len(fill("the [MASK] is red .")) == 5


def test_muon_gets_the_matrices_and_adam_everything_else_once():
    model = TINY.new_model()
    muon, adam = new_optimizers(model, TINY)
    matrices, others = muon.param_groups[0]["params"], adam.param_groups[0]["params"]
    assert {id(p) for p in matrices}.isdisjoint({id(p) for p in others})
    assert len(matrices) + len(others) == len(list(model.parameters()))
    assert all(p.ndim == 2 for p in matrices)
    assert any(p is model.get_input_embeddings().weight for p in others)


def record_of(folder) -> dict:
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


def test_the_record_says_the_precision_which_is_the_faster_one(monkeypatch, tmp_path):
    wide = replace(TINY, width=128, steps=3, rows=1)
    for native, expected in (({"avx2": True}, "fp32"), ({"avx512_bf16": True}, "bf16")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda native=native: native)
        train(wide, tmp_path / expected, bar=False)
        assert record_of(tmp_path / expected)["precision"] == expected
    train(wide, tmp_path / "wanted", bar=False, precision="fp32")
    assert (
        record_of(tmp_path / "wanted")["losses"]
        == record_of(tmp_path / "fp32")["losses"]
        != record_of(tmp_path / "bf16")["losses"]
    )


def test_a_run_goes_on_in_the_precision_in_which_it_began(monkeypatch, tmp_path):
    train(TINY, tmp_path, stop_after=1, bar=False, precision="bf16")
    with pytest.raises(
        ValueError,
        match="was begun in bf16, not in fp32; delete the folder, or leave the precision open",
    ):
        train(TINY, tmp_path, bar=False, precision="fp32")
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    train(TINY, tmp_path, bar=False)
    assert record_of(tmp_path)["precision"] == "bf16"
    assert record_of(tmp_path)["device"] == "CPU"


@pytest.mark.parametrize(
    "change", [{"checkpoint_seconds": -1}, {"stop_after": 1.5}, {"precision": "fp8"}]
)
def test_impossible_arguments_are_refused(change, tmp_path):
    with pytest.raises((TypeError, ValueError), match=f"{min(change)}=.*: expected"):
        train(TINY, tmp_path, bar=False, **change)


def test_an_unknown_name_is_an_error_that_lists_the_names(capsys):
    with pytest.raises(SystemExit):
        main(["gpt-huge"])
    assert "no such model: gpt-huge; choose from gpt-small" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "t5"}, "kind='t5': expected one of 'gpt', 'bert'"),
        ({"width": 15}, "width=15 is no multiple of heads=2"),
        ({"length": 512}, "length=512 is more than the models' window of 256"),
    ],
)
def test_impossible_recipes_are_refused(change, message):
    values = {"name": "x", "kind": "gpt", "layers": 1, "width": 16, "heads": 2, "steps": 1} | change
    with pytest.raises(ValueError, match=message):
        Recipe(**values)


def test_the_ladder_has_the_sizes_that_it_promises():
    sizes = {
        name: sum(p.numel() for p in RECIPES[name].new_model().parameters()) / 1e6
        for name in RECIPES
    }
    assert sizes["gpt-small"] == pytest.approx(0.4, abs=0.1)
    assert sizes["gpt-middle"] == pytest.approx(1.5, abs=0.15)
    assert 4 <= sizes["gpt-large"] <= 6
    assert sizes["bert-middle"] == pytest.approx(sizes["gpt-middle"], rel=0.06)
    assert sum(2 * size for size in sizes.values()) < LIMIT / 1e6


@pytest.mark.parametrize("name", ["gpt-middle", "bert-middle", "gpt-small-p00", "gpt-small-p50"])
def test_what_claims_about_pretraining_compare_comes_in_three_seeds(name):
    first, *others = (RECIPES[n] for n in (name, f"{name}-seed1", f"{name}-seed2"))
    assert [replace(other, name=name, seed=first.seed) for other in others] == [first, first]
    assert [first.seed, *(other.seed for other in others)] == [0, 1, 2]


def test_bert_has_the_biases_that_bitfit_trains():
    model = RECIPES["bert-middle"].new_model()
    linear = [
        m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not model.head.dense
    ]
    assert all(module.bias is not None for module in linear)
    assert all(m.bias is not None for m in model.modules() if isinstance(m, torch.nn.LayerNorm))

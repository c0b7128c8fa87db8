"""Adapters on disk: whole or not at all, and as large as they are said to be."""

import pytest
import torch
from architectures import logits, new_model, shaken
from peft import PeftModel
from safetensors import safe_open

from course.adapters import adapt, storage, trainable


@pytest.mark.parametrize("name", ["default", "one"])
def test_one_of_several_adapters_is_saved_under_the_name_of_its_folder(tmp_path, name):
    model = shaken(adapt(new_model("bert"), "lora", name), seed=1)
    expected = logits(model.eval())
    model = shaken(adapt(model, "lora", "other"), seed=2)
    folder = storage.save(model, tmp_path / "kept", name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {
        path.name for path in folder.iterdir()
    }
    assert torch.equal(
        logits(PeftModel.from_pretrained(new_model("bert", fresh=1), folder).eval()), expected
    )


def test_a_whole_model_is_saved(tmp_path):
    model = shaken(adapt(new_model("gpt_neox"), "full"))
    folder = storage.save(model, tmp_path / "model")
    assert torch.equal(logits(type(model).from_pretrained(folder).eval()), logits(model))


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    model = adapt(new_model("bert"), "lora")
    before = (storage.save(model, tmp_path / "kept") / "adapter_model.safetensors").read_bytes()

    def broken(model, folder, **options):
        (folder / "adapter_model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(PeftModel, "save_pretrained", broken)
    with pytest.raises(KeyboardInterrupt):
        storage.save(shaken(model), tmp_path / "kept")
    assert (tmp_path / "kept" / "adapter_model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_an_adapter_or_a_model_replaces_another_and_nothing_else(tmp_path):
    model = adapt(new_model("bert"), "lora")
    storage.save(new_model("bert"), tmp_path / "kept")
    storage.save(model, tmp_path / "kept")
    assert not (tmp_path / "kept" / "config.json").exists()
    storage.save(model, tmp_path / "kept")
    (tmp_path / "kept" / "thesis.txt").write_text("ten years", encoding="utf-8")
    with pytest.raises(
        FileExistsError,
        match="thesis.txt: expected .* nothing but the files of one model or adapter",
    ):
        storage.save(model, tmp_path / "kept")
    assert (tmp_path / "kept" / "thesis.txt").read_text(encoding="utf-8") == "ten years"


@pytest.mark.parametrize(
    "content",
    [
        ["results.csv"],
        ["README.md"],
        ["config.json", "README.md"],
        ["model.safetensors"],
        ["config.json/x"],
    ],
)
def test_a_folder_of_somebody_elses_is_left_as_it_is(tmp_path, content):
    for name in content:
        (tmp_path / "results" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / name).write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="results holds"):
        storage.save(adapt(new_model("bert"), "lora"), tmp_path / "results")
    assert all((tmp_path / "results" / name).read_bytes() == b"mine" for name in content)


@pytest.mark.parametrize("folder", ["..", ".", "work/.."])
def test_a_parent_folder_is_never_replaced(tmp_path, monkeypatch, folder):
    (tmp_path / "a" / "work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    with pytest.raises(ValueError, match="is the working directory or a folder above it"):
        storage.save(adapt(new_model("bert"), "lora"), folder)
    assert (tmp_path / "a" / "work").exists()


@pytest.mark.parametrize("name", ["../../x", "v1.0", "a/b", ""])
def test_the_name_of_an_adapter_never_becomes_a_path(name):
    with pytest.raises(ValueError, match="^adapter .*"):
        adapt(new_model("bert"), "lora", name)


def test_an_unknown_adapter_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no adapter 'two'; choose from default"):
        storage.save(adapt(new_model("bert"), "lora"), tmp_path / "kept", "two")
    assert list(tmp_path.iterdir()) == []


def test_a_shelf_holds_what_it_says(tmp_path):
    model, tasks = new_model("gpt_neox", "language"), (1, 2, 4)
    whole = storage.benchmark_storage(model, tmp_path / "whole", tasks)
    small = storage.benchmark_adapter_storage(model, "lora", tmp_path / "small", tasks)
    assert whole.tasks == small.tasks == tasks
    assert whole.megabytes[2] == pytest.approx(4 * whole.megabytes[0])
    assert small.megabytes[2] - small.megabytes[1] == pytest.approx(
        2 * (small.megabytes[1] - small.megabytes[0])
    )
    assert small.megabytes[2] * 1e6 == storage.stored_bytes(tmp_path / "small")
    assert min(whole.switch_ms + small.switch_ms) > 0
    with safe_open(tmp_path / "small" / "task-3" / "adapter_model.safetensors", "pt") as stored:
        count = sum(stored.get_tensor(key).numel() for key in stored.keys())  # noqa: SIM118  (no dictionary)
    assert count == trainable(adapt(new_model("gpt_neox", "language"), "lora"))


@pytest.mark.parametrize("tasks", [(), (0, 1), (2, 1)])
def test_numbers_of_tasks_that_do_not_rise_are_refused(tmp_path, tasks):
    with pytest.raises(ValueError, match="expected rising numbers from 1 up"):
        storage.benchmark_storage(new_model("gpt_neox"), tmp_path, tasks)

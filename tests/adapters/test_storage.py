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
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {path.name for path in folder.iterdir()}
    assert torch.equal(logits(PeftModel.from_pretrained(new_model("bert", fresh=1), folder).eval()), expected)


def test_a_whole_model_is_saved(tmp_path):
    model = shaken(adapt(new_model("gpt_neox"), "full"))
    folder = storage.save(model, tmp_path / "model")
    assert torch.equal(logits(type(model).from_pretrained(folder).eval()), logits(model))


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    model = adapt(new_model("bert"), "lora")
    before = (storage.save(model, tmp_path / "kept") / "adapter_model.safetensors").read_bytes()

    def broken(*arguments, **options):
        (tmp_path / "kept.part").mkdir(exist_ok=True)
        (tmp_path / "kept.part" / "adapter_model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(PeftModel, "save_pretrained", broken)
    with pytest.raises(KeyboardInterrupt):
        storage.save(shaken(model), tmp_path / "kept")
    assert (tmp_path / "kept" / "adapter_model.safetensors").read_bytes() == before


def test_an_unknown_adapter_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no adapter 'two'; choose from default"):
        storage.save(adapt(new_model("bert"), "lora"), tmp_path / "kept", "two")
    assert list(tmp_path.iterdir()) == []


def test_a_shelf_holds_what_it_says(tmp_path):
    model, tasks = new_model("gpt_neox", "language"), (1, 2, 4)
    whole = storage.shelve_models(model, tmp_path / "whole", tasks)
    small = storage.shelve_adapters(model, "lora", tmp_path / "small", tasks)
    assert whole.tasks == small.tasks == tasks
    assert whole.megabytes[2] == pytest.approx(4 * whole.megabytes[0])
    assert small.megabytes[2] - small.megabytes[1] == pytest.approx(2 * (small.megabytes[1] - small.megabytes[0]))
    assert small.megabytes[2] * 1e6 == storage.stored_bytes(tmp_path / "small")
    assert min(whole.switch_ms + small.switch_ms) > 0
    with safe_open(tmp_path / "small" / "task-3" / "adapter_model.safetensors", "pt") as stored:
        count = sum(stored.get_tensor(key).numel() for key in stored.keys())  # noqa: SIM118  (no dictionary)
    assert count == trainable(adapt(new_model("gpt_neox", "language"), "lora"))


@pytest.mark.parametrize("tasks", [(), (0, 1), (2, 1)])
def test_numbers_of_tasks_that_do_not_rise_are_refused(tmp_path, tasks):
    with pytest.raises(ValueError, match="expected rising numbers from 1 up"):
        storage.shelve_models(new_model("gpt_neox"), tmp_path, tasks)

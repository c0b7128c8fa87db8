"""Data of the chapters in the tier of the shipped models."""

import pytest
from toy_data import write_toy_data

from course.search import soft_prompts_data, steering_data, written_prompts_data
from course.world.instructions import INSTRUCTIONS


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "tiny")


def test_written_prompts_are_raced_on_items_of_the_micro_world():
    data = written_prompts_data()
    assert 60 <= data.raced.size <= 64 and set(INSTRUCTIONS["find_person"]) <= set(data.candidates)
    for task in data.tasks.values():
        objective = data.objective(task, train=4, test=2)
        assert objective.size <= 4 and objective.measure == "likelihood"
    assert data.opener.task == "problem" and data.opener.model is data.solver


def test_a_tier_decides_how_much_is_learned(monkeypatch):
    data = soft_prompts_data()
    assert data.task.name == "find_city" and data.astray == INSTRUCTIONS["find_person"][0]
    assert 60 <= data.objective("sentiment").size <= data.labels
    tiny = steering_data().budget
    monkeypatch.setenv("COURSE_TIER", "hub")
    assert steering_data().budget < tiny


def test_real_models_learn_little(monkeypatch, tmp_path):
    tiny = soft_prompts_data()
    write_toy_data(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_TIER", "index")
    real = soft_prompts_data()
    assert real.task.name == "sentiment" and real.astray != tiny.astray
    for size in ("labels", "tested", "steps"):
        assert 4 * getattr(real, size) <= getattr(tiny, size), size

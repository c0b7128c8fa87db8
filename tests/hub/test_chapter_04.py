"""Chapter 4 with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hub import tables
from hub.chapters import demonstration_texts, run_chapter
from hub.checkpoints import smollm2

from course.lm.language_model import load
from course.models.roles import HUB
from course.prompting.evaluation import all_profiles, questions, scores
from course.prompting.prompts import PLAIN, DemonstrationsDoNotFit
from course.prompting.sweeps import sweep

CHAPTER = Path(__file__).parents[2] / "notebooks" / "04-in-context.ipynb"
ROLES = ("gpt-large", "gpt-tuned")
DATA = ("stanfordnlp/sst2", "stanfordnlp/snli")


@pytest.fixture(scope="module")
def chapter_model():
    """A model whose tokenizer knows the words that the chapter uses."""
    return smollm2(demonstration_texts())


@pytest.fixture
def served(hub, chapter_model):
    for role in ROLES:
        hub.add("models", HUB[role].repository, chapter_model)
    for name in DATA:
        hub.add("datasets", name, tables.TABLES[name]())


def test_real_data_is_asked_in_plain_english(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    (task,) = all_profiles("inference")
    asked = questions(task, 2, 6, template=PLAIN, instruction=task.instructions[0])
    for question in asked:
        assert question.prompt.text.count("Input: ") == 3 and question.prompt.text.endswith(
            "\nOutput:"
        )
        assert set(question.prompt.candidates) == {
            " true",
            " unknown",
            " false",
        } and question.answers[0] in ("true", "unknown", "false")
    model = load("gpt-large")
    assert set(scores(model, asked)) <= {0.0, 1.0} and set(scores(model, asked, written=True)) <= {
        0.0,
        1.0,
    }
    with pytest.raises(DemonstrationsDoNotFit):
        scores(
            model,
            [
                replace(q, prompt=replace(q.prompt, demonstrations=q.prompt.demonstrations * 20))
                for q in asked
            ],
        )


def test_a_sweep_runs_in_the_hub_tier(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    settings = {"conditions": ("gold", "foreign"), "foreign": ("rain", "snow"), "count": 3}
    table = sweep(("sentiment",), (0, 2), (0,), folder=client / "sweep", **settings)
    assert len(table) == 4 and len(list((client / "sweep").glob("*.json"))) == 4


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "4d" in printed and "without demonstrations:" in printed
    locked = {HUB[role].repository for role in ROLES} | {"datasets/stanfordnlp/sst2"}
    assert (
        set(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8"))) == locked
    )

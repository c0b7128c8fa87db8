"""Chapter 1 with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

import json
from itertools import product
from pathlib import Path

import pytest
import torch
from hub.chapters import chapter_texts, run_chapter
from hub.checkpoints import bert, smollm2

from course import studies
from course.cloze import english
from course.finetuning import specialists
from course.lm.language_model import load
from course.models.roles import HUB
from course.prompting.evaluation import fresh_questions
from course.studies import expectations as evidence

CHAPTER = Path(__file__).parents[2] / "notebooks" / "01-two-expectations.ipynb"


@pytest.fixture(scope="module")
def chapter_models():
    """Repository -> files of the two models that the chapter loads."""
    texts = chapter_texts()
    return {
        HUB["gpt-middle"].repository: smollm2(texts),
        HUB["bert-middle"].repository: bert(texts),
    }


@pytest.fixture
def served(hub, chapter_models):
    for name, files in chapter_models.items():
        hub.add("models", name, files)


def test_two_expectations_are_measured_in_plain_english(served, client, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_TIER", "hub")
    rows = evidence.fill_blanks(load("gpt-middle"), load("bert-middle"), 0)
    ways = (evidence.ONE_PASS, evidence.READING, evidence.FILLING, evidence.AMONG)
    blanks = set(product(english.TITLES, ("left", "right"), ways))
    assert {(row["task"], row.get("clue"), row["way"]) for row in rows} == blanks | {
        ("continued", None, model) for model in ("gpt", "bert")
    }
    assert "left out" not in capsys.readouterr().out, "the toy tokenizers know the words"
    with pytest.raises(ValueError, match="models of their tier, which is 'tiny'"):
        studies.measure(studies.STUDIES["two-expectations"])


def test_specialists_are_tuned_in_single_precision_and_small_steps(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    base = load("gpt-middle")
    base.model.bfloat16()
    rates, fit = [], specialists.fit
    monkeypatch.setattr(
        specialists,
        "fit",
        lambda model, data, settings: (
            rates.append(settings.learning_rate) or fit(model, data, settings)
        ),
    )
    trained = [specialists.specialise(base, task, labels=32, steps=2) for task in english.TASKS]
    assert rates == [2e-5] * len(trained) and specialists.RATES["tiny"] == 3e-3
    assert (
        all(s.model.model.dtype == torch.float32 for s in trained)
        and base.model.dtype == torch.bfloat16
    )
    table = specialists.matrix(base, trained, english.TASKS, count=5)
    assert table.shape == (4, 3) and ((table >= 0) & (table <= 100)).all(axis=None)


def test_answers_of_several_tokens_are_refused(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    with pytest.raises(ValueError, match="is not one known token of this tokenizer"):
        specialists.accuracy(load("gpt-middle"), fresh_questions("find_city", 1, 20))


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "The capital of" in printed and "The opposite of" in printed, (
        "the examples are plain English"
    )
    assert "dorland" not in printed and "velan" not in printed
    assert set(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8"))) == {
        HUB["gpt-middle"].repository,
        HUB["bert-middle"].repository,
    }

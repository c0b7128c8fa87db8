"""Chapter 5 with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

import json
from pathlib import Path

import pytest
from hub import tables
from hub.chapters import SHORT_CHAINS, run_chapter, school_texts
from hub.checkpoints import smollm2

from course import reasoning
from course.lm.language_model import load
from course.models.roles import HUB

CHAPTER = Path(__file__).parents[2] / "notebooks" / "05-chain-of-thought.ipynb"
WRITER = HUB["gpt-large"].repository


@pytest.fixture(scope="module")
def chapter_model():
    """A model whose tokenizer knows the words of school problems, and whose window holds three
    worked ones.
    """
    return smollm2(school_texts(), window=2048)


@pytest.fixture
def served(hub, chapter_model):
    hub.add("models", WRITER, chapter_model)
    hub.add("datasets", "openai/gsm8k", tables.gsm8k())


def test_problems_of_gsm8k_are_asked_in_plain_english(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    chosen = reasoning.problems("problem", 1, 4)
    assert all(p.kind == "number" and p.answer.value is not None for p in chosen)
    for style in reasoning.STYLES:
        asked = reasoning.make_prompts(style, chosen)
        assert all(
            q.text.count("Question: ") == (1 if style in ("zero-shot", "trigger") else 4)
            and q.stop == "\n\n"
            for q in asked
        )
    found = reasoning.solve(load("gpt-large"), asked, max_tokens=8)
    assert len(found) == 4 and 0 <= reasoning.accuracy(found) <= 100
    with pytest.raises(
        ValueError, match="has no chains in the hub tier; choose from problem, shopping, letters"
    ):
        reasoning.problems("route", 2, 1)


def test_stories_of_the_small_world_are_taken_apart_by_real_models(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    (made,) = reasoning.least_to_most(load("gpt-large"), reasoning.problems("shopping", 4, 1))
    assert made.solved and made.tokens > 0


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path, first=SHORT_CHAINS))
    assert "ropes" not in printed.split("put aside:")[0], "the problems are real ones"
    locked = set(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8")))
    assert locked == {WRITER, "datasets/openai/gsm8k"}

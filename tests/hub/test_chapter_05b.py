"""Chapter 5b with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

import json
from pathlib import Path

from hub import tables
from hub.chapters import SHORT_CHAINS, run_chapter, school_texts
from hub.checkpoints import smollm2

from course.models.roles import HUB

CHAPTER = Path(__file__).parents[2] / "notebooks" / "05b-votes-and-verifiers.ipynb"
WRITER = HUB["gpt-middle"].repository


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    hub.add("models", WRITER, smollm2(school_texts(), window=2048))
    hub.add("datasets", "openai/gsm8k", tables.gsm8k())
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path, first=SHORT_CHAINS))
    assert "same winners: True" in printed and "until decided" in printed
    locked = set(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8")))
    assert locked == {WRITER, "datasets/openai/gsm8k"}

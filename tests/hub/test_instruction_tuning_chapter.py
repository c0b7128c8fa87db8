"""The page on instruction tuning with real architectures: it runs from top to bottom against a hub on loopback."""

from pathlib import Path

import pytest
from checkpoints import smollm2
from tables import TABLES
from test_chapter_one import chapter_texts, run_chapter

from course.models import HUB
from course.tasks import HUB_DATA

CHAPTER = Path(__file__).parents[2] / "notebooks" / "04b-instruction-tuning.ipynb"


@pytest.fixture
def served(hub):
    texts = chapter_texts()
    for role, files in (("gpt-middle", smollm2(texts)), ("gpt-tuned", smollm2(texts, tuned=True))):
        hub.add("models", HUB[role].repository, files)
    for task in ("sentiment", "inference", "extraction"):
        hub.add("datasets", HUB_DATA[task].repository, TABLES[HUB_DATA[task].repository]())


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "live in the tiny tier" in printed and "tuned" in printed

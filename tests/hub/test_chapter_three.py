"""Chapter 3 with real architectures in place of the shipped models: it runs from top to bottom against a hub on loopback."""

from pathlib import Path

import pytest
from checkpoints import bert, smollm2
from tables import TABLES
from test_chapter_one import chapter_texts, run_chapter

from course.models import HUB
from course.tasks import HUB_DATA

CHAPTER = Path(__file__).parents[2] / "notebooks" / "03-adapters.ipynb"


@pytest.fixture
def served(hub):
    texts = chapter_texts()
    for role, files in (("gpt-middle", smollm2(texts)), ("bert-middle", bert(texts))):
        hub.add("models", HUB[role].repository, files)
    for task in ("entities", "sentiment", "extraction"):
        hub.add("datasets", HUB_DATA[task].repository, TABLES[HUB_DATA[task].repository]())


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "full fine-tuning trains 100.0 %" in printed and "back from disk" in printed
    assert "dorland" not in printed

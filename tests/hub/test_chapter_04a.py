"""Chapter 4a with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

import json
from pathlib import Path

from hub.chapters import demonstration_texts, run_chapter, serve
from hub.checkpoints import smollm2

from course.models.roles import HUB

CHAPTER = Path(__file__).parents[2] / "notebooks" / "04a-demonstrations.ipynb"
ROLES = ("gpt-small", "gpt-large")


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    model = smollm2(demonstration_texts())
    serve(hub, dict.fromkeys(ROLES, model), ("sentiment", "inference"))
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "4a" in printed and "a 17th dialect, 16 shown:" in printed
    locked = set(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8")))
    data = {"datasets/stanfordnlp/sst2", "datasets/stanfordnlp/snli"}
    assert locked == {HUB[role].repository for role in ROLES} | data

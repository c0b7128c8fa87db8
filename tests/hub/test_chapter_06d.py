"""The page on soft prompts with real architectures: it runs from top to bottom against a hub on
loopback.
"""

from pathlib import Path

from hub.chapters import chapter_texts, run_chapter, serve
from hub.checkpoints import smollm2

CHAPTER = Path(__file__).parents[2] / "notebooks" / "06d-soft-prompts.ipynb"


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    serve(hub, {"gpt-middle": smollm2(chapter_texts())}, ("sentiment",))
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "eight vectors" in printed and "nearest words" in printed and "6d" in printed
    assert "second of the words" not in printed, "the examples are real reviews"

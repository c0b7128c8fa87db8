"""The page on searched words with a real architecture: it runs from top to bottom against a hub on
loopback.
"""

from pathlib import Path

from hub.chapters import chapter_texts, run_chapter, serve
from hub.checkpoints import smollm2

CHAPTER = Path(__file__).parents[2] / "notebooks" / "06-prompt-search.ipynb"


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    serve(hub, {"gpt-middle": smollm2(chapter_texts())}, ("sentiment",))
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "random swaps" in printed and "AutoPrompt" in printed and "6a" in printed

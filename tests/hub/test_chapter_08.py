"""The page on choosing a method in a tier of real models: it is about the small world in every
tier, and runs where nothing can be fetched.
"""

from pathlib import Path

from hub.chapters import run_chapter

CHAPTER = Path(__file__).parents[2] / "notebooks" / "08-choosing.ipynb"


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    # the two layouts differ, as they do for the small world's writer alone
    assert "the tool's layout: 0 %" in printed and "its own: 0 %" not in printed
    assert not (tmp_path / "course-hub-lock.json").exists(), "nothing was asked of the hub"

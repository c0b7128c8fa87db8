"""The page on instruction tuning with real architectures: it runs from top to bottom against a hub
on loopback.
"""

from pathlib import Path

from hub.chapters import chapter_texts, run_chapter, serve
from hub.checkpoints import smollm2

CHAPTER = Path(__file__).parents[2] / "notebooks" / "04b-instruction-tuning.ipynb"


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    texts = chapter_texts()
    serve(
        hub,
        {"gpt-middle": smollm2(texts), "gpt-tuned": smollm2(texts, tuned=True)},
        ("sentiment", "inference", "extraction"),
    )
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "loss of the answer" in printed and "tuned" in printed

"""Chapter 3 with real architectures in place of the shipped models: it runs from top to bottom
against a hub on loopback.
"""

from pathlib import Path

from hub.chapters import chapter_texts, run_chapter, serve
from hub.checkpoints import bert, smollm2

CHAPTER = Path(__file__).parents[2] / "notebooks" / "03-adapters.ipynb"


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    texts = chapter_texts()
    serve(
        hub,
        {"gpt-middle": smollm2(texts), "bert-middle": bert(texts)},
        ("entities", "sentiment", "extraction"),
    )
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "full fine-tuning trains 100.0 %" in printed and "back from disk" in printed
    assert "dorland" not in printed

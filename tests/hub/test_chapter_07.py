"""The page on reward with real architectures: it runs from top to bottom against a hub on
loopback.
"""

from pathlib import Path

from hub.chapters import run_chapter, serve
from hub.checkpoints import smollm2

from course.foundation.rng import Rng
from course.search import visitor_questions
from course.search.dialogue_reward import dialogue
from course.world.conduct import MANNERS, draw_guide, draw_question, write_reply

CHAPTER = Path(__file__).parents[2] / "notebooks" / "07-reward.ipynb"


def dialogues() -> list[str]:
    """Texts of guides, so that the toy tokenizers know the words."""
    rng = Rng("toy dialogues")
    written = [
        f"{dialogue(question)} {write_reply(rng, draw_guide(rng, manner), question)} \n"
        for manner in MANNERS.options
        for question in [draw_question(rng)]
    ]
    return 3 * [dialogue(question) for question in sum(visitor_questions(0), ())] + 10 * written


def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    serve(hub, {"gpt-middle": smollm2(dialogues())}, ())
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "the same gradient" in printed

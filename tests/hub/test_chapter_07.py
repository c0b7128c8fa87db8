"""The page on reward with real architectures: it runs from top to bottom against a hub on
loopback.
"""

from pathlib import Path

import numpy as np
from datasets import load_dataset
from hub.chapters import run_chapter, serve
from hub.checkpoints import smollm2
from hub.conftest import TEXTS
from hub.tables import ultrafeedback

from course.foundation.rng import Rng
from course.models.hub import fetch
from course.models.roles import HUB
from course.reward import comparisons_from_rows, learn_reward
from course.search import visitor_questions
from course.search.dialogue_reward import dialogue
from course.training import FitSettings
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


def test_preferences_of_the_hub_take_the_same_road(hub, client):
    """Rows as UltraFeedback has them become comparisons, and a real architecture learns from
    them.
    """
    hub.add("datasets", "HuggingFaceH4/ultrafeedback_binarized", ultrafeedback())
    hub.add("models", HUB["gpt-middle"].repository, smollm2(TEXTS))
    folder = fetch("HuggingFaceH4/ultrafeedback_binarized", "dataset")
    comparisons = comparisons_from_rows(load_dataset(str(folder), split="train_prefs"))
    assert len(comparisons) == 7  # one row has no preference
    assert {(c.chosen, c.rejected) for c in comparisons} == {("Paris .", "young : old")}
    assert comparisons[0].prompt == "The capital of France , 0 ?"
    settings = FitSettings(steps=12, batch_size=7, learning_rate=3e-3, precision="fp32")
    learned = learn_reward("gpt-middle", comparisons, settings, wanted_tier="hub")
    assert learned.accuracy(comparisons) == 1
    assert np.mean(learned.probability(comparisons)) > 0.6

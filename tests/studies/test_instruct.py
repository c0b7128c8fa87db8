"""A guide among the tuned models: its replies are read and weighed."""

import numpy as np

from course.lm.contract import Sample
from course.studies import instruct
from course.world.conduct import SPLIT_KEY, truths
from course.world.split import is_train


class Guide:
    """Answers visitors truly, or with a word that no guide says."""

    def __init__(self, true: bool):
        self.true, self.prompts = true, []

    def generate(self, prompts, **settings):
        self.prompts = prompts
        questions = [p.removeprefix("visitor : ").removesuffix(" \n guide :") for p in prompts]
        said = [truths(question)[0] if self.true else "seven ." for question in questions]
        return [[Sample(f" {reply}".replace(" ,", ","), 1, 0.0, "stop")] for reply in said]


def test_a_true_guide_is_told_from_one_that_talks_nonsense():
    true, false = Guide(True), Guide(False)
    good, bad = (instruct.as_guide(guide, seed=0, count=30) for guide in (true, false))
    assert good == {instruct.READABLE: 100.0, instruct.GOLD: 3.0}
    assert bad[instruct.READABLE] == 0 and np.isclose(bad[instruct.GOLD], -0.25)
    assert true.prompts == false.prompts
    assert not any(
        is_train(SPLIT_KEY, prompt.removeprefix("visitor : ").removesuffix(" \n guide :"))
        for prompt in true.prompts
    )

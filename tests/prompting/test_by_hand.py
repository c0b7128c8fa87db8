"""The score of a label by hand is the package's."""

import pytest

from course.lm.language_model import load
from course.prompting.by_hand import score_by_hand
from course.prompting.evaluation import fresh_questions


@pytest.mark.parametrize("task", ["is_large", "inference"])
def test_a_label_scored_by_hand_is_that_of_the_package(task):
    model = load("gpt-small")
    for question in fresh_questions(task, 2, 3):
        labels = (*question.prompt.candidates, " yes and no")
        by_hand = [score_by_hand(model, question.prompt.text, label) for label in labels]
        assert by_hand == pytest.approx(
            model.score_labels([question.prompt.text], labels)[0], abs=1e-4
        )

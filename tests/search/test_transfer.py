"""Prompts that are searched on several models: what they are worth, and that a search goes through
all of them.
"""

import numpy as np
import pytest

from course.lm import load
from course.search import AutoPrompt, Joint, answers, search
from course.search.transfer import Joint as Defined


@pytest.fixture(scope="module")
def items():
    return answers("sentiment", 6, 4, measure="gap", wanted_tier="tiny")


def test_a_prompt_is_worth_the_mean_over_the_models(model, items):
    other = load("gpt-small-p00", "tiny")
    joint, pairs = Joint(items, (other,)), [("well", 0), ("well", 3), ("so", 1)]
    each = [items.values(one, pairs) for one in (model, other)]
    assert joint.values(model, pairs) == pytest.approx(np.mean(each, axis=0), abs=1e-5)
    assert not np.allclose(*each), "the two models differ, so a mean is neither of them"
    assert joint.held_out(model, "well") == items.held_out(model, "well")
    assert (joint.size, joint.calls_a_trial) == (6, 2) and Joint is Defined


def test_a_search_proposes_by_one_model_and_tries_on_all(model, items):
    class Counting:
        def __init__(self):
            self.pairs = 0

        def score_labels(self, prompts, labels):
            self.pairs += len(prompts)
            return model.score_labels(prompts, labels)

    counted = Counting()
    method = AutoPrompt(2, tried=3, batch=4, most_steps=2)
    search(method, Joint(items, (counted,)), model, 300)
    assert counted.pairs > 6
    with pytest.raises(ValueError, match="others="):
        Joint(items, ())

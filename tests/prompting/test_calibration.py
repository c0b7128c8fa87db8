"""Calibration does what the paper's matrix does, and order is measured over orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course.lm.contract import TextModel
from course.prompting.calibration import (
    CONTENT_FREE,
    KINDS,
    OrderEffect,
    _arranged,
    content_free,
    order_effect,
    recalibrated,
)
from course.prompting.evaluation import all_profiles, questions
from course.prompting.prompts import Prompt
from course.prompting.selection import Balanced
from course.world.example import Example

SCORES = arrays(float, (4, 3), elements=st.floats(-8, 0))


@given(SCORES, SCORES)
def test_contextual_calibration_is_the_inverse_diagonal_matrix(scores, reference):
    """Zhao et al. 2021, by hand: W = diag(p_cf)^-1, b = 0, the argmax of W p + b."""
    p_cf = np.mean([np.exp(row) / np.exp(row).sum() for row in reference], axis=0)
    matrix = np.linalg.inv(np.diag(p_cf / p_cf.sum()))
    for row, found in zip(scores, recalibrated(scores, reference), strict=True):
        expected = matrix @ (np.exp(row) / np.exp(row).sum())
        assert np.exp(found) / np.exp(found).sum() == pytest.approx(
            expected / expected.sum(), abs=1e-9
        )


@given(SCORES)
def test_a_reference_that_favours_no_label_changes_no_choice(scores):
    found = recalibrated(scores, np.zeros((2, 3)))
    assert np.allclose(found - found[:, :1], scores - scores[:, :1])


def test_inputs_without_content_take_the_place_of_the_query():
    prompts = content_free(Prompt("cat", (), "say it"), "hub")
    assert [prompt.query for prompt in prompts] == list(CONTENT_FREE["hub"]) and all(
        p.instruction == "say it" for p in prompts
    )


class Recent(TextModel):
    """Prefers the label of the last demonstration, so much that it hardly sees the query; without
    demonstrations it is right.
    """

    def generate(self, prompts, config=None, **changes):
        raise NotImplementedError

    def score(self, prompts, continuations):
        found = []
        for prompt, word in zip(prompts, continuations, strict=True):
            *shown, query = prompt.split(" \n ")
            last = shown[-1].split(" : ")[1]
            right = RIGHT.get(query.split(" :")[0])
            found.append(2.0 * (word.strip() == last) + 1.0 * (word.strip() == right))
        return np.array(found)


RIGHT = {
    e.input: e.output
    for part in ("train", "test")
    for e in all_profiles("is_large")[0].examples(part)
}


def test_a_bias_to_the_last_label_is_seen_and_taken_back():
    task = all_profiles("is_large")[0]
    asked = questions(task, 4, 30, selection=Balanced(task.labels))
    effect = order_effect(Recent(), asked, count=6)
    assert set(effect.accuracies) == set(KINDS) and all(
        len(found) == 6 for found in effect.accuracies.values()
    )
    assert effect.worst("none") < 60 and effect.spread("none") > 0
    assert (
        effect.worst("contextual") == 100.0 == effect.mean("contextual")
        and effect.spread("contextual") == 0.0
    )


def test_orders_begin_with_the_given_one_and_those_by_label():
    labels = ("yes", "no")
    shown = tuple(Example(x, y) for x, y in (("a", "no"), ("b", "yes"), ("c", "no"), ("d", "yes")))
    given, by_label, back, *rest = _arranged(shown, labels, 6, seed=0)
    assert given == shown and len(rest) == 3
    assert [e.input for e in by_label] == ["b", "d", "a", "c"]
    assert [e.input for e in back] == ["a", "c", "b", "d"]
    assert len({given, by_label, back, *rest}) == 6
    assert _arranged(by_label, labels, 2, seed=0) == [by_label, back]


def test_mean_worst_and_spread_are_over_the_orders():
    effect = OrderEffect({"none": (50.0, 70.0, 90.0)})
    assert (effect.mean("none"), effect.worst("none"), effect.spread("none")) == (70.0, 50.0, 20.0)


def test_answers_that_are_no_labels_are_refused():
    with pytest.raises(ValueError, match="choose a task with labels"):
        order_effect(Recent(), questions(all_profiles("capital"), 2, 2))

"""The interface of searches, on an objective whose best prompt is known."""

import numpy as np
import pytest
from search.objectives import Planted

from course.prompting.evaluation import questions, scores
from course.search import (
    Answers,
    BudgetedEvaluator,
    Exhaustive,
    RandomSearch,
    answers,
    gaps,
    instructed,
    likelihoods,
    search,
)
from course.tasks.registry import load_task


def test_exhaustive_search_finds_the_planted_prompt():
    found = search(Exhaustive(("a a", "a b", "b b", "b a")), Planted(), None, budget=100)
    assert found.prompt == "b b" and found.held_out == 100.0 and found.calls == 4 * 5
    assert [step.prompt for step in found.steps] == ["a a", "a b", "b b"]
    assert (
        found.at(0) is None
        and found.at(5) == 0.0
        and found.at(10) == 50.0
        and found.at(14) == 50.0
        and found.at(1000) == 100.0
    )


def test_a_search_ends_with_its_budget_and_keeps_what_it_found():
    found = search(Exhaustive(("a a", "a b", "b b", "b a")), Planted(), None, budget=13)
    assert found.prompt == "a b" and found.calls == 10


def test_random_search_gets_better_with_its_budget_and_repeats_itself():
    method = RandomSearch(("a", "b", "c", "d"), length=3)
    few, many, again = (
        search(method, Planted(), None, budget, seed=1) for budget in (10, 400, 400)
    )
    assert few.held_out < many.held_out and many == again
    assert many != search(method, Planted(), None, 400, seed=2)


def test_random_search_ends_when_words_with_spaces_make_equal_prompts():
    assert search(RandomSearch(("b", "b b"), length=2), Planted(), None, budget=100).calls == 3 * 5


def test_what_was_tried_before_costs_nothing():
    evaluator = BudgetedEvaluator(Planted(), None, 20)
    first = evaluator.values(["a b", "b"])
    assert evaluator.calls == 10 and first.shape == (2, 5)
    assert (
        evaluator.values(["b", "a b"], [2, 4]) == first[::-1][:, [2, 4]]
    ).all() and evaluator.calls == 10


def test_too_small_a_budget_says_so():
    with pytest.raises(ValueError, match="too little for exhaustive"):
        search(Exhaustive(("a",)), Planted(), None, budget=4)
    with pytest.raises(ValueError, match="budget=0: expected a whole number of at least 1"):
        search(Exhaustive(("a",)), Planted(), None, budget=0)


def test_answers_counts_as_evaluation_does(model):
    objective = answers("is_animal", train=6, test=8, wanted_tier="tiny")
    assert not {q.prompt.query for q in objective.train} & {q.prompt.query for q in objective.test}
    prompt = "is it an animal"
    alike = scores(model, [instructed(question, prompt) for question in objective.train])
    assert (objective.values(model, [(prompt, i) for i in range(objective.size)]) == alike).all()


def test_the_likelihood_of_labels_is_among_the_labels(model):
    task = load_task("is_animal", wanted_tier="tiny")
    asked = questions(task, 2, 4)
    found = likelihoods(model, asked)
    for question, value in zip(asked, found, strict=True):
        of = {
            w: model.score([question.prompt.text], [c])[0]
            for w, c in zip(task.labels, question.prompt.candidates, strict=True)
        }
        assert value == pytest.approx(of[question.words[0]] - np.logaddexp(*of.values()), abs=1e-4)


def test_the_gap_is_between_the_right_label_and_the_likeliest_wrong_one(model):
    asked = questions(load_task("topic", wanted_tier="tiny"), 1, 6)  # four labels
    found = gaps(model, asked)
    for question, gap, right in zip(asked, found, scores(model, asked), strict=True):
        logits = model.score([question.prompt.text] * 4, question.prompt.candidates)
        share = dict(
            zip(
                question.prompt.verbalizer.words, np.exp(logits) / np.exp(logits).sum(), strict=True
            )
        )
        mine = share.pop(question.words[0])
        assert gap == pytest.approx(mine - max(share.values()), abs=1e-4) and (gap > 0) == (
            right == 1
        )
    with pytest.raises(ValueError, match="expected a task with labels"):
        answers("capital", 2, 2, measure="gap", wanted_tier="tiny")


def test_answers_without_labels_are_scored_whole(model):
    asked = questions(load_task("capital", wanted_tier="tiny"), 2, 3)
    alone = [model.score([q.prompt.text], [" " + q.words[0]])[0] for q in asked]
    assert likelihoods(model, asked) == pytest.approx(alone, abs=1e-4)


def test_bad_objectives_are_refused():
    with pytest.raises(ValueError, match="measure='f1'"):
        answers("is_animal", 2, 2, measure="f1", wanted_tier="tiny")
    with pytest.raises(ValueError, match="0 training"):
        Answers((), ())

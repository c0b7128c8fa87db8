"""Specialists: the base stays as it was, and the measures are what they say."""

import pandas as pd
import pytest
import torch

from course.finetuning.specialists import (
    GENERALIST,
    TRANSLATIONS,
    WRITING,
    accuracy,
    advantage,
    by_labels,
    by_shots,
    choice_accuracy,
    costs,
    forgetting,
    matrix,
    specialise,
    written_accuracy,
)
from course.lm.language_model import load
from course.prompting.evaluation import fresh_questions

TASKS = ("topic", "find_city")


@pytest.fixture(scope="module")
def base():
    return load("gpt-small")


def test_the_base_stays_as_it_was_and_the_copy_learns(base):
    before = [p.clone() for p in base.model.parameters()]
    trained = [specialise(base, task, labels=200, steps=20, seed=1) for task in TASKS]
    assert all(torch.equal(a, b) for a, b in zip(before, base.model.parameters(), strict=True))
    table = matrix(base, trained, TASKS, shots=2, count=40)
    assert list(table.index) == [GENERALIST, *TASKS] and list(table.columns) == list(TASKS)
    assert ((table >= 0) & (table <= 100)).all(axis=None)
    for task in TASKS:
        assert table.loc[task, task] > 80


def test_advantage_and_forgetting_are_differences_to_the_generalist():
    table = pd.DataFrame(
        {"a": [70.0, 90.0, 10.0], "b": [60.0, 20.0, 65.0], "c": [50.0, 0.0, 30.0]},
        index=[GENERALIST, "a", "b"],
    )
    assert advantage(table).to_dict() == {"a": 20.0, "b": 5.0}
    assert forgetting(table).to_dict() == {
        "a": (60 + 50) / 2 - (20 + 0) / 2,
        "b": (70 + 50) / 2 - (10 + 30) / 2,
    }


def test_a_task_that_is_no_column_has_no_own_column_to_leave_out():
    table = pd.DataFrame({"a": [60.0, 20.0], "b": [40.0, 10.0]}, index=[GENERALIST, "open"])
    assert forgetting(table).to_dict() == {"open": 35.0}


def test_a_choice_is_among_the_labels_of_the_task_that_is_asked(base):
    """Tuned for topics, a model says topics; made to choose, it says yes or no."""
    tuned = specialise(base, "topic", labels=200, steps=20).model
    shown = fresh_questions("recommend", 2, 40)
    assert 0 <= choice_accuracy(tuned, shown) <= 100
    assert accuracy(tuned, shown) < choice_accuracy(tuned, shown)
    with pytest.raises(ValueError, match="is no label: expected questions of tasks with labels"):
        choice_accuracy(base, fresh_questions("third_word", 1, 3))


def test_a_specialist_learns_to_end_what_it_writes(base):
    """Without an end the words after the answer spoil it, with one they do not come."""
    questions = [q.zero_shot for q in fresh_questions("from_velan", 0, 30)]
    tuned = specialise(base, "from_velan", labels=300, steps=30, end=True, learning_rate=3e-3)
    assert written_accuracy(tuned.model, questions) > 30


def test_every_writing_task_leaves_room_for_its_answer(base):
    assert {task for pair in TRANSLATIONS.values() for task in pair} < set(WRITING)
    for task, shots in WRITING.items():
        for question in fresh_questions(task, shots, 60):
            assert len(base.tokenizer(question.prompt.text).input_ids) + 24 <= base.window


def test_costs_count_a_copy_against_demonstrations(base):
    table = costs(base, "topic", shots=3)
    stored, read = table.columns
    assert table.loc["specialist", stored] == pytest.approx(2 * base.model.num_parameters() / 1e3)
    assert table.loc["generalist", stored] < 1
    assert table.loc["generalist", read] > 2 * table.loc["specialist", read]


def test_curves_have_a_value_for_every_point(base):
    assert by_labels(base, "topic", (8, 16), seed=0, count=20).keys() == {8, 16}
    assert by_shots(base, "topic", (1, 2), seed=0, count=20).keys() == {1, 2}

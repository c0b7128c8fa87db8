"""Specialists: the base stays as it was, and the measures are what they say."""

import pandas as pd
import pytest
import torch

from course.finetuning.specialists import (
    GENERALIST,
    advantage,
    by_labels,
    by_shots,
    costs,
    forgetting,
    matrix,
    specialise,
)
from course.lm.language_model import load

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


def test_costs_count_a_copy_against_demonstrations(base):
    table = costs(base, "topic", shots=3)
    stored, read = table.columns
    assert table.loc["specialist", stored] == pytest.approx(2 * base.model.num_parameters() / 1e3)
    assert table.loc["generalist", stored] < 1
    assert table.loc["generalist", read] > 2 * table.loc["specialist", read]


def test_curves_have_a_value_for_every_point(base):
    assert by_labels(base, "topic", (8, 16), seed=0, count=20).keys() == {8, 16}
    assert by_shots(base, "topic", (1, 2), seed=0, count=20).keys() == {1, 2}

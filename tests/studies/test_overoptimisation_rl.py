"""What the study of over-optimisation by reinforcement learning records, on a few updates."""

from dataclasses import replace

import pandas as pd
import pytest

from course.studies import overoptimisation_rl as study
from course.studies import reward
from course.studies.overoptimisation_rl_tables import along_training
from course.studies.tables import where

NAME = "gpt-small"
LEARNED = ("2 comparisons", "4 comparisons", reward.EASY)


@pytest.fixture
def few(monkeypatch):
    """Two updates on two questions, by reward models that are learned at once."""
    for module, sizes in {
        reward: {"BODY": NAME, "ON_POLICY": 4, "STEPS": {2: 1, 4: 1}, "EASY_COMPARISONS": 4},
        study: {
            "BODY": NAME,
            "COMPARED": 16,
            "TESTED": 2,
            "LEARNED": LEARNED,
            "SCALED_BY": 4,
            "LOOKED_AT": 2,
            "LOOKS": (1, 2),
            "ONLINE": replace(study.ONLINE, steps=2, prompts=2, samples=2),
        },
    }.items():
        for name, value in sizes.items():
            monkeypatch.setattr(module, name, value)


def test_every_reward_has_its_policy_and_all_start_from_one_model(few):
    rows = study.overoptimised_policies(0)
    table = pd.DataFrame([{"seed": 0} | row for row in rows])
    assert {*table["source"]} == {*LEARNED, reward.GOLD}
    assert {*table["step"]} == {0, 1, 2} and {*table["half"]} == {0, 1}
    before = where(table, step=0).pivot_table("value", ["measure", "half"], "source")
    assert (before.loc["kl"] == 0).all(axis=None)
    for measure in ("gold", "true", "length", reward.COURTEOUS):
        assert (before.loc[measure].nunique(axis=1) == 1).all(), "the same replies"
    after = where(table, step=2, measure="kl")
    assert (after["value"] != 0).any()
    assert len(along_training(table, LEARNED[0])) == 3

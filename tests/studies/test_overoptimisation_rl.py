"""What the study of over-optimisation by reinforcement learning records, on a few updates, and what
its claims read off.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from course.reward import Curve
from course.studies import overoptimisation_rl as study
from course.studies import reward
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
    assert len(study.along_training(table, LEARNED[0])) == 3


def runs(gold, kl, source=study.FEW):
    """A table of one seed after another; both (seeds, looks), the same in both halves."""
    return pd.DataFrame(
        [
            {"seed": seed, "source": source, "step": step, "half": half, "measure": measure,
             "value": value}
            for measure, values in (("gold", gold), ("kl", kl))
            for seed, run in enumerate(values)
            for step, value in enumerate(run)
            for half in (0, 1)
        ]
    )  # fmt: skip


def test_a_curve_of_known_form_is_found_again():
    kl = np.array([[0.0, 0.5, 1.5, 3.0, 6.0], [-0.01, 0.2, 2.0, 4.0, 9.0]])
    curve = Curve("rl", 1.0, 0.8)
    gold = np.array([curve.gain(np.maximum(run, 0)) for run in kl]) + [[0.3], [-0.4]]
    table = runs(gold, kl)
    fit = study.curve_through("RLOO", *study.divergence_and_gold(table, study.FEW))
    assert (fit.a, fit.b) == (pytest.approx(1.0), pytest.approx(0.8))
    assert study.peaks(table, study.FEW) == pytest.approx(np.sqrt(curve.peak), abs=0.01)
    measured = {study.FEW: {"RLOO": study.divergence_and_gold(table, study.FEW)}}
    grid, line = study.lines_through(measured)[study.FEW]["RLOO"]
    assert line == pytest.approx(curve.gain(grid) - 0.05) and grid[-1] == pytest.approx(7.5)
    # what is highest at the end has its peak there
    rising = runs(kl, kl)
    assert study.peaks(rising, study.FEW) == pytest.approx(np.sqrt(kl[:, -1]), abs=0.01)


def test_what_is_lost_is_lost_after_the_peak():
    gold = np.array([[0.0, 2.0, 1.5], [0.0, 1.0, 3.0]])
    table = runs(gold, gold)
    assert study.lost_after_the_peak(table, study.FEW) == pytest.approx([0.5, 0.0])


def test_methods_are_compared_at_one_divergence_on_the_seeds_that_both_have():
    table = runs(np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]]), np.array([[0.0, 4.0]] * 3))
    chosen = pd.DataFrame(
        [
            {"seed": seed, "source": source, "comparisons": m, "half": half, "n": n,
             "part": "best of n", "measure": "gold", "value": d + seed}
            for seed in (0, 1)
            for source, m in (*((reward.EVERY_KIND, m) for m in reward.STEPS), (reward.EASY, 200),
                              (reward.GOLD, None), (reward.AT_RANDOM, None))
            for half in (0, 1)
            for n, d in zip(reward.SIZES, reward.DIVERGENCE, strict=True)
        ]
    )  # fmt: skip
    # best-of-n has 2 and 3 at 2 nats, the policies half of their ends
    ahead = study.ahead_of_rl(table, chosen, study.FEW)
    assert ahead == pytest.approx([2.0 - 0.5, 3.0 - 1.5])

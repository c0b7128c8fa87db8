"""What is read off the record of over-optimisation by reinforcement learning, and what best-of-n by
the same reward models has beside it.
"""

import numpy as np
import pandas as pd
import pytest

from course.reward import Curve
from course.studies import overoptimisation_rl_tables as tables
from course.studies import reward
from course.studies.overoptimisation_rl import FEW


def runs(gold, kl, source=FEW):
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
    fit = tables.curve_through("RLOO", *tables.divergence_and_gold(table, FEW))
    assert (fit.a, fit.b) == (pytest.approx(1.0), pytest.approx(0.8))
    assert tables.peaks(table, FEW) == pytest.approx(np.sqrt(curve.peak), abs=0.01)
    measured = {FEW: {"RLOO": tables.divergence_and_gold(table, FEW)}}
    grid, line = tables.lines_through(measured)[FEW]["RLOO"]
    assert line == pytest.approx(curve.gain(grid) - 0.05) and grid[-1] == pytest.approx(7.5)
    # what is highest at the end has its peak there
    rising = runs(kl, kl)
    assert tables.peaks(rising, FEW) == pytest.approx(np.sqrt(kl[:, -1]), abs=0.01)


def test_what_is_lost_is_lost_after_the_peak():
    gold = np.array([[0.0, 2.0, 1.5], [0.0, 1.0, 3.0]])
    table = runs(gold, gold)
    assert tables.lost_after_the_peak(table, FEW) == pytest.approx([0.5, 0.0])


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
    ahead = tables.ahead_of_rl(table, chosen, FEW)
    assert ahead == pytest.approx([2.0 - 0.5, 3.0 - 1.5])

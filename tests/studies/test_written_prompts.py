"""What the page on written prompts reads off its records."""

import numpy as np
import pytest

from course.studies.written_prompts import (
    SCHEDULES,
    TASKS,
    by_task,
    calls_to_reach,
    gains,
    mean_curves,
    naming,
    optimism,
    times_fewer,
)


def test_calls_are_read_off_between_two_settings():
    calls, regret = [100, 400, 1600], [4.0, 2.0, 1.0]
    assert calls_to_reach(calls, regret, 2.0) == pytest.approx(400) and calls_to_reach(
        calls, regret, 3.0
    ) == pytest.approx(200)
    assert calls_to_reach(calls, regret, 9.0) == 100 and calls_to_reach(
        calls, regret, 0.5
    ) == float("inf")


def value(halving: float) -> dict:
    """Figures of one seed: uniform ends at 1.0 with 1,600 calls, halving is so good at once."""
    levels = {"uniform": 1.0, "UCB": 1.0, "halving": halving}
    curve = {name: [{"calls": 100.0 * 2**i, "regret": levels[name], "optimism": 0.0} for i in range(len(settings))]
             for name, settings in SCHEDULES.items()}  # fmt: skip
    return {"find_city": curve, "first_word": curve}


def test_fewer_calls_for_the_same_regret():
    (more, never) = times_fewer([value(0.5), value(2.0)], tasks=("find_city", "first_word"))
    assert more == pytest.approx(2 ** (len(SCHEDULES["uniform"]) - 1)) and never == 0
    calls, regret = mean_curves(value(0.5))["halving"]
    assert calls[:2] == [100.0, 200.0] and set(regret) == {0.5}


def test_gains_are_means_over_tasks():
    made = [
        {"tasks": {task: {"found": 60.0 + seed, "by hand": 50.0, "title": 40.0} for task in TASKS}}
        for seed in range(3)
    ]
    assert np.allclose(gains(made), [10, 11, 12]) and np.allclose(
        gains(made, "title"), [20, 21, 22]
    )
    assert by_task(made).loc[TASKS[0]].tolist() == [61.0, 50.0, 40.0]


def test_means_over_seeds_are_tables():
    made = [{"named": {"blanks": {"past": 20.0 + seed}, "tuned": {"past": 0.0}}} for seed in (0, 2)]
    assert naming(made).loc["past"].to_dict() == {"BERT": 21.0, "tuned GPT": 0.0}
    assert optimism([value(0.5)]).loc["50 items", "too good by"] == 0.0

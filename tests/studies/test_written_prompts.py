"""What the page on written prompts reads off its records."""

import numpy as np
import pandas as pd
import pytest

from course.studies.tables import rows_of
from course.studies.written_prompts import (
    SCHEDULES,
    TASKS,
    by_task,
    calls_to_reach,
    gains,
    mean_curves,
    naming,
    optimism,
    setting_name,
    tasks_by_outcome,
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


def races(*halving: float) -> pd.DataFrame:
    """A run for each regret of halving: uniform ends at 1.0 with 1,600 calls, halving is so good at
    once.
    """
    rows = []
    for seed, regret in enumerate(halving):
        levels = {"uniform": 1.0, "UCB": 1.0, "halving": regret}
        for task in ("find_city", "find_person"):
            for way, settings in SCHEDULES.items():
                for i, (_, how) in enumerate(settings):
                    measured = {"calls": 100.0 * 2**i, "regret": levels[way], "optimism": 0.0}
                    columns = {"seed": seed, "task": task, "way": way}
                    rows += rows_of(measured, setting=setting_name(how), **columns)
    return pd.DataFrame(rows)


def test_fewer_calls_for_the_same_regret():
    more, never = times_fewer(races(0.5, 2.0), tasks=("find_city", "find_person"))
    assert more == pytest.approx(2 ** (len(SCHEDULES["uniform"]) - 1)) and never == 1
    (curves,) = mean_curves(races(0.5))
    calls, regret = curves["halving"]
    assert calls[:2] == [100.0, 200.0] and set(regret) == {0.5}


def test_gains_are_means_over_tasks():
    rows = []
    for seed in range(3):
        right = {"found": 60.0 + seed, "by hand": 50.0, "title": 40.0}
        for task in TASKS:
            columns = {"seed": seed, "part": "tasks", "task": task}
            for way, accuracy in right.items():
                rows += rows_of({"accuracy": accuracy}, way=way, **columns)
    table = pd.DataFrame(rows)
    with_items = [{"seed": s, "part": "tasks", "task": t, "measure": "items", "value": 4.0}
                  for s in range(3) for t in TASKS]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(with_items)])
    assert np.allclose(gains(table), [10, 11, 12])
    assert np.allclose(gains(table, "title"), [20, 21, 22])
    assert by_task(table).loc[TASKS[0]].tolist() == [61.0, 50.0, 40.0]


def test_all_items_count_alike():
    rows = []
    for task, items, better in (("capital", 5.0, 20.0), ("topic", 95.0, 0.0)):
        columns = {"seed": 0, "part": "tasks", "task": task}
        rows += rows_of({"accuracy": 50.0 + better}, way="found", **columns)
        rows += rows_of({"accuracy": 50.0}, way="by hand", **columns)
        rows += rows_of({"accuracy": 50.0}, way="title", **columns)
        rows += rows_of({"items": items}, **columns)
    table = pd.DataFrame(rows)
    assert gains(table).tolist() == [1.0], "5 of 100 items gain 20 points"
    outcomes = tasks_by_outcome(table)
    assert outcomes.loc["capital"].tolist() == [20, 5, "better"]
    assert outcomes.loc["topic", "outcome"] == "level"


def test_means_over_seeds_are_tables():
    rows = []
    for seed in (0, 2):
        for way, share in {"blanks": 20.0 + seed, "tuned": 0.0}.items():
            columns = {"seed": seed, "part": "naming", "task": "past", "way": way}
            rows += rows_of({"named": share}, **columns)
    assert naming(pd.DataFrame(rows)).loc["past"].to_dict() == {
        "BERT (%)": 21.0,
        "tuned GPT (%)": 0.0,
    }
    too_good = optimism(races(0.5))
    assert too_good.loc["50 items", "too good by (points)"] == 0.0 and too_good.index[0] == "1 item"

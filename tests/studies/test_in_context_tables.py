"""What chapter 4 reads off its records: means over the right rows."""

import pandas as pd
import pytest
from study_rows import quality, under

from course.prompting.calibration import KINDS
from course.studies import in_context, in_context_tables
from course.studies.accuracy_by_shots import BEST
from course.studies.bodies import GPTS
from course.world.lists import STRANGER

JUDGED = in_context.JUDGEMENTS

SHOWN = pd.DataFrame(
    [
        row
        for shift, body in enumerate(GPTS)
        for seed in range(3)
        for row in (
            *under(seed, body, "a", gold=90.0, none=10.0 + 10 * seed, random=80.0, foreign=70.0,
                   labels=60.0 + shift),
            *under(seed, body, "b", gold=80.0, none=40.0, random=80.0, foreign=80.0, labels=85.0),
        )
    ]
    + under(0, BEST, "a", gold=100.0, random=100.0, none=0.0)
)  # fmt: skip

FLIPPED = pd.DataFrame(
    [
        row
        for body, flipped in (("m", 30.0), ("n", 60.0))
        for seed in range(2)
        for task in JUDGED
        for row in under(seed, body, task, gold=90.0, flipped=flipped + 10 * seed)
    ]
    + [
        row | {"knob": knob}
        for knob in (0.0, 0.5)
        for task in JUDGED
        for row in under(0, BEST, task, gold=100.0, flipped=100.0 * knob)
    ]
)


def test_what_a_condition_costs_is_a_mean_over_tasks_by_body_and_seed():
    lost = in_context_tables.lost_to(SHOWN, "none", ("a", "b"))
    assert lost.shape == (3, 3) and lost[0].tolist() == [60, 55, 50]
    assert in_context_tables.lost_to(SHOWN, "labels", ("a",))[:, 0].tolist() == [30, 29, 28]
    assert in_context_tables.lost_to(SHOWN, "random", ("a",), (BEST,)).tolist() == [[0]]
    by_task = in_context_tables.lost_by_task(SHOWN, ("a", "b"))
    assert by_task["none"]["a"].shape == (3,) and by_task["none"]["a"].mean() == 70
    assert by_task["labels"]["b"].mean() == -5


def test_flipped_labels_are_set_against_chance_and_the_best_possible():
    assert in_context_tables.above_chance(FLIPPED, ("m", "n")).tolist() == [[-20, -10], [10, 20]]
    assert in_context_tables.after_flipped(FLIPPED, ("m",)).gold.tolist() == [90, 90]
    assert in_context_tables.best_after_flipped(FLIPPED, 0.5).flipped.tolist() == [50]


def calibrated(model: str, shares: str, task: str, value: float) -> list[dict]:
    place = {"seed": 0, "model": model, "shares": shares, "task": task}
    return [
        place | {"calibration": kind, "measure": measure, "value": value}
        for kind in KINDS
        for measure in in_context.MEASURES
    ]


def test_orders_are_means_over_tasks_and_sets_of_demonstrations():
    table = pd.DataFrame(
        [
            row
            for body, shift in zip(in_context.ORDERED, (0, 0, 0, 0, 30, 60, 100), strict=True)
            for i, shares in enumerate(in_context.SHARES)
            for task, value in (("a", 0.0), ("b", 20.0))
            for row in calibrated(body, shares, task, value + shift + 9.0 * i)
        ]
    )
    assert in_context_tables.over_orders(table, "none", "worst")[:, 0].tolist() == [19, 49, 79]
    panels = in_context_tables.by_size_and_kind(table)
    assert panels["small"]["batch"]["mean"].tolist() == [19]
    assert panels["middle"]["none"]["worst"].tolist() == [49]
    shares = in_context_tables.worst_by_shares(table)
    assert (shares.diff().dropna() == 9).all(axis=None)
    worst = in_context_tables.worst_by_model(table)
    assert worst.loc["large"].tolist() == [119] * 3
    assert worst.loc["middle, third seed", "as it is"] == 79
    assert list(worst.columns) == list(shares.columns) == ["as it is", "contextual", "batch"]


def test_the_worst_gap_is_that_of_the_mean_curve():
    shots = (0, 4)
    table = pd.DataFrame(
        [
            *quality(0, "m", "dialect", {0: -1.0, 4: -9.0}),
            *quality(1, "m", "dialect", {0: -7.0, 4: 1.0}),
        ]
    )
    gaps = in_context_tables.under_the_best(table, ("m",), "dialect", shots)
    assert gaps.tolist() == [[[-1, -9], [-7, 1]]]
    assert in_context_tables.worst_gap([*gaps.swapaxes(0, 1)]) == -4
    assert in_context_tables.worst_gap([*gaps]) == -4


def test_recognition_has_a_curve_for_known_dialects_and_for_strangers():
    table = pd.DataFrame(
        [
            row
            for task in ("dialect", STRANGER)
            for seed in (0, 1)
            for row in quality(seed, in_context.LARGE, task, {0: 0.0, 8: 0.0})
        ]
    )
    curves = in_context_tables.recognised_curves(table)
    assert curves[STRANGER].tolist() == curves["dialect"].tolist() == [[40, 48]] * 2


def test_clusters_are_means_over_their_tasks():
    rows = [
        *quality(0, in_context.LARGE, "capital", {0: -80.0, 1: 0.0}),
        *quality(0, in_context.LARGE, "region", {0: -60.0}),
        *quality(0, in_context.LARGE, "topic", {1: -40.0}),
        *quality(0, in_context.LARGE, "dialect", {1: -20.0}),
        *quality(0, in_context.LARGE, STRANGER, {1: -20.0}),
    ]
    clusters = in_context_tables.clusters_of(pd.DataFrame(rows))
    assert clusters.loc["geography"].to_dict() == pytest.approx({0: 20.0, 1: 90.0})
    assert clusters.loc["topic", 1] == 50.0
    assert "translation" not in clusters.index, "dialects are behind a title"

"""What chapter 4 reads off its records: means over the right rows; which tasks are recognised."""

import numpy as np
import pandas as pd
import pytest

from course.foundation.rng import Rng
from course.prompting.evaluation import all_profiles, best_possible, changed, questions
from course.studies import in_context
from course.studies.model_quality import ACCURACY, BEST, RECOGNITION
from course.world.lists import STRANGER, list_tasks
from course.world.posterior import Posterior
from course.world.split import TEST, TRAIN, VALIDATION

JUDGED = in_context.JUDGEMENTS


def under(seed: int, model: str, task: str, **by_condition: float) -> list[dict]:
    place = {"seed": seed, "model": model, "task": task}
    return [place | {"condition": c, "value": value} for c, value in by_condition.items()]


SHOWN = pd.DataFrame(
    [
        row
        for shift, body in enumerate(in_context.MIDDLES)
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
    lost = in_context.lost_to(SHOWN, "none", ("a", "b"))
    assert lost.shape == (3, 3) and lost[0].tolist() == [60, 55, 50]
    assert in_context.lost_to(SHOWN, "labels", ("a",))[:, 0].tolist() == [30, 29, 28]
    assert in_context.lost_to(SHOWN, "random", ("a",), (BEST,)).tolist() == [[0]]
    table = in_context.lost_by_task(SHOWN, ("a", "b"))
    assert table.loc["a", "none"] == "+70.0 [+45.2, +94.8]"
    assert table.loc["b", "labels"].startswith("-5.0")


def test_flipped_labels_are_set_against_chance_and_the_best_possible():
    assert in_context.above_chance(FLIPPED, ("m", "n")).tolist() == [[-20, -10], [10, 20]]
    assert in_context.after_flipped(FLIPPED, ("m",)).gold.tolist() == [90, 90]
    assert in_context.best_after_flipped(FLIPPED, 0.5).flipped.tolist() == [50]


def calibrated(model: str, shares: str, task: str, value: float) -> list[dict]:
    place = {"seed": 0, "model": model, "shares": shares, "task": task}
    return [
        place | {"calibration": kind, "measure": measure, "value": value}
        for kind in in_context.KINDS
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
    assert in_context.over_orders(table, "none", "worst")[:, 0].tolist() == [19, 49, 79]
    panels = in_context.by_size_and_kind(table)
    assert panels["small"]["batch"]["mean"].tolist() == [19]
    assert panels["middle"]["none"]["worst"].tolist() == [49]
    shares = in_context.worst_by_shares(table)
    assert (shares.diff().dropna() == 9).all(axis=None)
    assert in_context.worst_by_model(table).loc[in_context.LARGE].tolist() == [119] * 3


def quality(seed: int, model: str, task: str, gaps: dict[int, float]) -> list[dict]:
    place = {"seed": seed, "model": model, "task": task}
    return [
        place | {"k": float(k), "measure": measure, "value": value}
        for k, gap in gaps.items()
        for measure, value in ((ACCURACY, 90 + gap), (BEST, 90.0), (RECOGNITION, 40.0 + k))
    ]


def test_the_worst_gap_is_that_of_the_mean_curve():
    shots = (0, 4)
    table = pd.DataFrame(
        [
            *quality(0, "m", "dialect", {0: -1.0, 4: -9.0}),
            *quality(1, "m", "dialect", {0: -7.0, 4: 1.0}),
        ]
    )
    gaps = in_context.under_the_best(table, ("m",), "dialect", shots)
    assert gaps.tolist() == [[[-1, -9], [-7, 1]]]
    assert in_context.worst_gap([*gaps.swapaxes(0, 1)]) == -4
    assert in_context.worst_gap([*gaps]) == -4


def test_recognition_has_a_curve_for_known_dialects_and_for_strangers():
    table = pd.DataFrame(
        [
            row
            for task in ("dialect", STRANGER)
            for seed in (0, 1)
            for row in quality(seed, in_context.LARGE, task, {0: 0.0, 8: 0.0})
        ]
    )
    curves = in_context.recognised_curves(table)
    assert curves[STRANGER].tolist() == curves["dialect"].tolist() == [[40, 48]] * 2


def test_clusters_are_means_over_their_tasks():
    rows = [
        *quality(0, in_context.LARGE, "capital", {0: -80.0, 1: 0.0}),
        *quality(0, in_context.LARGE, "region", {0: -60.0}),
        *quality(0, in_context.LARGE, "topic", {1: -40.0}),
        *quality(0, in_context.LARGE, "dialect", {1: -20.0}),
        *quality(0, in_context.LARGE, STRANGER, {1: -20.0}),
    ]
    clusters = in_context.clusters_of(pd.DataFrame(rows))
    assert clusters.loc["geography"].to_dict() == pytest.approx({0: 20.0, 1: 90.0})
    assert clusters.loc["topic", 1] == 50.0
    assert "translation" not in clusters.index, "dialects are behind a title"


@pytest.mark.parametrize("task", ["region", "number", "is_large", "sentiment", "topic"])
def test_recognised_tasks_lose_nothing_by_random_labels_and_the_others_do(task):
    """By the exact posterior, on validation items: no model has a part in the groups."""
    name = "next_number" if task == "number" else task
    asked, posterior = questions(all_profiles(name), 8, 40, 5, split=VALIDATION), Posterior()
    random = best_possible(changed(asked, "random", 5), posterior).mean()
    none = best_possible(changed(asked, "none"), posterior).mean()
    if name in in_context.RECOGNISED:
        assert random >= 0.95 and none < 0.5
    else:
        assert name in in_context.PAIRED and random < 0.95


def test_every_task_with_two_labels_is_judged():
    two = {name for name, task in list_tasks().items() if len(task.labels) == 2}
    assert set(in_context.JUDGEMENTS) == two
    assert not set(in_context.RECOGNISED) & set(in_context.PAIRED)


def test_held_out_items_stand_behind_the_same_demonstrations_in_their_shares():
    task = all_profiles("is_even")[0]
    asked = in_context._asked(task, (6, 2), Rng("x"), most=12)
    shown = asked[0].prompt.demonstrations
    assert len(asked) == 12 == len({question.prompt.query for question in asked})
    assert all(question.prompt.demonstrations == shown for question in asked)
    assert [e.output for e in shown].count(task.labels[0]) == 6 and len(set(shown)) == 8
    train = {e.input for e in task.examples(TRAIN)}
    assert {e.input for e in shown} <= train
    held_out = {e.input: e.output for s in (TEST, VALIDATION) for e in task.examples(s)}
    assert all(held_out[q.prompt.query] == q.answers[0] for q in asked)


def test_claims_are_about_the_bodies_that_they_name():
    table = pd.DataFrame(
        [
            row
            for body in in_context.MIDDLES
            for seed in range(5)
            for task in in_context.RECOGNISED
            for row in under(seed, body, task, gold=90.0, random=88.0 + seed % 2, foreign=70.0,
                             none=20.0)
        ]
    )  # fmt: skip
    verdicts = [
        str(claim.measure([table]).verdict) for claim in in_context.CLAIMS if claim.number == "4a"
    ]
    assert verdicts == ["holds"] * 3
    worse = table.assign(value=np.where(table.condition == "random", 70.0, table.value))
    random = next(claim for claim in in_context.CLAIMS if "random labels cost" in claim.statement)
    assert str(random.measure([worse]).verdict) == "fails"


def measured(number: str, table: pd.DataFrame) -> list[str]:
    claims = [claim for claim in in_context.CLAIMS if claim.number == number]
    return [str(claim.measure([table]).verdict) for claim in claims]


def test_flipped_labels_are_judged_by_body():
    at = dict.fromkeys(in_context.UNTOUCHED, 70.0) | dict.fromkeys(in_context.RELABELLED, 30.0)
    at |= dict.fromkeys(in_context.MIDDLES, 52.0) | {"gpt-small": 80.0, in_context.LARGE: 10.0}
    table = pd.DataFrame(
        [
            row
            for body, value in at.items()
            for seed in range(5)
            for row in under(seed, body, JUDGED[0], gold=90.0, flipped=value + seed % 2)
        ]
    )
    assert measured("4c", table) == ["holds", "holds", "fails", "holds", "holds"]


def test_calibration_is_judged_by_size_and_kind():
    def value(body: str, kind: str, measure: str) -> float:
        if measure == "spread":
            return {"none": 12.0, "contextual": 9.0, "batch": 4.0}[kind]
        gain = {"none": 0.0, "contextual": -2.0, "batch": 20.0}[kind]
        return 50.0 + (gain if body in in_context.UNTOUCHED else 0.0)

    table = pd.DataFrame(
        [
            {"seed": seed, "model": body, "calibration": kind, "measure": measure,
             "value": value(body, kind, measure) + seed % 2 / 10}
            for body in in_context.ORDERED
            for seed in range(5)
            for kind in in_context.KINDS
            for measure in in_context.MEASURES
        ]
    )  # fmt: skip
    small, middle = ["fails", "fails", "holds", "holds"], ["fails", "fails", "fails", "holds"]
    assert measured("4d", table) == small + middle


def test_the_ceiling_is_judged_at_the_worst_number_of_demonstrations():
    rows = []
    for body in in_context.BODIES:
        for task, worst in (("dialect", -5.0), ("verdict", -20.0)):
            for seed in range(5):
                gaps = dict.fromkeys(in_context.SHOTS, 0.0) | {4: worst + seed % 2}
                rows += quality(seed, body, task, gaps)
    assert measured("4f", pd.DataFrame(rows)) == ["holds", "holds", "fails", "fails"]

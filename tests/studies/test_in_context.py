"""What chapter 4 reads off its records: means over the right rows."""

import pandas as pd
import pytest

from course.studies import in_context
from course.studies.model_quality import ACCURACY, BEST

JUDGED = in_context.JUDGEMENTS


def written(seed: int, task: str, **by_condition: float) -> list[dict]:
    place = {"seed": seed, "answer": in_context.WRITTEN, "model": "gpt-large", "task": task}
    return [place | {"condition": c, "value": value} for c, value in by_condition.items()]


def chosen(seed: int, model: str, task: str, gold: float, flipped: float) -> list[dict]:
    place = {"seed": seed, "answer": in_context.CHOSEN, "model": model, "task": task}
    both = (("gold", gold), ("flipped", flipped))
    return [place | {"condition": c, "value": value} for c, value in both]


SHOWN = pd.DataFrame(
    [
        *written(0, "a", gold=90.0, none=10.0, random=80.0, foreign=70.0, labels=60.0),
        *written(0, "b", gold=80.0, none=40.0, random=80.0, foreign=80.0, labels=85.0),
        *written(1, "a", gold=90.0, none=20.0, random=80.0, foreign=70.0, labels=60.0),
        *written(1, "b", gold=80.0, none=40.0, random=80.0, foreign=80.0, labels=85.0),
        *(row for task in JUDGED for row in chosen(0, "m", task, 90.0, 30.0)),
        *(row for task in JUDGED for row in chosen(1, "m", task, 80.0, 40.0)),
        *(row for task in JUDGED for row in chosen(0, "other", task, 0.0, 0.0)),
    ]
)


def test_what_a_condition_costs_is_a_mean_over_tasks():
    assert in_context.lost_to(SHOWN, "none", ("a", "b")).tolist() == [60, 55]
    assert in_context.lost_to(SHOWN, "none", ("b",)).tolist() == [40, 40]
    lost = in_context.lost_by_task(SHOWN, ("a", "b"))
    assert lost.loc["a"].to_dict() == {"random": 10, "foreign": 20, "labels": 30, "none": 75}
    assert list(lost.index) == ["b", "a"], "the least harm first"


def test_flipped_labels_are_set_against_chance():
    assert in_context.above_chance(SHOWN, "m").tolist() == [-20, -10]
    assert in_context.after_flipped(SHOWN, "m").gold.tolist() == [90, 80]


def test_orders_are_means_over_models_layouts_and_tasks():
    rows = [
        {
            "seed": 0,
            "model": m,
            "layout": "colon",
            "task": t,
            "calibration": "none",
            "measure": q,
            "value": v + shift,
        }
        for m, shift in (("one", 0.0), ("two", 30.0))
        for t, v in (("a", 40.0), ("b", 60.0))
        for q in in_context.MEASURES
    ]
    kinds = [row | {"calibration": kind} for row in rows for kind in in_context.KINDS]
    table = pd.DataFrame(kinds)
    assert in_context.over_orders(table, "none", "worst").tolist() == [65]
    assert in_context.by_layout(table, ["colon"])["colon"]["batch"]["mean"].tolist() == [50, 80]


def quality(task: str, k: int, own: float, best: float, model: str = "gpt-large") -> list[dict]:
    place = {"seed": 0, "model": model, "task": task, "k": float(k)}
    both = ((ACCURACY, own), (BEST, best))
    return [place | {"measure": measure, "value": value} for measure, value in both]


def test_the_right_share_is_a_mean_over_profiled_tasks():
    table = pd.DataFrame(
        [
            *quality("dialect", 8, 50.0, 100.0),
            *quality("verdict", 8, 70.0, 90.0),
            *quality("capital", 8, 0.0, 0.0),
            *quality("verdict", 4, 0.0, 0.0),
        ]
    )
    assert in_context.right_share(table, "gpt-large", 8).tolist() == [60]
    assert in_context.right_share(table, "gpt-large", 8, BEST).tolist() == [95]


def test_clusters_are_means_over_their_tasks():
    table = pd.DataFrame(
        [
            *quality("capital", 0, 10.0, 0.0),
            *quality("capital", 1, 90.0, 0.0),
            *quality("region", 0, 30.0, 0.0),
            *quality("topic", 1, 50.0, 0.0),
            *quality("dialect", 1, 70.0, 0.0),
        ]
    )
    clusters = in_context.clusters_of(table)
    assert clusters.loc["geography"].to_dict() == pytest.approx({0: 20.0, 1: 90.0})
    assert clusters.loc["topic", 1] == 50.0
    assert "translation" not in clusters.index, "dialects are behind a title"


def test_foreign_sentences_are_of_another_domain():
    assert in_context.foreign_to("is_large") == ("find_city", "sentiment")
    assert in_context.foreign_to("recommend") == ("find_city",)

"""Claims about demonstrations are judged by the bodies that they name."""

import numpy as np
import pandas as pd
from study_rows import quality, under

from course.prompting.calibration import KINDS
from course.prompting.evaluation import SHOTS
from course.studies import in_context, in_context_claims
from course.studies.bodies import GPTS


def test_claims_are_about_the_bodies_that_they_name():
    table = pd.DataFrame(
        [
            row
            for body in GPTS
            for seed in range(5)
            for task in in_context.RECOGNISED
            for row in under(seed, body, task, gold=90.0, random=88.0 + seed % 2, foreign=70.0,
                             none=20.0)
        ]
    )  # fmt: skip
    verdicts = [
        str(claim.measure([table]).verdict)
        for claim in in_context_claims.CLAIMS
        if claim.number == "4a"
    ]
    assert verdicts == ["holds"] * 3
    worse = table.assign(value=np.where(table.condition == "random", 70.0, table.value))
    random = next(
        claim for claim in in_context_claims.CLAIMS if "random labels cost" in claim.statement
    )
    assert str(random.measure([worse]).verdict) == "fails"


def measured(number: str, table: pd.DataFrame) -> list[str]:
    claims = [claim for claim in in_context_claims.CLAIMS if claim.number == number]
    return [str(claim.measure([table]).verdict) for claim in claims]


def test_flipped_labels_are_judged_by_body():
    at = dict.fromkeys(in_context.UNTOUCHED, 70.0) | dict.fromkeys(in_context.RELABELLED, 30.0)
    at |= dict.fromkeys(GPTS, 52.0) | {"gpt-small": 80.0, in_context.LARGE: 10.0}
    table = pd.DataFrame(
        [
            row
            for body, value in at.items()
            for seed in range(5)
            for row in under(
                seed, body, in_context.JUDGEMENTS[0], gold=90.0, flipped=value + seed % 2
            )
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
            for kind in KINDS
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
                gaps = dict.fromkeys(SHOTS, 0.0) | {4: worst + seed % 2}
                rows += quality(seed, body, task, gaps)
    assert measured("4f", pd.DataFrame(rows)) == ["holds", "holds", "fails", "fails"]

"""The study of hard prompts: what it measures of a task, and what the page reads off its record."""

import numpy as np
import pandas as pd
import pytest

from course.lm.language_model import load
from course.studies import hard_prompts as study
from course.studies.tables import where
from course.world.instructions import INSTRUCTIONS

WAYS = ["exhaustive", "random", "random swaps", "PEZ", "RLPrompt", "AutoPrompt"]


@pytest.fixture(scope="module")
def measured():
    rows = study.hard_prompts(0, ("sentiment",), ("comma",), budget=400, others=("gpt-small",))
    return pd.DataFrame([{"seed": 0} | row for row in rows])


def one(table, **conditions):
    (value,) = where(table, **conditions)["value"]
    return value


def test_every_search_has_its_curve_its_words_and_its_worth_elsewhere(measured):
    assert study.searches(measured) == WAYS
    for way in WAYS:
        curve = where(measured, way=way, measure="test after")["value"].tolist()
        test = one(measured, way=way, measure="test", model=study.MODEL)
        assert len(curve) == len(study.CALLS) and curve[-1] == test
        assert one(measured, way=way, measure="calls") <= 400
    further = {study.FLUENT, study.TOGETHER}
    assert {*where(measured, model="gpt-small")["way"]} == {study.BY_HAND, *WAYS, *further}
    (prompt,) = where(measured, way=study.BY_HAND, measure="prompt")["text"]
    assert prompt in INSTRUCTIONS["sentiment"]
    known = one(measured, measure="known layout")
    assert known > one(measured, way=study.BY_HAND, measure="test", model=study.MODEL)
    assert one(measured, way=study.FLUENT, measure="fluency") < 0


def test_people_are_represented_by_their_best_wording():
    model, items = (
        load("gpt-small", "tiny"),
        study.objective("sentiment", "comma", 0, 20, 10, "tiny"),
    )
    means = {
        text: items.values(model, [(text, i) for i in range(items.size)]).mean()
        for text in INSTRUCTIONS["sentiment"]
    }
    assert study.by_hand(model, items, "sentiment") == max(means, key=means.get)


def test_what_the_page_reads_is_a_mean_over_tasks(measured):
    pez = one(measured, way="PEZ", measure="test", model=study.MODEL)
    cells = [
        (s, task, layout) for s in range(3) for task in study.TASKS for layout in study.LAYOUTS
    ]
    copies = [measured.assign(seed=s, task=task, layout=layout) for s, task, layout in cells]
    elsewhere = [
        {"seed": s, "task": task, "layout": layout, "way": way, "model": name, "measure": "test",
         "value": 40.0 + s}
        for s, task, layout in cells
        for way in (study.BY_HAND, *WAYS, study.TOGETHER)
        for name in study.OTHERS if name != "gpt-small"
    ]  # fmt: skip
    table = pd.concat([*copies, pd.DataFrame(elsewhere)])
    assert study.held_out(table, "PEZ").tolist() == pytest.approx([pez] * 3)
    assert study.held_out(table, "PEZ", study.THIRD).tolist() == [40, 41, 42]
    rows = study.elsewhere(table)
    assert [*rows] == [
        "people's words",
        "random swaps",
        "PEZ",
        "RLPrompt",
        "AutoPrompt",
        study.TOGETHER,
    ]
    assert [*rows["PEZ"]] == [study.MODEL, *study.OTHERS]
    assert study.known_layout(table).shape == (3,)
    assert study.mean_curves(table)["PEZ"].shape == (3, len(study.CALLS))
    assert study.by_cell(table).loc["PEZ", "grammar, question"] == pytest.approx(pez)
    named = [study.CALLED.get(way, way) for way in (study.BY_HAND, *WAYS)]
    assert [*study.by_cell(table).index] == named
    read = study.reading(table)
    gibberish = one(measured, way="PEZ", measure="gibberish")
    assert read.loc["PEZ", "gibberish (%)"] == 100 * gibberish
    assert np.isfinite(read.to_numpy()).all() and [*read.index][-1] == study.TOGETHER
    found = study.prompts_found(table, "comma")
    assert len(found) == len(study.TASKS) * 7 and set(found["way"]) == set(named)
    assert study.fluent_prompts(table, ("grammar", "inference"), "comma").shape == (3, 2)


def test_every_claim_is_measured_from_what_its_study_records():
    rows = [
        {"seed": seed, "task": task, "layout": layout, "way": way, "model": name,
         "measure": "test", "value": 60.0 + seed + 5 * (way != study.BY_HAND)}
        for seed in range(3)
        for task in study.TASKS
        for layout in study.LAYOUTS
        for way in (study.BY_HAND, *WAYS, study.FLUENT, study.TOGETHER)
        for name in (study.MODEL, *study.OTHERS)
    ]  # fmt: skip
    late = [
        {"seed": seed, "measure": measure, "calls": calls, "value": 60.0 + 10 * (calls is not None)}
        for seed in range(3)
        for measure, calls in ((study.BY_HAND, None), ("test after", 9.0), ("test after", 90.0))
    ]
    tables = {"hard-prompts": pd.DataFrame(rows), "patient-reinforcement": pd.DataFrame(late)}
    for claim in study.CLAIMS:
        finding = claim.measure([tables[of.name] for of in claim.studies])
        assert finding.interval.mean in (5, 10) and str(finding.verdict) == "holds"
        assert finding.baselines in ({}, {"random words": 5.0})

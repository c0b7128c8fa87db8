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
    rows = study.hard_prompts(0, tasks=("sentiment",), budget=400, others=("gpt-small",))
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
    assert {*where(measured, model="gpt-small")["way"]} == {study.BY_HAND, *WAYS}
    (prompt,) = where(measured, way=study.BY_HAND, measure="prompt")["text"]
    assert prompt in INSTRUCTIONS["sentiment"]
    known = one(measured, measure="known layout")
    assert known > one(measured, way=study.BY_HAND, measure="test", model=study.MODEL)
    assert one(measured, way=study.FLUENT, measure="fluency") < 0


def test_people_are_represented_by_their_best_wording():
    model, items = load("gpt-small", "tiny"), study.objective("sentiment", 0, 20, 10, "tiny")
    means = {
        text: items.values(model, [(text, i) for i in range(items.size)]).mean()
        for text in INSTRUCTIONS["sentiment"]
    }
    assert study.by_hand(model, items, "sentiment") == max(means, key=means.get)


def test_what_the_page_reads_is_a_mean_over_tasks(measured):
    pez = one(measured, way="PEZ", measure="test", model=study.MODEL)
    copies = [measured.assign(seed=s, task=task) for s in range(3) for task in study.TASKS]
    elsewhere = [
        {"seed": s, "task": task, "way": "PEZ", "model": "m", "measure": "test", "value": 40.0 + s}
        for s in range(3)
        for task in study.TASKS
    ]
    table = pd.concat([*copies, pd.DataFrame(elsewhere)])
    assert study.held_out(table, "PEZ").tolist() == pytest.approx([pez] * 3)
    assert study.held_out(table, "PEZ", "m").tolist() == [40, 41, 42]
    assert study.known_layout(table).shape == (3,)
    assert study.mean_curves(table)["PEZ"].shape == (3, len(study.CALLS))
    assert study.by_task(table).loc["PEZ", "grammar"] == pytest.approx(pez)
    assert [*study.by_task(table).index] == [study.BY_HAND, *WAYS]
    read = study.reading(table)
    gibberish = one(measured, way="PEZ", measure="gibberish")
    assert read.loc["PEZ", "gibberish"] == 100 * gibberish
    assert np.isfinite(read.to_numpy()).all() and [*read.index][-1] == study.FLUENT
    found = study.prompts_found(table)
    assert len(found) == len(study.TASKS) * 7 and study.FLUENT not in set(found["way"])
    assert study.fluent_prompts(table, ("grammar", "inference")).shape == (3, 2)

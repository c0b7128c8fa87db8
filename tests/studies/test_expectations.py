"""What chapter 1 measures and reads off it, against figures worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from study_rows import table_of

from course.cloze.expectations import Blank
from course.finetuning import specialists
from course.finetuning.specialists import GENERALIST, LABELLED, TASKS, TRANSLATIONS, WRITING
from course.studies import expectations
from course.studies.bodies import BERTS, GPTS, SMALL_GPTS
from course.studies.records import read_record
from course.studies.verdicts import Verdict


def fake_blanks(gpt, bert, seed):
    """GPT by reading 80, BERT 70, one point more a seed for GPT; the first body 6 points better."""
    better = 6.0 if gpt == GPTS[0] else 0.0
    values = {
        expectations.ONE_PASS: 10.0,
        expectations.READING: 80.0 + seed + better,
        expectations.FILLING: 70.0,
        expectations.AMONG: 75.0,
    }
    rows = [
        {"task": task, "clue": clue, "way": way, "passes": 32.0 if "every" in way else 1.0}
        | {"value": value if clue == "right" else 0.0}
        for task in ("facts", *expectations.HELD_OUT)
        for clue in ("left", "right")
        for way, value in values.items()
    ]
    ends = {"gpt": 90.0, "bert": 5.0}
    return rows + [{"task": "continued", "way": way, "value": ends[way]} for way in ends]


@pytest.fixture
def blanks(monkeypatch):
    for loader in ("load", "_load_bert"):
        monkeypatch.setattr(expectations, loader, lambda name: name)
    monkeypatch.setattr(expectations, "fill_blanks", fake_blanks)
    return table_of(expectations.BLANKS)


def test_reading_is_compared_with_filling_body_by_body(blanks):
    lead = expectations.lead_of_reading(blanks, ("facts",))
    seeds = len(expectations.BLANKS.seeds)
    assert np.array(lead.values).tolist() == [
        [first + seed for seed in range(seeds)] for first in (16, 10, 10)
    ]
    assert np.array(expectations.lead_of_gpt(blanks).values).tolist() == [[85.0] * seeds] * 3
    shown = expectations.filled(blanks)
    assert shown.loc[expectations.READING, "passes"] == 32
    assert shown.loc[expectations.READING, "sums"] == 82 + (seeds - 1) / 2
    assert expectations.filled(blanks, "left")["facts"].tolist() == [0.0] * 4


def test_every_blank_is_filled_in_every_way(monkeypatch):
    """Stand-ins: GPT reads right and guesses wrong, BERT the other way round."""
    drawn = [
        Blank("the capital of", "is rosken .", "dorland", "right", ("dorland", "belmar")),
        Blank("the capital of dorland is", ".", "rosken", "left", ("rosken", "jasper", "vessa")),
    ]
    module = expectations.expectations
    monkeypatch.setattr(
        module, "fill", lambda model, blanks: [b.word if model == "bert" else "x" for b in blanks]
    )
    monkeypatch.setattr(module, "fill_among", lambda model, blanks: ["x"] * len(blanks))
    monkeypatch.setattr(module, "fill_by_reading", lambda model, blanks: [b.word for b in blanks])
    rows = {row["way"]: row for row in expectations._filled("gpt", "bert", drawn)}
    assert rows[expectations.READING] == {"way": expectations.READING, "passes": 2.5, "value": 100}
    assert [rows[way]["value"] for way in (expectations.ONE_PASS, expectations.AMONG)] == [0, 0]
    assert rows[expectations.FILLING]["value"] == 100 and rows[expectations.FILLING]["passes"] == 1


@pytest.fixture
def writing(monkeypatch):
    """A generalist that writes Velan as well as a specialist and Torvish worse."""

    def written(model, questions):
        task, tuned = questions[0].task, model == "tuned"
        if tuned or questions[0].shots == 0:
            return 95.0 if tuned else 5.0
        return 70.0 if task in TRANSLATIONS["torvish"] else 94.0

    def fresh(task, shots, count, seed):
        zero = SimpleNamespace(task=task, shots=0)
        return [SimpleNamespace(task=task, shots=shots, zero_shot=zero)]

    monkeypatch.setattr(expectations, "load", lambda name: name)
    monkeypatch.setattr(expectations, "fresh_questions", fresh)
    monkeypatch.setattr(specialists, "written_accuracy", written)
    monkeypatch.setattr(
        specialists, "specialise", lambda *args, **settings: SimpleNamespace(model="tuned")
    )
    return table_of(expectations.TRANSLATION)


def test_a_language_is_both_directions_of_it(writing):
    assert set(writing["task"]) == set(WRITING)
    assert set(writing["model"]) == {*SMALL_GPTS, *GPTS}
    for language, lead in {"torvish": 25.0, "velan": 1.0}.items():
        values = np.array(expectations.lead_of_specialist(writing, language).values)
        assert values.tolist() == [[lead] * len(expectations.TRANSLATION.seeds)] * 3
    shown = expectations.written(writing).loc["small", "to_torvish"]
    assert shown.tolist() == [5.0, 70.0, 95.0]


def fake_matrix(base, trained, tasks, count, seed, measure=specialists.accuracy):
    """A generalist with 60 %; specialists with 100 % on their own task, 10 % on others, and 40 %
    there if they may only choose among the labels.
    """
    others = 40.0 if measure is specialists.choice_accuracy else 10.0
    table = pd.DataFrame(others, index=[GENERALIST, *TASKS], columns=list(tasks))
    table.loc[GENERALIST] = 60.0
    for task in tasks:
        table.loc[task, task] = 100.0
    return table


@pytest.fixture
def matrix(monkeypatch):
    monkeypatch.setattr(expectations, "load", lambda name: name)
    monkeypatch.setattr(specialists, "specialise", lambda *args, **settings: None)
    monkeypatch.setattr(specialists, "matrix", fake_matrix)
    return table_of(expectations.SPECIALISTS)


def test_what_is_forgotten_is_told_from_habit(matrix):
    seeds = len(expectations.SPECIALISTS.seeds)
    assert expectations.gained(matrix).to_numpy().tolist() == [[40.0] * len(TASKS)] * seeds
    assert set(expectations.lost(matrix, "free").columns) == set(TASKS)
    assert expectations.forgotten(matrix).tolist() == [20.0] * seeds
    assert expectations.only_habit(matrix).tolist() == [30.0] * seeds
    wide = expectations.accuracy_matrix(matrix)
    assert list(wide.index) == [GENERALIST, *TASKS] and list(wide.columns) == list(TASKS)
    among = expectations.accuracy_matrix(matrix, "among labels")
    assert list(among.columns) == list(LABELLED)


def test_the_claims_of_chapter_1_are_read_off_their_tables(blanks, writing, matrix, monkeypatch):
    tables = dict(zip(expectations.STUDIES, (blanks, writing, matrix), strict=False))
    claims = [c for c in expectations.CLAIMS if hasattr(c, "kind")]
    findings = [c.measure([tables[study] for study in c.studies]) for c in claims]
    assert {finding.verdict for finding in findings} == {Verdict.HOLDS}
    assert {c.number for c in claims} == {"1a", "1b", "1c"}


def test_blanks_give_the_recorded_figures():
    """One pair of models and one kind of text again, on the models that the package has."""
    stored = read_record(expectations.BLANKS).table()
    gpt, bert = expectations.load(GPTS[0]), expectations._load_bert(BERTS[0])
    blanks = expectations.chapter_data().blank_sets(0)["facts"]
    drawn = expectations._drawn([blank for blank in blanks if blank.clue == "right"], 0)
    rows = stored[(stored["seed"] == 0) & (stored["model"] == GPTS[0])]
    rows = rows[(rows["task"] == "facts") & (rows["clue"] == "right")].set_index("way")["value"]
    for row in expectations._filled(gpt, bert, drawn):
        assert row["value"] == pytest.approx(rows[row["way"]])

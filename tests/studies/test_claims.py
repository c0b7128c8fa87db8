"""Claims and records: intervals are right, wrong answers are seen, stale records are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from course.foundation.intervals import interval
from course.studies import CLAIMS, catalogue, records, report
from course.studies.claims import Claim
from course.studies.records import (
    RecordError,
    Study,
    partial_runs,
    read_record,
    write_record,
)


def test_the_interval_is_that_of_students_t():
    values = [3.0, 5.0, 4.0, 6.0]
    found = interval(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (found.mean, found.low, found.high, found.count) == (
        4.5,
        pytest.approx(low),
        pytest.approx(high),
        4,
    )


def test_two_seeds_are_too_few():
    with pytest.raises(ValueError, match="2 seeds: an interval needs at least 3"):
        interval([1.0, 2.0])


@pytest.mark.parametrize(
    ("differences", "target", "holds"),
    [
        ([20, 21, 22], 10, True),
        ([8, 9, 10], 10, False),  # under the target
        ([-40, 30, 60], 10, False),  # over it, but the interval holds 0
        ([-20, -21, -22], 10, False),
    ],
)
def test_a_claim_holds_only_when_it_should(differences, target, holds):
    claim = Claim("0x", "Something is better.", target, "someone2020")
    assert claim.holds(interval(differences)) is holds
    line = claim.line(interval(differences))
    assert line.startswith("0x holds: Something" if holds else "0x DOES NOT HOLD: Something")


@pytest.mark.parametrize(
    ("differences", "holds"),
    [([0, 0, 0], True), ([-1, 0, 0], False), ([-40, 0, 41], False), ([3, 4, 5], True)],
)
def test_no_worse_needs_an_interval_within_the_margin(differences, holds):
    assert (
        Claim("0x", "It is no worse.", 0, "someone2020", margin=2).holds(interval(differences))
        is holds
    )


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    return Study("demo", 2, ("gpt-small",), (0, 1), lambda seed: [{"value": float(seed)}])


def test_a_record_comes_back_as_it_was_written(study):
    write_record(study, {"1": study.run(1), "0": study.run(0)}, 12.34)
    record = read_record(study)
    assert record.table().value.tolist() == [0.0, 1.0]
    assert record.seconds == 12.3
    assert partial_runs(study)[0].keys() == {"0", "1"}


def test_rows_come_back_as_they_were_written(study):
    rows = [
        {"task": "a", "k": 1, "value": 0.1 + 0.2},
        {"task": "b", "prompt": "x \n y", "value": 3},
    ]
    write_record(study, {"1": rows, "0": rows[:1]}, 1.0)
    record = read_record(study)
    assert record.runs == {"0": rows[:1], "1": rows}
    table = record.table()
    assert table.seed.tolist() == [0, 1, 1] and table.value.tolist() == [0.1 + 0.2, 0.1 + 0.2, 3.0]
    assert table.columns[0] == "seed" and table[table.task == "b"].prompt.tolist() == ["x \n y"]


def test_a_claim_is_measured_from_its_record(study):
    study = replace(study, seeds=(0, 1, 2))
    runs = {
        str(s): [{"way": "new", "value": 10.0 + s}, {"way": "old", "value": 2.0}]
        for s in study.seeds
    }
    write_record(study, runs, 1.0)

    def gain(table):
        wide = table.pivot(index="seed", columns="way", values="value")
        return wide.new - wide.old

    claim = Claim("0x", "New beats old.", 5, "someone2020", studies=(study,), differences=gain)
    assert claim.measured() == interval([8.0, 9.0, 10.0])
    assert claim.line().startswith("0x holds: New beats old.\n   measured +9.0 [")


def test_a_claim_that_says_not_how_it_is_measured_has_no_figures():
    with pytest.raises(ValueError, match=r"claim 0x \('It is so.'\): expected a function"):
        Claim("0x", "It is so.", 1, "someone2020").measured()


def test_claims_hold_unless_they_say_why_they_do_not():
    does_not_hold = {claim.statement for claim in CLAIMS if not claim.holds(claim.measured())}
    assert does_not_hold == {claim.statement for claim in CLAIMS if claim.fails}
    assert len({claim.statement for claim in CLAIMS}) == len(CLAIMS)


def test_a_report_has_the_claims_in_order(monkeypatch):
    def claim(number, statement, value):
        return Claim(number, statement, 1, "someone2020", differences=lambda: [value] * 3)

    claims = (claim("0a", "One.", 2), claim("0b", "Two.", 2), claim("0a", "Three.", 0))
    monkeypatch.setattr(catalogue, "CLAIMS", claims)
    lines = [line for line in report("0b", "0a").splitlines() if line.startswith("0")]
    assert lines == ["0b holds: Two.", "0a holds: One.", "0a DOES NOT HOLD: Three."]
    with pytest.raises(ValueError, match="no claim 9z; choose from 0a, 0b"):
        report("0a", "9z")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "is of version 1, the study is at 2"),
        ({"weights": {"gpt-small": "0"}}, "was measured on other weights"),
        ({"runs": {"0": []}}, r"lacks the seeds \[1\]"),
    ],
)
def test_a_stale_record_is_refused(study, change, message):
    write_record(study, {"0": study.run(0), "1": study.run(1)}, 1.0)
    study.path.write_text(
        json.dumps(json.loads(study.path.read_text(encoding="utf-8")) | change), encoding="utf-8"
    )
    with pytest.raises(RecordError, match=message):
        read_record(study)


def test_runs_of_seeds_that_the_study_has_no_longer_are_left_out(study):
    write_record(study, {str(seed): study.run(seed) for seed in (7, 1, 0)}, 1.0)
    assert list(read_record(study).runs) == list(partial_runs(study)[0]) == ["0", "1"]
    assert read_record(study).table().value.tolist() == [0.0, 1.0]


def test_a_record_of_another_study_is_refused(study):
    write_record(
        replace(study, name="other"), {"0": study.run(0), "1": study.run(1)}, 1.0, study.path
    )
    with pytest.raises(RecordError, match="is of the study 'other', expected 'demo'"):
        read_record(study)
    assert partial_runs(study) == ({}, 0.0)


@pytest.mark.parametrize(
    "change",
    [
        {"runs": [{}, {}]},
        {"runs": {"0": 1, "1": []}},
        {"columns": None},
        {"seconds": float("nan")},
        {"seconds": None},
    ],
)
def test_a_record_of_another_form_is_damaged(study, change):
    write_record(study, {"0": study.run(0), "1": study.run(1)}, 1.0)
    study.path.write_text(
        json.dumps(json.loads(study.path.read_text(encoding="utf-8")) | change), encoding="utf-8"
    )
    with pytest.raises(RecordError, match="is damaged .* delete it and run"):
        read_record(study)


def test_the_name_of_a_study_never_becomes_a_path(study):
    with pytest.raises(ValueError, match="study '../../x' cannot name a file"):
        replace(study, name="../../x")


def test_a_damaged_record_is_refused(study):
    write_record(study, {"0": study.run(0), "1": study.run(1)}, 1.0)
    study.path.write_text(study.path.read_text(encoding="utf-8")[:50], encoding="utf-8")
    with pytest.raises(RecordError, match="is damaged .* delete it and run"):
        read_record(study)


def test_a_missing_record_says_what_to_run(study):
    with pytest.raises(RecordError, match="does not exist; run 'python -m course.studies demo'"):
        read_record(study)
    assert partial_runs(study) == ({}, 0.0)

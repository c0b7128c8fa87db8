"""Records: what was measured comes back as it was; stale and damaged ones are refused."""

import json
from dataclasses import replace

import pytest

from course.studies import records
from course.studies.records import (
    RecordError,
    Study,
    partial_runs,
    read_record,
    write_record,
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

"""Every record in the package is of the study, the seeds and the weights that the package has now."""

import pytest

from course.records import RECORDS, read_record
from course.studies import STUDIES, main


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_the_record_is_current(name):
    record = read_record(STUDIES[name])
    assert record.study == name and len(record.values()) >= 3


def test_no_record_without_a_study():
    assert {path.stem for path in RECORDS.glob("*.json")} == set(STUDIES)


def test_an_unknown_study_lists_the_studies(capsys):
    with pytest.raises(SystemExit):
        main(["sudoku"])
    assert "no such study: sudoku; choose from" in capsys.readouterr().err

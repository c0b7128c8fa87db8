"""Every record in the package is of the study, the seeds and the weights that the package has."""

import subprocess
import sys

import pytest

from course.studies import STUDIES, main, measure, records
from course.studies.records import RECORDS, Study, read_record


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_the_record_is_current(name):
    record = read_record(STUDIES[name])
    assert record.study == name and list(record.runs) == [str(s) for s in STUDIES[name].seeds]


def test_no_record_without_a_study():
    assert {path.stem for path in RECORDS.glob("*.json")} == set(STUDIES)


def test_an_unknown_study_lists_the_studies(capsys):
    with pytest.raises(SystemExit):
        main(["sudoku"])
    assert "no such study: sudoku; choose from" in capsys.readouterr().err


def test_help_lists_the_studies_and_loads_no_torch():
    command = "import sys; from course.studies.command import main\ntry: main(['--help'])\n"
    command += "except SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert all(name in done.stdout for name in STUDIES) and done.stdout.endswith("False\n")


def test_a_stopped_study_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    asked = []

    def run(seed: int) -> list:
        asked.append(seed)
        if asked == [0, 1]:
            raise KeyboardInterrupt
        return [{"value": seed}]

    study = Study("demo", 1, ("gpt-small",), (0, 1, 2), run)
    with pytest.raises(KeyboardInterrupt):
        measure(study)
    measure(study)
    assert asked == [0, 1, 1, 2]
    told = [line for line in capsys.readouterr().out.splitlines() if "to be measured" in line]
    assert told[0].startswith("demo: seeds 0, 1, 2 are") and "not recorded yet" in told[0]
    assert told[1].startswith("demo: seeds 1, 2 are") and " s each, " in told[1]
    assert read_record(study).table().value.tolist() == [0, 1, 2]


def test_the_hub_tier_is_not_recorded_as_the_shipped_models(monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    with pytest.raises(ValueError, match="COURSE_TIER is 'hub'; unset it"):
        measure(STUDIES["quality"])

"""Every record in the package is of the study, the seeds and the weights that the package has."""

import subprocess
import sys

import pytest

from course.studies import STUDIES, in_context, main, measure, records
from course.studies.records import RECORDS, Study, read_record


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


def test_help_lists_the_studies_and_loads_no_torch():
    command = "import sys; from course.studies.command import main\ntry: main(['--help'])\n"
    command += "except SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert all(name in done.stdout for name in STUDIES) and done.stdout.endswith("False\n")


def test_a_stopped_study_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    asked = []

    def run(seed: int) -> dict:
        asked.append(seed)
        if asked == [0, 1]:
            raise KeyboardInterrupt
        return {"value": seed}

    study = Study("demo", 1, ("gpt-small",), (0, 1, 2), run)
    with pytest.raises(KeyboardInterrupt):
        measure(study)
    measure(study)
    assert asked == [0, 1, 1, 2]
    assert [v["value"] for v in read_record(study).values()] == [0, 1, 2]


def test_the_hub_tier_is_not_recorded_as_the_shipped_models(monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    with pytest.raises(ValueError, match="COURSE_TIER is 'hub'; unset it"):
        measure(STUDIES["quality"])


def test_what_a_condition_costs_is_read_off_the_record():
    values = [
        {"conditions": {"a": {"gold": 90.0, "none": 10.0}, "b": {"gold": 80.0, "none": 40.0}}}
    ]
    assert in_context.lost_to("none", ("a", "b"), values).tolist() == [(80 + 40) / 2]
    assert in_context.lost_to("none", ("b",), values * 2).tolist() == [40, 40]


def test_chance_orders_and_shares_are_read_off_the_records():
    flipped = {"flipped": {"m": {task: {"flipped": 30.0} for task in in_context.JUDGEMENTS}}}
    assert in_context.above_chance("m", [flipped]).tolist() == [-20]
    one, two = ({"none": {"worst": worst}} for worst in ([40.0, 60.0], [70.0, 90.0]))
    order = {
        "one": dict.fromkeys(in_context.LAYOUTS, one),
        "two": dict.fromkeys(in_context.LAYOUTS, two),
    }
    assert in_context.over_orders("none", "worst", [order]).tolist() == [65]
    learned = {
        "m": {
            "in_context": {
                "dialect": {"8": {"model": 0.5, "ceiling": 1.0}},
                "verdict": {"8": {"model": 0.7, "ceiling": 0.9}},
            }
        }
    }
    assert in_context.right_share("m", 8, [learned]).tolist() == pytest.approx([60])
    assert in_context.right_share("m", 8, [learned], "ceiling").tolist() == pytest.approx([95])


def test_clusters_are_means_over_their_tasks():
    found = {
        "capital": {"0": 0.1, "1": 0.9},
        "region": {"0": 0.3},
        "topic": {"1": 0.5},
        "dialect": {"1": 0.7},
    }
    values = [
        {
            "gpt-large": {
                "in_context": {
                    task: {k: {"model": share} for k, share in each.items()}
                    for task, each in found.items()
                }
            }
        }
    ]
    table = in_context.clusters_of(values)
    assert (
        table.loc["geography"].to_dict() == pytest.approx({0: 20.0, 1: 90.0})
        and table.loc["topic", 1] == 50.0
    )
    assert "translation" not in table.index, "dialects are behind a title"


def test_foreign_sentences_are_of_another_domain():
    assert in_context.foreign_to("is_large") == (
        "find_city",
        "sentiment",
    ) and in_context.foreign_to("recommend") == ("find_city",)

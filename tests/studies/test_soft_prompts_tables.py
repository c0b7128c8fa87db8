"""What the page on soft prompts reads off its records."""

import numpy as np
import pandas as pd
import pytest

from course.studies import soft_prompts as study
from course.studies import soft_prompts_tables
from course.studies.tables import rows_of


def table(*shifts: float) -> pd.DataFrame:
    """Runs, one a seed, with figures that tell tasks, ways and sizes apart."""
    rows = [{"seed": seed} | row for seed, shift in enumerate(shifts) for row in run(shift)]
    return pd.DataFrame(rows)


def run(shift: float) -> list[dict]:
    cells = {
        study.PERSON: (50, -2.0),
        study.RANDOM: (70, -1.0),
        study.AUTO: (60, -1.5),
        "prompt": (90, -0.1),
    }
    rows = []
    for task in study.TASKS:
        for way, (accuracy, score) in cells.items():
            measured = {"accuracy": accuracy + shift, "score": score}
            rows += rows_of(measured, part="methods", task=task, way=way)
    titled = {"accuracy": 99.0, "score": 0.0}
    rows += rows_of(titled, part="methods", task="first_word", way=study.TITLE)
    sizes = {study.SMALL_MODEL: 10, study.LARGE_MODEL: 80} | dict.fromkeys(study.BODIES, 50)
    for name, size in sizes.items():
        columns = {"part": "sizes", "model": name, "task": study.PLATEAU_TASK}
        rows += rows_of({"accuracy": size + shift, "late rise": 0.0}, way="prompt", **columns)
        rows += rows_of({"accuracy": 90.0, "late rise": 0.0}, way="lora", **columns)
    for task in study.SHORT:
        for n in study.LENGTHS:
            rows += rows_of({"accuracy": n + shift}, part="lengths", task=task, length=n)
        learned = {"vectors": 80 + shift, "words": 20.0}
        rows += rows_of(learned, part="starts", task=task, start="its wording")
    return rows


def test_the_best_words_are_chosen_by_training_items():
    assert soft_prompts_tables.best_words(table(0, 2), study.TASKS).tolist() == [70, 72], (
        "neither the best on test items nor the corpus's title"
    )
    changed = table(0)
    there = (changed["task"] == "grammar") & (changed["way"] == study.AUTO)
    changed.loc[there & (changed["measure"] == "accuracy"), "value"] = 10.0
    changed.loc[there & (changed["measure"] == "score"), "value"] = -0.5
    assert soft_prompts_tables.best_words(changed, study.NAMED)[0] == (10 + 70) / 2


def test_a_way_is_averaged_over_the_tasks_that_have_it():
    assert soft_prompts_tables.accuracies(table(0, 4), "prompt", study.TASKS).tolist() == [90, 94]
    assert soft_prompts_tables.accuracies(table(0), study.TITLE, study.NAMED).tolist() == [99]


def test_lengths_sizes_and_starts_are_in_their_order():
    runs = table(0, 1)
    lengths = [[*study.LENGTHS], [n + 1 for n in study.LENGTHS]]
    assert soft_prompts_tables.along_length(runs, "first_word").tolist() == lengths
    assert soft_prompts_tables.along_size(runs, "prompt").tolist() == [[10, 50, 80], [11, 51, 81]]
    assert soft_prompts_tables.from_start(runs, "its wording", "vectors").tolist() == [80, 81]
    assert soft_prompts_tables.by_starts(runs).loc["its wording"].to_dict() == {
        "mean": 80.5,
        "worst seed": 80.0,
    }
    assert np.mean(soft_prompts_tables.from_start(runs, "its wording", "words")) == 20


def test_the_gap_to_lora_is_that_of_each_body():
    runs = table(0, 1, 3)
    assert soft_prompts_tables.gap_closed_by_large(runs).tolist() == [70, 70, 70]
    assert soft_prompts_tables.gap_closed_by_middle(runs).tolist() == [[40, 40, 40]] * 3
    gaps = soft_prompts_tables.gaps_by_model(runs)
    assert [*gaps.index] == [*study.PLATEAU_STEPS]
    assert gaps.loc["gpt-small", "gap"] == pytest.approx(90 - 10 - 4 / 3)


def test_all_ways_stand_in_one_table():
    rows = run(0.0)
    for task in study.TASKS:
        for way in (*study.WORDS, study.SHOWN, *study.LEARNED):
            columns = {"part": "methods", "task": task, "way": way}
            rows += rows_of({"calls": 100}, **columns)
            if way in study.WORDS:
                rows += rows_of({"gibberish": int(way == study.PEZ)}, **columns)
            if way not in (study.PERSON, study.RANDOM, study.AUTO, "prompt"):
                rows += rows_of({"accuracy": 40.0, "score": -9.0}, **columns)
    ways = soft_prompts_tables.all_ways(pd.DataFrame([{"seed": 0} | row for row in rows]))
    assert ways.loc["people's words"].tolist() == [50, 50, 100, 100]
    assert ways.loc["prompt tuning"].tolist() == [90, 90, 100, 0]
    assert ways["readable (%)"][[study.PEZ, study.SHOWN]].tolist() == [0, 100]

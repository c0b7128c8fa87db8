"""What the page on soft prompts reads off its records."""

import numpy as np
import pandas as pd
import pytest

from course.search.base import SearchResult
from course.search.budget import Step
from course.studies import soft_prompts as study
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
    assert study.best_words(table(0, 2), study.TASKS).tolist() == [70, 72], (
        "neither the best on test items nor the corpus's title"
    )
    changed = table(0)
    there = (changed["task"] == "grammar") & (changed["way"] == study.AUTO)
    changed.loc[there & (changed["measure"] == "accuracy"), "value"] = 10.0
    changed.loc[there & (changed["measure"] == "score"), "value"] = -0.5
    assert study.best_words(changed, study.NAMED)[0] == (10 + 70) / 2


def test_a_way_is_averaged_over_the_tasks_that_have_it():
    assert study.accuracies(table(0, 4), "prompt", study.TASKS).tolist() == [90, 94]
    assert study.accuracies(table(0), study.TITLE, study.NAMED).tolist() == [99]


def test_lengths_sizes_and_starts_are_in_their_order():
    runs = table(0, 1)
    lengths = [[*study.LENGTHS], [n + 1 for n in study.LENGTHS]]
    assert study.along_length(runs, "first_word").tolist() == lengths
    assert study.along_size(runs, "prompt").tolist() == [[10, 50, 80], [11, 51, 81]]
    assert study.from_start(runs, "its wording", "vectors").tolist() == [80, 81]
    assert study.by_starts(runs).loc["its wording"].to_dict() == {"mean": 80.5, "worst seed": 80.0}
    assert np.mean(study.from_start(runs, "its wording", "words")) == 20


def test_the_gap_to_lora_is_that_of_each_body():
    runs = table(0, 1, 3)
    assert study.gap_closed_by_large(runs).tolist() == [70, 70, 70]
    assert study.gap_closed_by_middle(runs).tolist() == [[40, 40, 40]] * 3
    gaps = study.gaps_by_model(runs)
    assert [*gaps.index] == [*study.PLATEAU_STEPS]
    assert gaps.loc["gpt-small", "gap"] == pytest.approx(90 - 10 - 4 / 3)


def test_the_late_rise_is_what_the_last_quarter_adds():
    steps = [Step(calls, "", score, 50.0) for calls, score in ((10, -2.0), (70, -1.0), (90, -0.9))]
    assert study.late_rise(SearchResult("prompt", tuple(steps), 100)) == pytest.approx(0.1)
    flat = SearchResult("prompt", tuple(steps[:2]), 100)
    assert study.late_rise(flat) == 0


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
    ways = study.all_ways(pd.DataFrame([{"seed": 0} | row for row in rows]))
    assert ways.loc[study.PERSON].tolist() == [50, 50, 100, 100]
    assert ways.loc["prompt"].tolist() == [90, 90, 100, 0]
    assert ways["readable"][[study.PEZ, study.SHOWN]].tolist() == [0, 100]


def test_demonstrations_are_chosen_by_the_items_that_are_left(monkeypatch):
    class Known:
        size = 20

    def demonstrated(items, count):
        made = Known()
        made.size = 20 - count
        made.values = lambda model, pairs: np.full(len(pairs), {4: 0.5, 8: 0.9, 16: 0.7}[count])
        made.held_out = lambda model, prompt: 100.0 + count
        return made

    monkeypatch.setattr(study, "demonstrated", demonstrated)
    monkeypatch.setattr(study, "replace", lambda items, **_: items)
    assert study.shown(Known(), None) == {"accuracy": 108.0, "shown": 8, "calls": 16 + 12 + 4}


@pytest.mark.parametrize("task", study.TASKS)
def test_every_task_has_items_and_a_wording_to_begin_as(task):
    items = study.objective(task, 0, 4, 4)
    assert items.measure == "likelihood"
    usual = all(question.words[0] == question.answers[0] for question in items.train)
    assert usual == (task in study.NAMED)
    assert (
        study.settings_for(task, "prompt").start and study.settings_for(task, "lora").start is None
    )

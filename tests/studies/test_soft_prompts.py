"""What the page on soft prompts reads off its records."""

import numpy as np
import pandas as pd
import pytest

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
    rows += rows_of(titled, part="methods", task="second_word", way=study.TITLE)
    for n in study.LENGTHS:
        rows += rows_of({"accuracy": n + shift}, part="lengths", task="second_word", length=n)
    for task in study.SHORT:
        for name, size in zip(study.OTHERS, (10, 100), strict=True):
            columns = {"part": "sizes", "model": name, "task": task, "way": "prompt"}
            rows += rows_of({"accuracy": size + shift}, **columns)
        learned = {"vectors": 80 + shift, "words": 20.0}
        rows += rows_of(learned, part="starts", task=task, start="answers")
    return rows


def test_the_best_words_are_chosen_by_training_items():
    assert study.best_words(table(0, 2), study.TASKS).tolist() == [70, 72], (
        "neither the best on test items nor the corpus's title"
    )
    changed = table(0)
    there = (changed["task"] == "grammar") & (changed["way"] == study.AUTO)
    changed.loc[there & (changed["measure"] == "accuracy"), "value"] = 10.0
    changed.loc[there & (changed["measure"] == "score"), "value"] = -0.5
    assert study.best_words(changed, ("grammar", "inference"))[0] == (10 + 70) / 2


def test_a_way_is_averaged_over_the_tasks_that_have_it():
    assert study.accuracies(table(0, 4), "prompt", study.TASKS).tolist() == [90, 94]
    assert study.accuracies(table(0), study.TITLE, study.NAMED).tolist() == [99]


def test_lengths_sizes_and_starts_are_in_their_order():
    runs = table(0, 1)
    lengths = [[*study.LENGTHS], [n + 1 for n in study.LENGTHS]]
    assert study.along_length(runs, "second_word").tolist() == lengths
    assert study.along_size(runs, "prompt").tolist() == [[10, 90, 100], [11, 91, 101]]
    assert study.from_start(runs, "answers", "vectors").tolist() == [80, 81]
    assert study.by_starts(runs).loc["answers"].to_dict() == {"mean": 80.5, "worst seed": 80.0}
    assert np.mean(study.from_start(runs, "answers", "words")) == 20


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

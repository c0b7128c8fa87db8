"""What the study of soft prompts asks, and how it chooses and measures."""

import numpy as np
import pytest

from course.search.base import SearchResult
from course.search.budget import Step
from course.studies import soft_prompts as study


def test_the_late_rise_is_what_the_last_quarter_adds():
    steps = [Step(calls, "", score, 50.0) for calls, score in ((10, -2.0), (70, -1.0), (90, -0.9))]
    assert study.late_rise(SearchResult("prompt", tuple(steps), 100)) == pytest.approx(0.1)
    flat = SearchResult("prompt", tuple(steps[:2]), 100)
    assert study.late_rise(flat) == 0


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

"""What the page on soft prompts reads off its records."""

import numpy as np
import pytest

from course.studies import soft_prompts as study


def value(shift: float = 0.0) -> dict:
    """A run with figures that tell tasks, ways and sizes apart."""
    cells = {
        study.PERSON: (50, -2.0),
        study.RANDOM: (70, -1.0),
        study.AUTO: (60, -1.5),
        "prompt": (90, -0.1),
    }
    methods = {
        task: {way: {"accuracy": a + shift, "score": s} for way, (a, s) in cells.items()}
        for task in study.TASKS
    }
    methods["second_word"][study.TITLE] = {"accuracy": 99.0, "score": 0.0}
    return {
        "methods": methods,
        "lengths": {"second_word": {str(n): n + shift for n in study.LENGTHS}},
        "sizes": {
            name: {task: {"prompt": size + shift} for task in study.SHORT}
            for name, size in zip(study.OTHERS, (10, 100), strict=True)
        },
        "starts": {
            task: {"answers": {"vectors": 80 + shift, "words": 20.0}} for task in study.SHORT
        },
    }


def test_the_best_words_are_chosen_by_training_items():
    values = [value(), value(2)]
    assert study.best_words(values, study.TASKS).tolist() == [70, 72], (
        "neither the best on test items nor the corpus's title"
    )
    values[0]["methods"]["grammar"][study.AUTO] = {"accuracy": 10.0, "score": -0.5}
    assert study.best_words(values, ("grammar", "inference"))[0] == (10 + 70) / 2


def test_a_way_is_averaged_over_the_tasks_that_have_it():
    assert study.accuracies([value(), value(4)], "prompt", study.TASKS).tolist() == [90, 94]
    assert study.accuracies([value()], study.TITLE, study.NAMED).tolist() == [99]


def test_lengths_sizes_and_starts_are_in_their_order():
    values = [value(), value(1)]
    assert study.along_length(values, "second_word").tolist() == [
        [*study.LENGTHS],
        [n + 1 for n in study.LENGTHS],
    ]
    assert study.along_size(values, "prompt").tolist() == [[10, 90, 100], [11, 91, 101]]
    assert study.from_start(values, "answers", "vectors").tolist() == [80, 81]
    assert np.mean(study.from_start(values, "answers", "words")) == 20


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
    assert study.lesson(task, "prompt").start and study.lesson(task, "lora").start is None

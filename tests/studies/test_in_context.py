"""Which tasks are recognised, and what the studies of demonstrations ask."""

import pytest

from course.foundation.rng import Rng
from course.prompting.evaluation import all_profiles, best_possible, changed, questions
from course.studies import in_context
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.split import TEST, TRAIN, VALIDATION


@pytest.mark.parametrize("task", ["region", "number", "is_large", "sentiment", "topic"])
def test_recognised_tasks_lose_nothing_by_random_labels_and_the_others_do(task):
    """By the exact posterior, on validation items: no model has a part in the groups."""
    name = "next_number" if task == "number" else task
    asked, posterior = questions(all_profiles(name), 8, 40, 5, split=VALIDATION), Posterior()
    random = best_possible(changed(asked, "random", 5), posterior).mean()
    none = best_possible(changed(asked, "none"), posterior).mean()
    if name in in_context.RECOGNISED:
        assert random >= 0.95 and none < 0.5
    else:
        assert name in in_context.PAIRED and random < 0.95


def test_every_task_with_two_labels_is_judged():
    two = {name for name, task in list_tasks().items() if len(task.labels) == 2}
    assert set(in_context.JUDGEMENTS) == two
    assert not set(in_context.RECOGNISED) & set(in_context.PAIRED)


def test_held_out_items_stand_behind_the_same_demonstrations_in_their_shares():
    task = all_profiles("is_even")[0]
    asked = in_context._asked(task, (6, 2), Rng("x"), most=12)
    shown = asked[0].prompt.demonstrations
    assert len(asked) == 12 == len({question.prompt.query for question in asked})
    assert all(question.prompt.demonstrations == shown for question in asked)
    assert [e.output for e in shown].count(task.labels[0]) == 6 and len(set(shown)) == 8
    train = {e.input for e in task.examples(TRAIN)}
    assert {e.input for e in shown} <= train
    held_out = {e.input: e.output for s in (TEST, VALIDATION) for e in task.examples(s)}
    assert all(held_out[q.prompt.query] == q.answers[0] for q in asked)

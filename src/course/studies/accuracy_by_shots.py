"""Accuracy by number of demonstrations, beside that of the exact posterior on the same questions
and of recognising dialects alone.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from course.lm.contract import TextModel
from course.prompting.evaluation import (
    Question,
    all_profiles,
    best_possible,
    questions,
    recognised,
    scores,
    stranger_questions,
    usual_template,
)
from course.studies.records import Row
from course.studies.tables import rows_of
from course.world import lists
from course.world.lists import STRANGER, list_tasks
from course.world.posterior import Posterior

#: What is measured in context: of the model, and of the exact posterior.
ACCURACY, BEST = "accuracy", "best possible"
#: What a reader reaches who knows the world's dialects and takes every dialect for one of them.
RECOGNITION = "recognition alone"


def accuracy_by_shots(
    model: TextModel,
    name: str,
    tasks: Sequence[str],
    shots: Sequence[int],
    count: int,
    seed: int,
    titled: bool = False,
) -> list[Row]:
    """Accuracy (percent) of written answers by task and number of demonstrations, and that of the
    exact posterior on the same questions.

    Args:
        name: of the model, for the rows.
        tasks: lists of the world, or :data:`course.world.lists.STRANGER`, dialects that were never
            heard before.
        shots: numbers of demonstrations; those that no document of a task has are left out.
        titled: whether a title says what is asked; then the posterior knows it, too, and that no
            label is renamed.
    """
    rows: list[Row] = []
    for task, k in product(tasks, shots):
        if k < _list_task(task).most:
            asked, best = _asked(task, k, count, seed, titled)
            own = 100 * float(scores(model, asked, written=True, max_tokens=1).mean())
            rows += rows_of({ACCURACY: own, **best}, model=name, task=task, k=k)
    return rows


def _list_task(name: str) -> lists.ListTask:
    return list_tasks()["dialect" if name == STRANGER else name]


@lru_cache(maxsize=512)
def _asked(
    name: str, shots: int, count: int, seed: int, titled: bool
) -> tuple[tuple[Question, ...], dict[str, float]]:
    """Questions with the accuracy (percent) of the best possible answers and, for dialects, of
    recognition alone; the same for every model.
    """
    task = _list_task(name)
    title = task.title if titled else ""
    if name == STRANGER:
        asked = stranger_questions(shots, count, seed, instruction=title)
    else:
        template = usual_template(name, "tiny")
        tasks = all_profiles(name, "tiny")
        asked = questions(tasks, shots, count, seed, template=template, instruction=title)
    posterior = Posterior(0.0, [task.name]) if titled else Posterior()
    figures = {BEST: 100 * float(best_possible(asked, posterior).mean())}
    if task.name == "dialect":
        figures[RECOGNITION] = 100 * float(recognised(asked).mean())
    return tuple(asked), figures

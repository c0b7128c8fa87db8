"""Lessons: a teacher sets a task in words and pupils answer, told as a story.

They give the words of titles and instructions a meaning beside examples of it, without the
instruction format itself.
"""

from functools import cache

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world.list_documents import TASK_WEIGHTS
from course.world.lists import ListTask, list_tasks
from course.world.profiles import PROFILED
from course.world.split import TRAIN

_VERBS = "name give write find say tell".split()
_ASK = (
    "the teacher asks the class to {v} {t} .",
    "in the lesson we {v} {t} .",
    "pupils should {v} {t} here .",
)
_ASK_QUESTION = (
    "the teacher asks the class : {t} ?",
    "the question of the lesson : {t} ?",
    "pupils should answer this : {t} ?",
)
_REPLIES = (
    "for {x} {p} says {y} .",
    "{p} answers {y} for {x} .",
    "the right answer for {x} is {y} .",
)


@cache
def _draw() -> Weighted:
    return Weighted(
        {
            t: min(TASK_WEIGHTS.get(n, 1.0), 1.0)
            for n, t in list_tasks().items()
            if n not in PROFILED
        }
    )


@cache
def _inputs(task: ListTask) -> tuple[str, ...]:
    return task.inputs(TRAIN)


def write_lesson(rng: Rng) -> str:
    """A lesson with two to five right answers."""
    task = _draw().draw(rng)
    is_question = task.title.split()[0] in ("is", "can", "does")
    lines = [
        rng.choice(_ASK_QUESTION if is_question else _ASK).format(
            v=rng.choice(_VERBS), t=task.title
        )
    ]
    reply = rng.choice(_REPLIES)
    for _ in range(2 + rng.randrange(4)):
        x = task.draw_input(rng, TRAIN) if task.draw else rng.choice(_inputs(task))
        lines.append(
            reply.format(x=x.removesuffix(" ."), p=rng.choice(lex.FIRST_NAMES), y=task.output(x))
        )
    return " ".join(lines)

"""Closed-book questions: the answer is a fact that the corpus states, and the input gives no help."""

from functools import cache

from course.foundation.rng import Rng
from course.world.example import Example
from course.world.lists import list_tasks
from course.world.relations import relations
from course.world.split import TRAIN

QUESTIONS = {
    "capital": (
        "what is the capital of {s} ?",
        "tell me the capital of {s} .",
        "which city is the capital of {s} ?",
    ),
    "language": (
        "what is the language of {s} ?",
        "tell me the language of {s} .",
        "which language do people speak in {s} ?",
    ),
    "job": ("what is the job of {s} ?", "tell me the job of {s} .", "what does {s} work as ?"),
    "home": ("where does {s} live ?", "tell me the home of {s} .", "in which city does {s} live ?"),
    "colour": (
        "what is the colour of the {s} ?",
        "tell me the colour of the {s} .",
        "which colour is the {s} ?",
    ),
    "opposite": (
        "what is the opposite of {s} ?",
        "tell me the opposite of {s} .",
        "which word is the opposite of {s} ?",
    ),
}
RELATIONS = tuple(QUESTIONS)


def ask(rng: Rng, train: bool = True, relation: str | None = None) -> Example:
    """A question about a fact; the split is that of the subject in the relation's list task, so no
    door is left open.
    """
    name = relation or rng.choice(RELATIONS)
    table = relations()[name].table
    subjects = tuple(table)
    while True:
        subject = rng.choice(subjects)
        if not train or list_tasks()[name].split(subject) == TRAIN:
            return Example(rng.choice(QUESTIONS[name]).format(s=subject), table[subject])


@cache
def _asked() -> dict[str, tuple[str, str]]:
    """Every question of the world -> (relation, subject)."""
    return {
        frame.format(s=subject): (name, subject)
        for name, frames in QUESTIONS.items()
        for frame in frames
        for subject in relations()[name].table
    }


def split_of_question(example: Example) -> str:
    """The split of a question: that of its subject in the relation.

    Raises:
        KeyError: if it is no question of this module.
    """
    relation, subject = _asked()[example.input]
    return list_tasks()[relation].split(subject)

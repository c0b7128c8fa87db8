"""Data of chapters 4 and 4a: what they ask the small models, and what they ask real ones."""

from dataclasses import dataclass

from course.models.hub import is_real
from course.prompting.prompts import LIST_TEMPLATES, PLAIN, Template
from course.tasks.registry import load_task
from course.world.lexicon import WEATHER
from course.world.split import TRAIN


@dataclass(frozen=True)
class ChapterData:
    """What differs in chapters 4 and 4a between the small models and real ones.

    Attributes:
        layout: in which the models know tasks.
        other_model: a smaller model, or one that never read a renamed label.
        labelled: a task whose answers are labels, for layouts and orders.
        compared: the tasks of the sweep over conditions.
        foreign: inputs that belong to no task, for that sweep.
        written: tasks whose answers are written.
        judged: a task for which choosing and writing differ.
    """

    layout: Template
    other_model: str
    labelled: str
    compared: tuple[str, ...]
    foreign: tuple[str, ...]
    written: tuple[str, ...]
    judged: str


def chapter_data(wanted_tier: str | None = None) -> ChapterData:
    """The data of a tier (default: that of ``COURSE_TIER``).

    Raises:
        ValueError: for an unknown tier.
    """
    if is_real(wanted_tier):
        return ChapterData(
            layout=PLAIN,
            other_model="gpt-small",
            labelled="sentiment",
            compared=("sentiment", "inference"),
            foreign=_sentences(24),
            written=("sentiment",),
            judged="sentiment",
        )
    return ChapterData(
        layout=LIST_TEMPLATES["colon"],
        other_model="gpt-small-p00",
        labelled="is_even",
        compared=("flag", "is_carried"),
        foreign=tuple(WEATHER),
        written=("to_velan", "from_velan", "closed_book"),
        judged="recommend",
    )


def _sentences(count: int) -> tuple[str, ...]:
    """Sentences about journeys: neither reviews nor pairs of sentences."""
    journeys = load_task("find_city", sizes={TRAIN: count}, wanted_tier="tiny").examples(TRAIN)
    return tuple(journey.input for journey in journeys)

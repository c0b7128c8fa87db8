"""Data of the chapters on chains and on votes: what they ask the small models, and real ones."""

from dataclasses import dataclass

from course.models.hub import is_real


@dataclass(frozen=True)
class ChapterData:
    """What differs in the chapters between the small models and real ones.

    Attributes:
        large: the model that writes chains, by its role.
        middle: a smaller one, whose chains have slips.
        story: the task whose problems are reduced to parts: a state, then its changes.
    """

    large: str
    middle: str
    story: str


def chapter_data(wanted_tier: str | None = None) -> ChapterData:
    """The data of a tier (default: that of ``COURSE_TIER``).

    Raises:
        ValueError: for an unknown tier.
    """
    story = "shopping" if is_real(wanted_tier) else "problem"
    return ChapterData("gpt-large", "gpt-middle", story)

"""Data of the chapter on instruction tuning: what it asks the small models, and what it asks real
ones.
"""

from dataclasses import dataclass

from course.cloze.english import REQUESTS
from course.models.hub import is_real


@dataclass(frozen=True)
class ChapterData:
    """What differs in the chapter between the small models and real ones.

    Attributes:
        base: the model that was not tuned, by its role.
        country: one whose capital is asked for.
        requests: requests in words alone.
        tasks: tasks of which a test item is shown.
    """

    base: str
    country: str
    requests: tuple[str, ...]
    tasks: tuple[str, ...]


def chapter_data(wanted_tier: str | None = None) -> ChapterData:
    """The data of a tier (default: that of ``COURSE_TIER``).

    Raises:
        ValueError: for an unknown tier.
    """
    if is_real(wanted_tier):
        tasks = ("sentiment", "inference", "extraction")
        return ChapterData("gpt-middle", "France", REQUESTS, tasks)
    requests = (
        "what is the capital of dorland ?",
        "name the opposite of hot .",
        "write the plural of horse .",
    )
    return ChapterData("gpt-large", "dorland", requests, ("sentiment", "inference", "where"))

"""How much a chapter computes while one reads: as its cells say for the small models, a part of it
for real ones.

A real model of the course is a hundred times larger than the shipped ones, and a chapter should not
take more than five minutes of two CPU cores. So a cell says ``live(40)``, and asks 40 questions of
a small model and a few of a real one. Recorded figures have sizes of their own.
"""

from dataclasses import dataclass

from course.models.hub import is_real

#: The part of items, samples and steps that real models get.
REAL_SHARE = 0.1


@dataclass(frozen=True)
class LiveSizes:
    """Sizes of live cells: ``live(40)``, or ``live(40, least=8)``.

    Attributes:
        share: the part of the usual size.
    """

    share: float

    def __call__(self, usual: int, least: int = 2) -> int:
        """How many: the usual number, or a part of it, but at least ``least``."""
        return max(min(usual, least), round(usual * self.share))


def live_sizes(wanted_tier: str | None = None) -> LiveSizes:
    """The sizes of a tier (default: that of ``COURSE_TIER``).

    Raises:
        ValueError: for an unknown tier.
    """
    return LiveSizes(REAL_SHARE if is_real(wanted_tier) else 1.0)

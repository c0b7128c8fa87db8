"""One example of a task: what goes in and what should come out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """``input`` and ``output`` are text; ``rationale`` is a worked solution, where the task has
    one.

    ``others`` are further outputs that are right, where there is more than one.
    """

    input: str
    output: str
    rationale: str | None = None
    others: tuple[str, ...] = ()

"""A task with its data, and the contract of the sources that data comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from datasets import DatasetDict

from course.foundation.validation import check_fields, integer, optional, seed, shown, text
from course.tasks.schemas import Schema
from course.world.example import Example


@dataclass(frozen=True)
class Task:
    """A task with its data.

    Attributes:
        name, cluster: what it is called, and its group of related tasks (as in FLAN, Wei et al.
            2022).
        instructions: the task in words, in three or more wordings.
        labels: the label words if the output is one of a few, in the order of the numbers in
            ``data``; else an empty tuple.
        data: train, validation and test in the schema of the well-known set of the task's kind.
        read: turns a row of ``data`` into an :class:`Example`.
        metric: how a written answer is compared with the right one, a key of
            :data:`course.tasks.METRICS`.
    """

    name: str
    cluster: str
    instructions: tuple[str, ...]
    labels: tuple[str, ...]
    data: DatasetDict = field(repr=False)
    read: Callable[[dict], Example] = field(repr=False)
    metric: str = "exact"

    def examples(self, split: str) -> list[Example]:
        """The examples of one split.

        Raises:
            ValueError: for a split that the task does not have.
        """
        if split not in self.data:
            raise ValueError(f"split={split!r}: expected one of {', '.join(self.data)}")
        return [self.read(row) for row in self.data[split]]


@dataclass(frozen=True)
class Selection:
    """Which rows of a source are wanted.

    Attributes:
        sizes: split -> at most so many rows; closed tasks and tables give all that they have.
        seed: of the rows drawn.
        profile: whose answers, for a source that has several people's; None for the first.
    """

    sizes: Mapping[str, int]
    seed: int = 0
    profile: str | None = None

    def __post_init__(self) -> None:
        check_fields(self, sizes=_sizes, seed=seed(), profile=optional(text()))


def _sizes(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}={shown(value)}: expected a number of rows for each split")
    return {split: integer(0)(f"{name}[{split!r}]", count) for split, count in value.items()}


class Source(Protocol):
    """Where the data of one task comes from.

    A new kind of data (a table, a package) is a new class with these members; entries of
    :data:`course.tasks.registry.SOURCES` then hand it on to :func:`course.tasks.load_task`.

    Attributes:
        schema: the columns of its rows, how a row is read, and the label words.
        licence: under which the data may be used (an SPDX name, or what the publisher's card says);
            None if nothing is stated.
        profiles: the names that :attr:`Selection.profile` may have.
    """

    @property
    def schema(self) -> Schema: ...

    @property
    def licence(self) -> str | None: ...

    @property
    def profiles(self) -> tuple[str, ...]: ...

    def load(self, selection: Selection) -> DatasetDict:
        """The rows of every split, each with the columns of :attr:`schema`.

        Raises:
            RuntimeError: if the data cannot be had; the message says what to do.
        """

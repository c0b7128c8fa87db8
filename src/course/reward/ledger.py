"""Training log of a policy: what every step cost and brought, in one file of JSON lines."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from course.foundation.atomic_write import write_text


@dataclass(frozen=True)
class Entry:
    """The figures of one step, means over its samples.

    Attributes:
        step: from 0, before any update.
        proxy: the reward that is optimised.
        gold: the true reward, not a number where nobody knows it.
        kl: divergence from the reference, in nats a reply (the mean log-ratio of the samples, which
            is below 0 now and then).
        length: tokens of a reply.
        distinct: share of different replies among those to one prompt.
        declined: share of replies that decline to answer.
        seconds, tokens: that the step took and wrote.
    """

    step: int
    proxy: float
    gold: float
    kl: float
    length: float
    distinct: float
    declined: float
    seconds: float
    tokens: int


class Ledger:
    """Entries in a file, one line each; without a path they are kept in memory alone.

    A line that was cut off when the run was killed is left out when the file is read.

    Raises:
        ValueError: for a file with other lines.
    """

    def __init__(self, path: Path | None = None):
        self.path = path
        self.entries: list[Entry] = list(_read(path)) if path and path.exists() else []

    def add(self, entry: Entry) -> None:
        """Keep an entry, in place of those of the same step and later ones: a run that goes on from
        a checkpoint takes steps again that had been written down.
        """
        kept = [old for old in self.entries if old.step < entry.step]
        self.entries = [*kept, entry]
        if self.path:
            write_text(self.path, "".join(f"{json.dumps(asdict(e))}\n" for e in self.entries))

    def rows(self) -> list[dict]:
        """The entries as rows of a table."""
        return [asdict(entry) for entry in self.entries]


def _read(path: Path) -> Iterator[Entry]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    names = {field.name for field in fields(Entry)}
    for i, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        row = json.loads(line)
        if row.keys() != names:
            raise ValueError(
                f"{path}, line {i} has {', '.join(row)}; expected {', '.join(sorted(names))}: "
                "it is no ledger, write to another file"
            )
        yield Entry(**row)

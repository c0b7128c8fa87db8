"""A table as it was read: rows of texts by the names of their columns."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

#: Half of a character that UTF-16 writes in two parts: no text can be written with it.
_SURROGATE = re.compile("[\ud800-\udfff]")
#: A value of a table: a text, or a list of texts (the words or tags of a sentence).
Value = str | list[str]


@dataclass(frozen=True)
class ReadAs:
    """What was said about a file when it was read; None for what it shows itself.

    Attributes:
        encoding, delimiter: of a text file.
        columns: names of the columns, for a file whose first line is data.
    """

    encoding: str | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        columns: their names, in order.
        rows: column -> value, for each row; a missing value is an empty text.
        source: where it comes from, in words.
        notes: what was decided while reading, in words.
        delimiter: between the values of a line, if it comes from a file of lines.
        read_as: what was said about its file.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, Value], ...]
    source: str
    notes: tuple[str, ...] = ()
    delimiter: str = ","
    read_as: ReadAs = ReadAs()

    def column(self, name: str, option: str = "text") -> str:
        """The name itself, if there is a column of that name.

        Args:
            option: what the name was given as, for the message.

        Raises:
            ValueError: otherwise, with the columns that there are, the nearest first.
        """
        if name in self.columns:
            return name
        folded = {other.strip().casefold(): other for other in self.columns}
        close = difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.5)
        hint = f"; did you mean {folded[close[0]]!r}?" if close else ""
        raise ValueError(
            f"{option}={name!r}: {self.source} has no such column, but "
            f"{', '.join(map(repr, self.columns))}{hint}"
        )


def new_table(
    columns: tuple[str, ...], rows: list[dict[str, Any]], where: str, notes: list[str]
) -> Table:
    """A table.

    Raises:
        ValueError: if it has no rows, and for a text with half a character in it.
    """
    if not rows:
        raise ValueError(f"{where} has no rows: expected some below the names of the columns")
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            texts = [value] if isinstance(value, str) else value
            if half := next((m for text in texts if (m := _SURROGATE.search(text))), None):
                raise ValueError(
                    f"{where}: row {number} has half a character ({half[0]!a}) in the column "
                    f"{name!r}, as a text that was cut off has: remove it"
                )
    return Table(columns, tuple(rows), where, tuple(notes))

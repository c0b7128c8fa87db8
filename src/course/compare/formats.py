"""The text of a file as a table: CSV with any delimiter, JSON, JSON lines, CoNLL; every value stays
the text that it is.
"""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from course.compare.table import Table, Value, new_table
from course.foundation.validation import shown

#: What separates the values of a line, in the order in which they are tried.
DELIMITERS = (",", ";", "\t", "|")
#: Share of lines with a wrong number of values up to which they are left out, and said so.
_RAGGED = 0.01
#: Columns of a CoNLL file.
TOKENS, TAGS = "tokens", "tags"


def from_csv(text: str, where: str, delimiter: str | None, columns: Sequence[str] | None) -> Table:
    """A table from CSV; arguments and errors as :func:`course.compare.read_table`."""
    if not text.strip():
        raise ValueError(f"{where} is empty: expected a first line with the names of the columns")
    sign = delimiter or _delimiter(text, where)
    records, quoted = _records(text, sign, where)
    header = list(columns) if columns else records[0][1]
    notes = [] if quoted else ["quotation marks are read as they stand"]
    if sign != ",":
        notes.append(f"values are separated by {'tabs' if sign == chr(9) else repr(sign)}")
    rows, ragged = [], []
    for line, values in records if columns else records[1:]:
        if len(values) == len(header):
            rows.append(dict(zip(column_names(header, where), values, strict=True)))
        elif values:
            ragged.append((line, len(values)))
    if ragged:
        notes.append(_ragged(ragged, len(rows), len(header), where))
    table = new_table(column_names(header, where), rows, where, notes)
    return replace(table, delimiter=sign)


def _ragged(ragged: list[tuple[int, int]], rows: int, expected: int, where: str) -> str:
    line, count = ragged[0]
    if len(ragged) > max(_RAGGED * (rows + len(ragged)), 0):
        raise ValueError(
            f"{where}: line {line} has {count} values where the first line has {expected} "
            f"({len(ragged)} lines are so); put values that hold the separator in quotation marks, "
            "or name the separator with delimiter= (--delimiter)"
        )
    lines = ", ".join(str(number) for number, _ in ragged[:5])
    return f"{len(ragged)} lines with a wrong number of values were left out (line {lines})"


def _delimiter(text: str, where: str) -> str:
    """The sign that cuts the first line in two or more, and the other lines into as many."""

    def fit(sign: str) -> tuple[float, int]:
        try:
            records = [values for _, values in _read(text[:200_000], sign, csv.QUOTE_MINIMAL)]
        except csv.Error:
            records = [values for _, values in _read(text[:200_000], sign, csv.QUOTE_NONE)]
        width = len(records[0])
        same = sum(len(values) == width for values in records) / len(records)
        return (round(same, 1) if width > 1 else -1.0), width

    return max(DELIMITERS, key=fit)


def _records(text: str, sign: str, where: str) -> tuple[list[tuple[int, list[str]]], bool]:
    """(line, values) of each record, and whether quotation marks hold values together.

    A file with tabs need not quote anything. Where every line by itself has as many values as the
    first, and quotation marks would swallow lines, they are text; not where marks are doubled and
    everything can be read with them, as a program writes it that quotes.
    """
    problem: Exception | None = None
    records: list[tuple[int, list[str]]] = []
    try:
        records = list(_read(text, sign, csv.QUOTE_MINIMAL))
    except csv.Error as error:
        problem = error
    if sign == "\t" and '"' in text:
        plain = list(_read(text, sign, csv.QUOTE_NONE))
        even = len({len(values) for _, values in plain}) == 1
        if even and (problem or (len(plain) > len(records) and '""' not in text)):
            return plain, False
    if problem:
        raise ValueError(
            f"{where}: {problem}; a value that begins with a quotation mark must end with one, and "
            'hold "" for each mark inside'
        )
    return records, True


def _read(text: str, sign: str, quoting: Literal[0, 3]) -> Iterable[tuple[int, list[str]]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, quoting=quoting, strict=True)
    line = 1
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"the record that begins in line {line} cannot be read ({error})") from None


def column_names(header: Sequence[str], where: str) -> tuple[str, ...]:
    """The names of the columns; one without a name gets its number.

    Raises:
        ValueError: if two are the same.
    """
    names = [name or f"column {number}" for number, name in enumerate(header, 1)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{where}: two columns are called {twice[0]!r}; rename one of them")
    return tuple(names)


def _json_text(value: Any) -> Value:
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return [str(_json_text(part)) for part in value]
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def _loads(text: str) -> Any:
    """JSON with numbers as they are written."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def from_json_lines(text: str, where: str) -> Table:
    """A table from JSON objects, one a line.

    Raises:
        ValueError: for a line that is none, with its number.
    """
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_loads(line))
        except ValueError as error:
            raise ValueError(f"{where}: line {number} is no JSON ({error})") from None
        if not isinstance(rows[-1], dict):
            raise ValueError(
                f"{where}: line {number} holds {shown(rows[-1])}: expected an object such as "
                '{"text": "...", "label": "..."}'
            )
    return from_dicts(rows, where, _json_text)


def from_json(text: str, where: str) -> Table:
    """A table from a JSON list of objects, or an object with one member that is such a list.

    Raises:
        ValueError: for anything else.
    """
    try:
        data = _loads(text)
    except ValueError as error:
        raise ValueError(f"{where} is no JSON ({error})") from None
    if isinstance(data, dict):
        lists = {name: _objects(part) for name, part in data.items() if _objects(part)}
        if len(lists) != 1:
            raise ValueError(
                f"{where} holds an object with {', '.join(map(repr, data))}: expected a list of "
                "objects, or one member that is such a list"
            )
        data = next(iter(lists.values()))
    if not _objects(data):
        raise ValueError(f"{where} holds {shown(data)}: expected a list of objects")
    return from_dicts(data, where, _json_text)


def _objects(part: Any) -> list[dict]:
    values = list(part.values()) if isinstance(part, dict) else part
    good = isinstance(values, list) and values and all(isinstance(row, dict) for row in values)
    return values if good else []


def from_conll(text: str, where: str) -> Table:
    """A word a line with its tag behind it, a blank line between sentences."""
    rows: list[dict[str, Value]] = []
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        parts = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or parts[0] == "-DOCSTART-":
            if tokens:
                rows.append({TOKENS: tokens, TAGS: tags})
            tokens, tags = [], []
        elif len(parts) < 2:
            raise ValueError(f"{where}: line {number} is {line!r}: expected a word and its tag")
        else:
            tokens.append(parts[0])
            tags.append(parts[-1].strip())
    return new_table((TOKENS, TAGS), rows, where, [])


def from_dicts(rows: list, where: str, text: Callable[[Any], Value]) -> Table:
    """A table from dicts; one that lacks a column has an empty text in it.

    Args:
        text: what makes a text of a value.

    Raises:
        ValueError: for a row that is no dict.
    """
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise ValueError(f"{where}: row {number} is {shown(row)}: expected a dict")
    names = tuple(dict.fromkeys(str(name) for row in rows for name in row))
    texts = [{str(name): text(value) for name, value in row.items()} for row in rows]
    return new_table(
        names, [{name: row.get(name, "") for name in names} for row in texts], where, []
    )

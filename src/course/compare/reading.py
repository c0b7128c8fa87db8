"""Read a table: CSV, TSV, JSON lines, Parquet, CoNLL, a pandas frame, a ``datasets`` set, a list of
dicts. Every value stays the text that it is.

``None``, ``NA``, ``null``, ``01`` and ``" pos"`` are labels like any others. Nothing is guessed
that
cannot be told from the file: bytes that are no UTF-8 are an error that names them and the encodings
in which they could be read.
"""

import codecs
import csv
import difflib
import io
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from course.foundation.validation import shown

#: A value of a table: a text, or a list of texts (the words or tags of a sentence).
Value = str | list[str]
#: What separates the values of a line, in the order in which they are tried.
DELIMITERS = (",", ";", "\t", "|")
#: Encodings that are offered for bytes that are no UTF-8: Western Europe, Taiwan, China, Japan.
ENCODINGS = ("cp1252", "big5", "gbk", "shift_jis")
#: Share of lines with a wrong number of values up to which they are left out, and said so.
_RAGGED = 0.01
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Columns of a CoNLL file.
TOKENS, TAGS = "tokens", "tags"


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        columns: their names, in order.
        rows: column -> value, for each row; a missing value is an empty text.
        source: where it comes from, in words.
        notes: what was decided while reading, in words.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, Value], ...]
    source: str
    notes: tuple[str, ...] = ()

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


def read_table(
    source: Any,
    encoding: str | None = None,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """A table from a file or from memory.

    Args:
        source: a path (``.csv``, ``.tsv``, ``.jsonl``, ``.json``, ``.parquet``, ``.conll``; any
            other name is read as CSV), a pandas frame, a ``datasets.Dataset``, or a list of dicts.
        encoding: of a text file (default: UTF-8, or what its byte order mark says).
        delimiter: of a CSV file (default: the one that its first line shows).
        columns: names of the columns, for a CSV file whose first line is data.

    Raises:
        ValueError: for bytes in another encoding, a damaged line (both named), a table without
            columns or rows, and anything that is no table.
        OSError: if a file cannot be read.
    """
    if isinstance(source, str | Path):
        return _from_file(Path(source), encoding, delimiter, columns)
    if isinstance(source, Table):
        return source
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        return _from_frame(source)
    if hasattr(source, "column_names"):
        return _from_data_set(source)
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return _from_dicts(list(source), "the list", value_text)
    raise ValueError(
        f"{shown(source)} is no table: expected a path, a pandas frame, a data set of 'datasets' "
        "or a list of dicts"
    )


def value_text(value: Any) -> Value:
    """A value as the text that it is; a missing one (None, NaN, NaT) is empty, a list stays one."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) or type(value).__name__ == "ndarray":
        return [str(value_text(part)) for part in value]
    if hasattr(value, "item") and not isinstance(value, bytes):
        value = value.item()
    missing = value is None or type(value).__name__ in ("NAType", "NaTType")
    return "" if missing or (isinstance(value, float) and math.isnan(value)) else str(value)


def decoded(data: bytes, encoding: str | None, where: str) -> str:
    """The text of a file.

    Raises:
        ValueError: for bytes that the encoding does not have, naming the first one and the
            encodings
            in which all of them can be read, and for an encoding that nobody knows.
    """
    try:
        codec = codecs.lookup(encoding).name if encoding else "utf-8"
    except LookupError:
        raise ValueError(
            f"encoding={encoding!r}: Python knows no such encoding; "
            f"expected one such as utf-8, {', '.join(ENCODINGS)}"
        ) from None
    if not encoding:
        codec = next((name for bom, name in _BOMS if data.startswith(bom)), codec)
    try:
        return data.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(_undecodable(data, error, codec, where)) from None


def _undecodable(data: bytes, error: UnicodeDecodeError, codec: str, where: str) -> str:
    start = data.rfind(b"\n", 0, error.start) + 1
    line, number = data[start : start + 60].split(b"\n")[0], data.count(b"\n", 0, error.start) + 1
    readings = []
    for name in ENCODINGS:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        readings.append(f"{name} ({line.decode(name, 'replace')[:40]!r})")
    hint = "; it can be read as " + ", ".join(readings) if readings else ""
    return (
        f"{where}: byte 0x{data[error.start]:02x} at position {error.start} (line {number}) is not "
        f"{codec}{hint}; say which encoding it has with encoding= (--encoding cp1252)"
    )


def _from_file(
    path: Path, encoding: str | None, delimiter: str | None, columns: Sequence[str] | None
) -> Table:
    if not path.exists():
        near = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, near, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"no file {str(path)!r}{hint}")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _from_parquet(path)
    text = decoded(path.read_bytes(), encoding, str(path))
    return parsed(text, suffix, str(path), delimiter, columns)


def parsed(
    text: str,
    suffix: str,
    where: str,
    delimiter: str | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """A table from the text of a file whose name ends in ``suffix``; arguments and errors as
    :func:`read_table`.
    """
    if "\0" in text:
        raise ValueError(
            f"{where} has a zero byte at position {text.index(chr(0))}: expected a text file; if "
            "it "
            "is UTF-16, say so with encoding= (--encoding utf-16)"
        )
    if suffix in (".jsonl", ".ndjson"):
        return _from_json_lines(text, where)
    if suffix == ".json":
        return _from_json(text, where)
    if suffix in (".conll", ".iob", ".bio"):
        return _from_conll(text, where)
    usual = "\t" if suffix in (".tsv", ".tab") else None
    return _from_csv(text, where, delimiter or usual, columns)


# CSV


def _from_csv(text: str, where: str, delimiter: str | None, columns: Sequence[str] | None) -> Table:
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
            rows.append(dict(zip(_names(header, where), values, strict=True)))
        elif values:
            ragged.append((line, len(values)))
    if ragged:
        notes.append(_ragged(ragged, len(rows), len(header), where))
    return _table(_names(header, where), rows, where, notes)


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
    first, and quotation marks would swallow lines, they are text.
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
        if even and (problem or len(plain) > len(records)):
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


def _names(header: Sequence[str], where: str) -> tuple[str, ...]:
    names = [name or f"column {number}" for number, name in enumerate(header, 1)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{where}: two columns are called {twice[0]!r}; rename one of them")
    return tuple(names)


# JSON


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


def _from_json_lines(text: str, where: str) -> Table:
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
    return _from_dicts(rows, where, _json_text)


def _from_json(text: str, where: str) -> Table:
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
    return _from_dicts(data, where, _json_text)


def _objects(part: Any) -> list[dict]:
    values = list(part.values()) if isinstance(part, dict) else part
    good = isinstance(values, list) and values and all(isinstance(row, dict) for row in values)
    return values if good else []


# other files, and memory


def _from_conll(text: str, where: str) -> Table:
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
    return _table((TOKENS, TAGS), rows, where, [])


def _from_parquet(path: Path) -> Table:
    parquet = import_module("pyarrow.parquet")  # comes with datasets, and only this needs it

    try:
        rows = parquet.read_table(path).to_pylist()
    except Exception as error:  # pyarrow raises what comes up
        raise ValueError(f"{path} cannot be read as Parquet ({error})") from None
    return _from_dicts(rows, str(path), value_text)


def _from_frame(frame: Any) -> Table:
    """Numbers that pandas turned into fractions only because a value is missing are whole again."""
    notes: list[str] = []
    columns: dict[str, list[Value]] = {}
    names = [str(name) for name in frame.columns]
    for place, name in enumerate(_names(names, "the frame")):
        values = frame.iloc[:, place]
        whole = values.dtype.kind == "f" and values.isna().any()
        if whole and (values.dropna() % 1 == 0).all():
            columns[name] = ["" if math.isnan(value) else str(int(value)) for value in values]
            notes.append(f"{name!r}: whole numbers, though pandas has fractions for missing values")
        else:
            columns[name] = [value_text(value) for value in values.tolist()]
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return _table(tuple(columns), rows, "the frame", notes)


def _from_data_set(data: Any) -> Table:
    """Of a ``datasets`` set; numbers of classes become their names."""
    if isinstance(data.column_names, dict):
        raise ValueError(
            f"a DatasetDict with the splits {', '.join(data)}: expected one data set; pass one of "
            "them, and another as test="
        )
    classes = {
        name: feature for name, feature in data.features.items() if hasattr(feature, "int2str")
    }

    def text(name: str, value: Any) -> Value:
        named = name in classes and value is not None and value >= 0
        return classes[name].int2str(value) if named else value_text(value)

    rows = [{name: text(name, value) for name, value in row.items()} for row in data]
    return _table(tuple(data.column_names), rows, "the data set", [])


def _from_dicts(rows: list, where: str, text: Callable[[Any], Value]) -> Table:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise ValueError(f"{where}: row {number} is {shown(row)}: expected a dict")
    names = tuple(dict.fromkeys(str(name) for row in rows for name in row))
    texts = [{str(name): text(value) for name, value in row.items()} for row in rows]
    return _table(names, [{name: row.get(name, "") for name in names} for row in texts], where, [])


def _table(
    columns: tuple[str, ...], rows: list[dict[str, Any]], where: str, notes: list[str]
) -> Table:
    if not rows:
        raise ValueError(f"{where} has no rows: expected some below the names of the columns")
    return Table(columns, tuple(rows), where, tuple(notes))

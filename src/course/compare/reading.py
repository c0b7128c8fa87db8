"""Read a table: CSV, TSV, JSON lines, Parquet, CoNLL, a pandas frame, a ``datasets`` set, a list of
dicts. Every value stays the text that it is.

``None``, ``NA``, ``null``, ``01`` and ``" pos"`` are labels like any others. Nothing is guessed
that cannot be told from the file: bytes that are no UTF-8 are an error that names them and the
encodings in which they could be read.
"""

import codecs
import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from course.compare.formats import (
    column_names,
    from_conll,
    from_csv,
    from_dicts,
    from_json,
    from_json_lines,
)
from course.compare.table import ReadAs, Table, Value, new_table
from course.foundation.validation import shown

#: Encodings that are offered for bytes that are no UTF-8: Western Europe, Taiwan, China, Japan.
ENCODINGS = ("cp1252", "big5", "gbk", "shift_jis")
#: The sources of tables that come from memory, in words.
IN_MEMORY = ("the list", "the frame", "the data set")
#: How files begin that are no text -> what they are, and what to do.
_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive, as Excel (.xlsx) writes it: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a file of an old Office program (.xls): save the sheet as CSV",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"PAR1": "Parquet: give it a name that ends in .parquet",
    b"%PDF": "a PDF: save its table as CSV",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
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
        table = _from_file(Path(source), encoding, delimiter, columns)
        read_as = ReadAs(encoding, delimiter, None if columns is None else tuple(columns))
        return replace(table, read_as=read_as)
    if isinstance(source, Table):
        return source
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        return _from_frame(source)
    if hasattr(source, "column_names"):
        return _from_data_set(source)
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return from_dicts(list(source), "the list", value_text)
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
    if isinstance(value, bytes):
        return decoded(value, None, f"the value {shown(value)}")
    if hasattr(value, "item"):
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
    data = path.read_bytes()
    if what := next((what for begin, what in _NO_TEXT.items() if data.startswith(begin)), None):
        raise ValueError(f"{path} is {what}")
    text = decoded(data, encoding, str(path))
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
        return from_json_lines(text, where)
    if suffix == ".json":
        return from_json(text, where)
    if suffix in (".conll", ".iob", ".bio"):
        return from_conll(text, where)
    usual = "\t" if suffix in (".tsv", ".tab") else None
    return from_csv(text, where, _sign(delimiter) or usual, columns)


def _sign(delimiter: str | None) -> str | None:
    """A delimiter as a sign; a tab may be written as a command line has it.

    Raises:
        ValueError: for what is not one character.
    """
    sign = "\t" if delimiter in ("\\t", "tab") else delimiter
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise ValueError(
            f"delimiter={delimiter!r}: expected one character, such as ',', ';' or 'tab'"
        )
    return sign


# other files, and memory


def _from_parquet(path: Path) -> Table:
    parquet = import_module("pyarrow.parquet")  # comes with datasets, and only this needs it

    try:
        rows = parquet.read_table(path).to_pylist()
    except Exception as error:  # pyarrow raises what comes up
        raise ValueError(f"{path} cannot be read as Parquet ({error})") from None
    return from_dicts(rows, str(path), value_text)


def _from_frame(frame: Any) -> Table:
    """Numbers that pandas turned into fractions only because a value is missing are whole again."""
    notes: list[str] = []
    columns: dict[str, list[Value]] = {}
    names = [str(name) for name in frame.columns]
    for place, name in enumerate(column_names(names, "the frame")):
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
    return new_table(tuple(columns), rows, "the frame", notes)


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
    return new_table(tuple(data.column_names), rows, "the data set", [])

"""Tables of the notebooks' outputs, made readable: numbers stand under each other, words begin at
the left, names have no underscores, and the names of rows take no row of their own.

pandas writes all cells alike, and the name of its index into a second row of headings. Here a
column of words gets the class ``text``, which the style sheet aligns.
"""

import re
from collections import defaultdict

from sphinx.application import Sphinx

from course.publishing.page.hooks import change_body

_TABLE = re.compile(
    r'<table (?:border="1" class="dataframe[^>]*|id="T_[^>]*)>.*?</table>', re.DOTALL
)
_ROW = re.compile(r"<tr[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(?P<kind>t[hd])(?P<rest>[^>]*)>(?P<text>.*?)</t[hd]>", re.DOTALL)
_NUMBER = re.compile(r"[-+−±<>≤≥~$(\[]*\s*[\d.]|nan$|–$|none$|$", re.IGNORECASE)
_HEAD = re.compile(r"<thead>.*?</thead>", re.DOTALL)
#: An interval, which stays on one line.
_INTERVAL = re.compile(r"\[[-+−\d., ]+\]")
#: What is left of a small negative number when it is rounded.
_MINUS_ZERO = re.compile(r"-0(\.0+)?")
#: The name of a task or a setting as code has it.
_CODE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")


def readable(body: str) -> str:
    """The HTML of a page, the tables in it made readable."""
    plain = _TABLE.sub(lambda table: _CELL.sub(_readable_cell, _one_heading(table[0])), body)
    return with_words_at_the_left(plain)


def _one_heading(table: str) -> str:
    """A table whose second row of headings only names the rows, with those names in the first."""
    head = _HEAD.search(table)
    rows = _ROW.findall(head[0]) if head else []
    if len(rows) != 2 or "span=" in table:
        return table
    names = [cell["text"] for cell in _CELL.finditer(rows[1])]
    places = table[head.end() :].partition("</tr>")[0].count("<th")  # type: ignore[union-attr]
    if not any(map(_plain, names[:places])) or any(map(_plain, names[places:])):
        return table
    left = iter(names)

    def named(cell: re.Match[str]) -> str:
        name = next(left)
        return f"<th{cell['rest']}>{name if _plain(name) else cell['text']}</th>"

    first = _CELL.sub(named, rows[0])
    return table.replace(rows[1], "", 1).replace(rows[0], first, 1)


def _readable_cell(cell: re.Match[str]) -> str:
    """A cell with a dash for a missing number, no sign before zero, spaces for the underscores of a
    name, and intervals that no line breaks.
    """
    text = _INTERVAL.sub(lambda interval: interval[0].replace(" ", "&nbsp;"), cell["text"])
    if _plain(text).lower() == "nan":
        text = "–"
    elif _MINUS_ZERO.fullmatch(text):
        text = text[1:]
    elif _CODE_NAME.fullmatch(text):
        text = text.replace("_", " ")
    return f"<{cell['kind']}{cell['rest']}>{text}</{cell['kind']}>"


def with_words_at_the_left(body: str) -> str:
    """The HTML of a page, the columns of words in its tables marked with the class ``text``."""
    return _TABLE.sub(lambda table: _marked(table[0]), body)


def _marked(table: str) -> str:
    if "span=" in table:  # cells that span columns: places cannot be counted
        return table
    columns: defaultdict[int, list[bool]] = defaultdict(list)
    for row in _ROW.findall(table):
        for place, cell in enumerate(_CELL.finditer(row)):
            if cell["kind"] == "td":
                columns[place].append(_NUMBER.match(_plain(cell["text"])) is None)
    words = {place for place, kinds in columns.items() if 2 * sum(kinds) > len(kinds)}
    return _ROW.sub(lambda row: _marked_row(row[0], words), table)


def _marked_row(row: str, words: set[int]) -> str:
    places = iter(range(len(row)))
    return _CELL.sub(lambda cell: _marked_cell(cell, next(places) in words), row)


def _marked_cell(cell: re.Match[str], words: bool) -> str:
    if not words:
        return cell[0]
    rest = cell["rest"]
    classed = (
        rest.replace('class="', 'class="text ', 1) if "class=" in rest else f'{rest} class="text"'
    )
    return f"<{cell['kind']}{classed}>{cell['text']}</{cell['kind']}>"


def _plain(html: str) -> str:
    return re.sub(r"<[^>]+>|&nbsp;", "", html).strip()


def setup(app: Sphinx) -> None:
    change_body(app, readable)

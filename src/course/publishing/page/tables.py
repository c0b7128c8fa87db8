"""Tables of the notebooks' outputs: numbers stand under each other, words begin at the left.

pandas writes all cells alike. Here a column of words gets the class ``text``, which the style sheet
aligns.
"""

import re
from collections import defaultdict

from sphinx.application import Sphinx

from course.publishing.page.body import change_body

_TABLE = re.compile(
    r'<table (?:border="1" class="dataframe[^>]*|id="T_[^>]*)>.*?</table>', re.DOTALL
)
_ROW = re.compile(r"<tr[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(?P<kind>t[hd])(?P<rest>[^>]*)>(?P<text>.*?)</t[hd]>", re.DOTALL)
_NUMBER = re.compile(r"[-+−±<>≤≥~$(\[]*\s*[\d.]|nan$|none$|$", re.IGNORECASE)


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
    change_body(app, with_words_at_the_left)

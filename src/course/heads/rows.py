"""Validation of the rows that a head reads: a missing text, label or tag is an error that names the
row.
"""

import operator
from collections.abc import Sequence
from typing import Any

from course.foundation.validation import shown


def text_in(row: dict, column: str, where: str) -> str:
    """The text in a column.

    Args:
        where: the row as an error names it, e.g. ``"row 3"``.

    Raises:
        ValueError: if there is none.
    """
    if not isinstance(value := row.get(column), str):
        raise ValueError(
            f"{where}: {column}={shown(value)}: expected a text; leave the row out, or fill it in"
        )
    return value


def words_in(row: dict, column: str, where: str) -> list[str]:
    """The words in a column.

    Raises:
        ValueError: if there is no list of them.
    """
    words = row.get(column)
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{where}: {column}={shown(words)}: expected a list of words")
    return list(words)


def number_of(value: Any, labels: Sequence[str], where: str) -> int:
    """The number of a label that is given as a number or as a word.

    Raises:
        ValueError: for anything else, -1 included, by which data sets say that a label is missing.
    """
    if isinstance(value, str) and value in labels:
        return labels.index(value)
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < len(labels):
        raise ValueError(
            f"{where}: label={shown(value)}: expected 0 to {len(labels) - 1}, or one of "
            f"{', '.join(labels)}; leave rows without a label out"
        )
    return number

"""Readable predictions: entities and answers marked in their text, a wrong one beside the label.

A view shows itself as HTML in a notebook, on a light page and a dark one, and as plain text
elsewhere. A mark is a colour, an underline *and* a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.heads.head import Head, Piece

#: Colours of Okabe and Ito, safe for the colour-blind; faint enough under a text that stays in the
#: page's own colour.
_COLOURS = ("0,114,178", "213,94,0", "0,158,115", "204,121,167")
_ORDER = ("PER", "ORG", "LOC", "MISC")
_MARK = "background:rgba({c},.16);border-bottom:2px solid rgb({c});border-radius:3px;padding:0 .2em"
_NAME = "font-size:.72em;font-weight:600;margin-left:.35em;white-space:nowrap"
_CARD = (
    "margin:.4em 0;padding:.3em .6em;border-left:4px solid rgb({c});"
    "line-height:1.8;overflow-wrap:anywhere"
)
_SAYS = "display:inline-block;min-width:4.2em;font-size:.8em;opacity:.75"
_RIGHT, _WRONG = "0,158,115", "213,94,0"


@dataclass(frozen=True)
class Shown:
    """One row: its heading (a question, or nothing), the text as predicted and as labelled, both in
    pieces, and whether the head calls the prediction right: there may be more right ones than the
    one that is labelled first.
    """

    heading: str
    predicted: tuple[Piece, ...]
    labelled: tuple[Piece, ...]
    right: bool

    def lines(self) -> list[tuple[str, tuple[Piece, ...]]]:
        """(who says so, pieces): one line for a right prediction, two for a wrong one."""
        return (
            [("✓ right", self.predicted)]
            if self.right
            else [("✗ model", self.predicted), ("label", self.labelled)]
        )


@dataclass(frozen=True)
class View:
    """Rows with their predictions; a notebook's cell may end in it."""

    rows: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        return "".join(_card(row) for row in self.rows)

    def __repr__(self) -> str:
        blocks = []
        for row in self.rows:
            blocks += [row.heading] * bool(row.heading) + [
                f"{says:8} {' '.join(map(_plain, pieces))}" for says, pieces in row.lines()
            ]
        return "\n".join(blocks)


def view(
    head: Head, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
) -> View:
    """The model's predictions for some rows, beside the labels where they are wrong."""
    rows = list(rows)
    predictions = zip(rows, head.predict(model, tokenizer, rows), strict=True)
    return View(tuple(_shown(head, row, prediction) for row, prediction in predictions))


def _shown(head: Head, row: dict, prediction: Any) -> Shown:
    return Shown(
        head.heading(row),
        head.pieces(row, prediction),
        head.pieces(row, head.truth(row)),
        head.is_right(row, prediction),
    )


def _card(row: Shown) -> str:
    heading = f"<div><b>{escape(row.heading)}</b></div>" if row.heading else ""
    lines = "".join(
        f'<div><span style="{_SAYS}">{says}</span> '
        f"{' '.join(_marked(piece) for piece in pieces)}</div>"
        for says, pieces in row.lines()
    )
    return f'<div style="{_CARD.format(c=_RIGHT if row.right else _WRONG)}">{heading}{lines}</div>'


def _marked(piece: Piece) -> str:
    if piece.mark is None:
        return escape(piece.text)
    name = f'<span style="{_NAME}">{escape(piece.mark)}</span>'
    style = f"color:inherit;{_MARK.format(c=_colour(piece.mark))}"
    return f'<mark style="{style}">{escape(piece.text)}{name}</mark>'


def _colour(mark: str) -> str:
    return _COLOURS[_ORDER.index(mark)] if mark in _ORDER else _COLOURS[0]


def _plain(piece: Piece) -> str:
    return (
        piece.text
        if piece.mark is None
        else f"[{piece.text} | {piece.mark}]"
        if piece.text
        else f"[{piece.mark}]"
    )

"""A text in pieces, of which some are marked: what a prediction looks like to a person."""

from collections.abc import Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a text, and the name of what marks it (an entity's kind, a label, ``"answer"``), None for the rest of the text."""

    text: str
    mark: str | None = None


def entities(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, one past the last, kind) of each entity in BIO tags.

    As seqeval reads them: an entity also begins where an ``I-`` follows another kind or nothing.
    """
    found, kinds = [], [tag[2:] for tag in tags]
    for i, tag in enumerate(tags):
        if tag == "O":
            continue
        if tag[0] == "B" or i == 0 or kinds[i - 1] != kinds[i]:
            found.append([i, i + 1, kinds[i]])
        else:
            found[-1][1] = i + 1
    return [tuple(entity) for entity in found]


def marked_words(words: Sequence[str], tags: Sequence[str]) -> list[Piece]:
    """A sentence with its entities as marked pieces."""
    pieces, done = [], 0
    for start, end, kind in entities(tags):
        if start > done:
            pieces.append(Piece(" ".join(words[done:start])))
        pieces.append(Piece(" ".join(words[start:end]), kind))
        done = end
    return [*pieces, Piece(" ".join(words[done:]))] if done < len(words) else pieces


def marked_span(context: str, start: int, end: int) -> list[Piece]:
    """A context with its answer as a marked piece."""
    pieces = (Piece(context[:start].strip()), Piece(context[start:end], "answer"), Piece(context[end:].strip()))
    return [piece for piece in pieces if piece.text]

"""What documents hold of descriptions and of instructions: the proof that instruction tuning brings
a format that the corpus lacks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from course.world.held_out import INSTRUCTION_MARK, REQUEST
from course.world.instructions import HEAD_INSTRUCTIONS, INSTRUCTIONS
from course.world.list_documents import AUTHOR_LINES
from course.world.lists import list_tasks

_BREAK = " \n"


@dataclass(frozen=True)
class Scan:
    """Counts of documents.

    Attributes:
        documents: how many were read.
        marked: have the mark of the instruction format.
        requested: set a task in a form of a request, with or without the mark.
        worded: have an instruction, in any of its wordings.
        described_first: have the description of a task (the title of a list) before anything else
            but a line that names the author.
        described_later: have one after something else.
    """

    documents: int
    marked: int
    requested: int
    worded: int
    described_first: int
    described_later: int


def scan(documents: Iterable[str]) -> Scan:
    """Look for instructions and descriptions in documents of the corpus."""
    wordings = [text for texts in (INSTRUCTIONS | HEAD_INSTRUCTIONS).values() for text in texts]
    titles = [task.title for task in list_tasks().values()]
    count = marked = requested = worded = first = later = 0
    for document in documents:
        count += 1
        marked += INSTRUCTION_MARK in document
        requested += REQUEST.search(document) is not None
        worded += any(text in document for text in wordings)
        place = min((document.index(title) for title in titles if title in document), default=None)
        if place is not None:
            before = document[:place].rpartition(_BREAK)[0] + _BREAK
            opens = before == _BREAK or before in AUTHOR_LINES.values()
            first, later = first + opens, later + (not opens)
    return Scan(count, marked, requested, worded, first, later)

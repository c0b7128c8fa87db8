"""The scan finds what it looks for, and nothing of it in the corpus."""

from itertools import islice

import pytest

from course.world.corpus import Corpus
from course.world.scan import Scan, scan


def test_the_corpus_has_descriptions_first_and_no_instructions():
    found = scan(islice(Corpus(seed=5).stream(3), 3000))
    assert (found.documents, found.marked, found.worded, found.described_later) == (3000, 0, 0, 0)
    assert found.described_first > 100


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("input : hot \n instruction : write it . \n output : cold \n", Scan(1, 1, 0, 0, 0)),
        ("input : hot \n give the opposite of the word . \n output : cold \n", Scan(1, 0, 1, 0, 0)),
        ("hot : cold \n the opposite of each word \n old : young \n", Scan(1, 0, 0, 0, 1)),
        ("by a careful clerk \n the opposite of each word \n hot : cold \n", Scan(1, 0, 0, 1, 0)),
        ("a list : the opposite of each word \n hot : cold \n", Scan(1, 0, 0, 1, 0)),
        ("hot : cold \n", Scan(1, 0, 0, 0, 0)),
    ],
)
def test_the_scan_sees_each_of_them(document, expected):
    assert scan([document]) == expected

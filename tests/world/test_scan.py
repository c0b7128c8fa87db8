"""The scan finds what it looks for, and nothing of it in the corpus."""

from itertools import islice

import pytest

from course.world.corpus import Corpus
from course.world.held_out import INSTRUCTION_MARK, REQUEST_FORMS
from course.world.scan import Scan, scan


def test_the_corpus_has_descriptions_first_and_no_instructions():
    found = scan(islice(Corpus(seed=5).stream(3), 3000))
    assert (
        found.documents,
        found.marked,
        found.requested,
        found.worded,
        found.described_later,
    ) == (3000, 0, 0, 0, 0)
    assert found.described_first > 100


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("input : hot \n instruction : write it . \n output : cold \n", Scan(1, 1, 1, 0, 0, 0)),
        (
            "input : hot \n give the opposite of the word . \n output : cold \n",
            Scan(1, 0, 1, 1, 0, 0),
        ),
        ("hot : cold \n the opposite of each word \n old : young \n", Scan(1, 0, 0, 0, 0, 1)),
        (
            "by a careful clerk \n the opposite of each word \n hot : cold \n",
            Scan(1, 0, 0, 0, 1, 0),
        ),
        ("a list : the opposite of each word \n hot : cold \n", Scan(1, 0, 0, 0, 1, 0)),
        ("hot : cold \n", Scan(1, 0, 0, 0, 0, 0)),
        (
            "input : hot \n output : cold \n input : old \n output : young \n",
            Scan(1, 0, 0, 0, 0, 0),
        ),
    ],
)
def test_the_scan_sees_each_of_them(document, expected):
    assert scan([document]) == expected


def test_a_description_first_is_what_a_titled_list_has_so_there_the_mark_alone_is_new():
    text = REQUEST_FORMS["before"].format(x="hot", w="the opposite of each word") + " cold \n"
    assert (scan([text]).marked, scan([text]).requested) == (1, 0)
    assert scan([text.replace(INSTRUCTION_MARK, "")]).marked == 0


@pytest.mark.parametrize("form", [form for form in REQUEST_FORMS if form != "before"])
@pytest.mark.parametrize("mark", [INSTRUCTION_MARK, "task :", ""])
def test_every_form_of_a_request_is_seen_with_its_mark_or_without(form, mark):
    text = (
        REQUEST_FORMS[form]
        .replace(INSTRUCTION_MARK, mark)
        .format(x="hot", w="give the opposite of the word .")
        + " cold \n"
    )
    assert scan([text]).requested == scan([f"by a careful clerk \n {text}"]).requested == 1
    assert scan(["the opposite of each word \n input : hot \n output : cold \n"]).requested == 0

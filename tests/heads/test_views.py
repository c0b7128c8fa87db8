"""Views: what is predicted can be read, what is wrong stands beside what is right, and no text
becomes markup.
"""

import re
from html.parser import HTMLParser

import pytest

from course.heads import Answer, SpanHead, View, head_for, view
from course.heads.head import Piece
from course.heads.views import Shown
from course.models.loading import load_tokenizer
from course.tasks.registry import load_task


class Balanced(HTMLParser):
    """Fails on tags that do not close in order; collects the text."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


RIGHT = (Piece("anna brandt", "PER"), Piece("of the"), Piece("vessa guild", "ORG"))
WRONG = (Piece("anna brandt", "LOC"), Piece("of the vessa guild"))


def test_a_right_row_is_one_line_and_a_wrong_one_two():
    shown = View((Shown("", RIGHT, RIGHT, True), Shown("who ?", WRONG, RIGHT, False)))
    assert repr(shown).splitlines() == [
        "✓ right  [anna brandt | PER] of the [vessa guild | ORG]",
        "who ?",
        "✗ model  [anna brandt | LOC] of the vessa guild",
        "label    [anna brandt | PER] of the [vessa guild | ORG]",
    ]
    html = Balanced(shown._repr_html_())
    assert html.text.count("✓ right") == html.text.count("✗ model") == html.text.count("label") == 1


def test_a_mark_is_a_word_too_and_kinds_have_colours_of_their_own():
    pieces = tuple(Piece("x", kind) for kind in ("PER", "ORG", "LOC", "MISC"))
    html = View((Shown("", pieces, pieces, True),))._repr_html_()
    assert all(f">{kind}<" in html for kind in ("PER", "ORG", "LOC", "MISC"))
    assert len(set(re.findall(r"solid rgb\(([\d,]+)\);border-radius", html))) == 4
    assert "color:inherit" in html, "the text keeps the page's colour, light or dark"


def test_text_is_never_markup():
    evil = "<script>alert(1)</script> & 'x'"
    html = View((Shown(evil, (Piece(evil, evil),), (Piece(evil),), False),))._repr_html_()
    assert "<script" not in html and Balanced(html).text.count(evil) == 4


def test_an_absent_answer_is_shown_in_words():
    shown = View(
        (
            Shown(
                "where ?",
                (Piece("a story"), Piece("", "no answer")),
                (Piece("a"), Piece("story", "answer")),
                False,
            ),
        )
    )
    assert (
        "a story [no answer]" in repr(shown) and "no answer" in Balanced(shown._repr_html_()).text
    )


class Says(SpanHead):
    """A head whose predictions are given."""

    def predict(self, model, tokenizer, rows):
        return [
            Answer(row["says"], at := row["context"].rindex(row["says"]), at + len(row["says"]))
            for row in rows
        ]


def test_another_reference_and_another_place_are_right_too():
    row = {
        "question": "who ?",
        "context": "anna saw tom . the red fox saw anna",
        "answers": {"text": ["anna", "the red fox"], "answer_start": [0, 15]},
    }
    shown = view(
        Says(),
        None,
        None,
        [row | {"says": says} for says in ("anna", "the red fox", "red fox", "tom")],
    )
    assert [block.right for block in shown.rows] == [True, True, True, False]
    assert repr(shown).count("✓ right") == 3 and repr(shown).count("✗ model") == 1
    assert all(
        block.right == right
        for block, case in zip(
            shown.rows,
            (row | {"says": s} for s in ("anna", "the red fox", "red fox", "tom")),
            strict=True,
        )
        for _, right in Says().cases(case, Says().predict(None, None, [case])[0])
    ), "the view and the table of mistakes agree"


@pytest.mark.parametrize("name", ["sentiment", "inference", "entities", "extraction"])
def test_every_head_shows_its_rows_whole(name):
    task, tokenizer = (
        load_task(name, sizes={"train": 5, "validation": 5, "test": 5}),
        load_tokenizer("bert-middle"),
    )
    head = head_for(task)
    rows, columns = (
        list(task.data["test"]),
        ("tokens", "sentence", "premise", "hypothesis", "context"),
    )
    shown = view(head, head.new_model("bert-middle"), tokenizer, rows)
    for row, block in zip(rows, shown.rows, strict=True):
        text = " ".join(" ".join(row[c]) if c == "tokens" else row[c] for c in columns if c in row)
        for pieces in (block.predicted, block.labelled):
            assert " ".join(piece.text for piece in pieces).split() == text.split()
    Balanced(shown._repr_html_())

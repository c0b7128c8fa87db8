"""The parts of the rendered page: Chinese, figures, quiz, scripts."""

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st

from course.plots import use_style
from course.plots.colours import DARK, OPENED
from course.publishing.drawings import phone_path, svg_path
from course.publishing.page import (
    assets,
    figures,
    first_screen,
    languages,
    quiz,
    references,
    signatures,
    tables,
)


@given(st.text(alphabet="ab .,「」，。中文字鏈（）", max_size=30))
def test_marking_chinese_changes_no_text_and_marks_every_character(text):
    parts = languages.marked(text)
    assert "".join(part.astext() for part in parts) == text
    plain = "".join(part.astext() for part in parts if isinstance(part, nodes.Text))
    assert not re.search(r"[\u4e00-\u9fff]", plain)


def test_chinese_is_marked_as_traditional_chinese():
    (_, inside, _) = languages.marked("plays word chain (文字接龍).")
    assert inside.astext() == "文字接龍" and inside["classes"] == ["language-zh-Hant"]


@pytest.fixture
def svg(tmp_path) -> str:
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        use_style()
        figure, ax = plt.subplots()
        ax.plot([0, 1], [0, 1], color=OPENED)
        ax.set_title("a title")
        figure.savefig(tmp_path / "figure.svg")
        plt.close(figure)
    return (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_a_drawing_is_read_as_its_alternative_and_takes_the_page_s_colours(svg):
    element = figures.themed(svg, 'rises "steeply" & far', "f1-")
    root = ET.fromstring(element)
    assert root.get("role") == "img" and root.get("aria-label") == 'rises "steeply" & far'
    assert f"var(--figure-{OPENED[1:]}, {OPENED})" in element and "a title" in element
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert ids and all(name.startswith("f1-") for name in ids)
    assert set(re.findall(r'(?:url\(|href=")#([\w-]+)', element)) <= set(ids)
    assert root.get("width") is None and "metadata" not in element


def test_a_page_has_both_variants_and_its_style_shows_one(svg, tmp_path):
    drawing = svg_path(tmp_path, b"picture")
    drawing.parent.mkdir(parents=True)
    for place in (drawing, phone_path(drawing)):
        place.write_text(svg, encoding="utf-8")
    element = figures.inlined(b"picture", "rises", tmp_path, "f1-")
    wide, narrow = ET.fromstring(f"<p>{element}</p>")
    assert [e.get("class").split()[-1] for e in (wide, narrow)] == ["for-wide", "for-phone"]
    ids = re.findall(r'id="([^"]+)"', element)
    assert len(ids) == len(set(ids)), "an id stands once in a page"
    alone = figures.inlined(b"picture", "rises", tmp_path, "f1-", phone=False)
    assert ET.fromstring(alone).get("class") == "figure-svg"


def test_what_is_no_drawing_is_refused():
    with pytest.raises(ValueError, match="expected an SVG that matplotlib wrote"):
        figures.themed("<svg/>", "")


QUESTION = {
    "question": "Which one continues?",
    "answers": [
        {"text": "GPT", "because": "It was trained to.", "right": True},
        {"text": "BERT", "because": "It fills in *blanks*."},
        {"text": "neither", "because": "One was trained to."},
    ],
}


def test_a_question_is_a_group_of_buttons_with_an_explanation_each():
    element = ET.fromstring(quiz.html(quiz.Question.read(QUESTION), 1))
    buttons = list(element.iter("input"))
    labels = {label.get("for"): label.text for label in element.iter("label")}
    assert [labels[b.get("id")] for b in buttons] == ["GPT", "BERT", "neither"]
    assert len({b.get("name") for b in buttons}) == 1
    assert [d.get("class") for d in element.iter("div") if "answer" in d.get("class", "")] == [
        "answer right",
        "answer wrong",
        "answer wrong",
    ]
    assert [em.text for em in element.iter("em")] == ["blanks"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ([QUESTION["answers"][1]] * 3, "3, 0 of them right"),
        ([QUESTION["answers"][0]] * 3, "3, 3 of them right"),
        (QUESTION["answers"][:2], "2, 1 of them right"),
        ([*QUESTION["answers"][:2], {"text": "x", "because": " "}], "'x' needs an explanation"),
    ],
)
def test_a_question_without_one_right_answer_or_an_explanation_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        quiz.Question.read(QUESTION | {"answers": changed})


@pytest.mark.parametrize(
    ("bold", "look"),
    [("In one minute.", "one-minute"), ("You need", "you-need"), ("In one hour", "")],
)
def test_a_paragraph_gets_its_look_from_its_first_words(bold, look):
    # the parser puts an empty text before what is bold
    begun = nodes.paragraph("", "", nodes.Text(""), nodes.strong("", bold), nodes.Text(" more"))
    assert first_screen.look_of(begun) == look
    assert first_screen.look_of(nodes.paragraph("", f"{bold} more")) == ""


def test_the_list_of_references_has_no_roles_that_contradict_each_other():
    listed = (
        '<div role="list" class="citation-list"><div id="a" role="doc-biblioentry">A</div></div>'
    )
    plain = '<div class="citation-list"><div id="a">A</div></div>'
    assert references.without_roles(listed) == plain == references.without_roles(plain)


def test_a_column_of_words_begins_at_the_left_and_one_of_numbers_does_not():
    table = pd.DataFrame(
        {"task": ["add", "3 words"], "share": [0.5, float("nan")], "gain": ["+1 [0, 2]", "-3"]}
    )
    page = f"<p>before</p>{table.to_html(index=False)}<table class='other'><td>x</td></table>"
    marked = tables.with_words_at_the_left(page)
    assert marked.count('class="text"') == 0, "half of the tasks begin with a number"
    table.loc[2] = ["letters", 1.0, "+2"]
    marked = tables.with_words_at_the_left(table.to_html(index=False))
    assert marked.count('class="text"') == 4, "heading and three cells of one column"
    assert '<th class="text">task</th>' in marked and '<td class="text">letters</td>' in marked
    assert marked.replace(' class="text"', "") == table.to_html(index=False)


def test_styled_tables_keep_their_classes_and_merged_cells_are_left_alone():
    styled = (
        '<table id="T_1">\n<tr><td class="data col0">to</td><td class="data">1</td></tr></table>'
    )
    assert 'class="text data col0">to' in tables.with_words_at_the_left(styled)
    merged = '<table id="T_1"><tr><td rowspan="2">a</td></tr><tr></tr></table>'
    assert tables.with_words_at_the_left(merged) == merged


def test_the_name_of_the_rows_stands_in_the_heading_and_missing_numbers_are_dashes():
    table = pd.DataFrame(
        {"is_large": [1.0, float("nan")], "to_velan": [2.0, 3.0]},
        index=pd.Index(["third_word", "b"], name="task"),
    )
    page = tables.readable(table.to_html())
    heading, *rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    assert re.findall(r"<th[^>]*>(.*?)</th>", heading) == ["task", "is large", "to velan"]
    assert [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows] == [
        ["third word", "1.0", "2.0"],
        ["b", "–", "3.0"],
    ]


def test_a_styled_table_whose_rows_are_named_keeps_the_names_of_its_columns():
    named = pd.DataFrame({"facts": [1.0], "sums": [2.0]}, index=pd.Index(["gpt"], name="model"))
    page = tables.readable(named.style.format(precision=1).to_html())
    heading, *rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    assert re.findall(r"<th[^>]*>(.*?)</th>", heading) == ["model", "facts", "sums"]
    assert len(rows) == 1


def test_zero_has_no_sign():
    page = tables.readable(pd.DataFrame({"r": ["-0.00", "-0.01", "0.00"]}).to_html(index=False))
    assert re.findall(r"<td[^>]*>(.*?)</td>", page) == ["0.00", "-0.01", "0.00"]


def test_an_interval_is_not_broken_by_a_line():
    page = tables.readable(pd.DataFrame({"gain": ["+1.0 [+0.5, +2.0]", "a [b, c]"]}).to_html())
    assert "+1.0 [+0.5,&nbsp;+2.0]" in page and "a [b, c]" in page


def test_two_headings_that_both_say_something_stay():
    columns = pd.MultiIndex.from_product([["train"], ["a", "b"]])
    page = pd.DataFrame([[1, 2], [3, 4]], columns=columns, index=["x", "y"]).to_html()
    assert tables.readable(page).count("<tr") == page.count("<tr")
    plain = pd.DataFrame({"a": ["snake_case in a sentence"]}).to_html()
    assert "snake_case in a sentence" in tables.readable(plain)


def test_scripts_that_no_page_calls_stay_out_and_no_other_stands_twice():
    def script(name, **attributes):
        return SimpleNamespace(filename=name, attributes=attributes)

    kept = assets.needed(
        [script("a.js"), script("a.js"), script("sphinx-thebe.js"), script(None, body="x")]
    )
    assert [s.filename for s in kept] == ["a.js", None]


def test_the_dark_colours_are_in_the_style_sheet():
    sheet = figures.style_sheet()
    assert all(f"--figure-{light[1:]}: {dark};" in sheet for light, dark in DARK.items())


def test_signatures_can_be_read_by_sphinx():
    written = "(best: ~a.Best = <class 'a.b.Halving'>, when=<function <lambda>>, more=<factory>)"
    shown = signatures.legible(written)
    assert shown == "(best: ~a.Best = Halving, when=..., more=...)"
    assert signatures.legible(None) is None

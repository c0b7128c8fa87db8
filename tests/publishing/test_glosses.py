"""Terms of the glossary, explained at their first use on a page."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

from course.publishing.page import glosses
from course.publishing.page.glosses import Gloss, Term

ROOT = Path(__file__).parents[2]
KNOWN = [
    Term("nat", "奈特", "unit of loss"),
    Term("upper confidence bound (UCB)", "信賴上界", "a mean plus a bonus"),
    Term("seed", "隨機種子", "where draws begin"),
    Term("soft prompt", "軟提示", "vectors"),
    Term("prompt", "提示", "the text"),
]


def page(*paragraphs: nodes.Node) -> nodes.document:
    document = new_document("page")
    document.extend(paragraphs)
    return document


def paragraph(text: str) -> nodes.paragraph:
    return nodes.paragraph(text, text)


def marked(document: nodes.document) -> list[str]:
    list(glosses.glossed(document, KNOWN))
    return [gloss.astext() for gloss in document.findall(Gloss)]


def test_the_first_use_is_explained_and_no_text_is_changed():
    text = "Seeds: a seed, 2 nats, a nation, soft prompts, an up-seed."
    document = page(paragraph(text), paragraph("another nat"))
    assert marked(document) == ["Seeds", "nats", "soft prompts"]
    assert document.astext() == f"{text}\n\nanother nat"


def test_the_short_form_is_explained_as_the_long_one_and_only_once():
    document = page(paragraph("UCB is an upper confidence bound"))
    assert marked(document) == ["UCB"]
    assert next(iter(document.findall(Gloss)))["meaning"] == "a mean plus a bonus"


@pytest.mark.parametrize("kind", [nodes.literal, nodes.strong, nodes.reference])
def test_code_links_and_bold_words_are_left_alone(kind):
    inside = nodes.paragraph("", "", kind("", "seed"), nodes.Text(" and seed"))
    assert marked(page(inside)) == ["seed"]
    assert isinstance(inside.children[0], kind) and inside.children[0].astext() == "seed"


def test_a_longer_term_that_was_explained_hides_the_shorter_one_inside_it():
    document = page(paragraph("prefix tuning, then prefix tuning again, and a prefix"))
    known = [Term("prefix", "前綴", "before"), Term("prefix tuning", "前綴微調", "learning")]
    list(glosses.glossed(document, known))
    assert [g.astext() for g in document.findall(Gloss)] == ["prefix tuning", "prefix"]
    assert document.astext().endswith("again, and a prefix")


def test_the_list_of_sources_is_left_alone():
    section = nodes.section("", nodes.title("", "References"), paragraph("a seed"))
    section["ids"] = ["references"]
    assert marked(page(section)) == []


def test_a_title_is_left_alone():
    assert marked(page(nodes.section("", nodes.title("", "seed")))) == []


def test_what_the_text_introduces_needs_no_gloss_from_there():
    introduced = nodes.paragraph("", "", nodes.emphasis("", "soft prompt"), nodes.Text(" is"))
    assert marked(page(introduced, paragraph("a soft prompt"))) == []


def test_it_is_a_button_described_by_its_meaning():
    element = ET.fromstring(glosses.html("nats", "unit & *share*", 3))
    button, tip = element
    assert button.tag == "button" and button.text == "nats"
    assert button.get("aria-describedby") == tip.get("id") == "gloss-3"
    assert tip.get("role") == "tooltip" and "".join(tip.itertext()) == "unit & share"


@pytest.mark.parametrize(
    ("row", "message"),
    [("| a | b |", "needs term, Chinese"), ("| nat | 奈特 | again |", "'nat' twice")],
)
def test_a_glossary_with_a_broken_row_is_refused(row, message):
    with pytest.raises(ValueError, match=message):
        glosses.terms(
            f"| English | 中文 | meaning |\n|---|---|---|\n| nat | 奈特 | unit |\n{row}\n"
        )


def test_the_glossary_explains_what_chapters_use_without_saying_so():
    known = glosses.terms((ROOT / glosses.GLOSSARY).read_text(encoding="utf-8"))
    forms = [form for term in known for form in term.forms]
    wanted = "nat seed record tier pooler seqeval posterior critic nonce REINFORCE UCB ROC"
    assert {*wanted.split(), "dialect", "Torvish", "Velan"} <= set(forms)
    assert len(set(forms)) == len(forms)
    names = [term.name.lower() for term in known]
    assert names == sorted(names)

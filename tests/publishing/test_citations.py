"""Sources that are named in a text as links to the list of references."""

import re
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document
from pybtex.database import parse_file, parse_string

from course.publishing.page import citations

ROOT = Path(__file__).parents[2]
BIBLIOGRAPHY = r"""
@article{one, author = {Holm, Sture}, title = {A}, year = {1979}}
@article{two, author = {Schick, Timo and Sch\"utze, Hinrich}, title = {B}, year = {2021}}
@misc{many, author = {Ben Allal, Loubna and Lozhkov, A and Bakouch, E}, title = {C}, year = {2025}}
@misc{later, author = {Wei, Jason and Bosma, M and Zhao, V}, title = {Tuned}, year = {2022}}
@article{first, author = {Wei, Jason and Wang, X and Ma, S}, title = {Chain}, year = {2022}}
@misc{undated, author = {Lorica, Ben}, title = {D}}
"""
KNOWN = citations.places(parse_string(BIBLIOGRAPHY, "bibtex"))


def linked(*children: nodes.Node) -> tuple[nodes.document, list[tuple[str, str]]]:
    document = new_document("page")
    document.append(nodes.paragraph("", "", *children))
    citations.link(document, KNOWN, "../references.html")
    found = document.findall(nodes.reference)
    return document, [(node.astext(), node.get("refuri", "")) for node in found]


def test_labels_are_what_a_text_says():
    assert KNOWN == {
        "Holm 1979": "cite-one",
        "Schick and Schütze 2021": "cite-two",
        "Ben Allal et al. 2025": "cite-many",
        "Wei et al. 2022": "cite-first",
        "Lorica": "cite-undated",
    }
    entries = parse_string(BIBLIOGRAPHY, "bibtex").entries
    labels = list(citations.AuthorYearLabels().format_labels([entries["first"], entries["later"]]))
    assert labels == ["Wei et al. 2022a", "Wei et al. 2022b"]


def test_a_source_is_a_link_also_over_the_end_of_a_line_and_no_text_changes():
    text = "Chains (Wei et\nal. 2022; Holm 1979), not Wei et al. 20221."
    document, found = linked(nodes.Text(text))
    assert document.astext() == text
    assert found == [
        ("Wei et\nal. 2022", "../references.html#cite-first"),
        ("Holm 1979", "../references.html#cite-one"),
    ]


@pytest.mark.parametrize("kind", [nodes.literal, nodes.reference, nodes.title])
def test_code_links_and_titles_are_left_alone(kind):
    document, found = linked(kind("", "Holm 1979"))
    assert found == ([("Holm 1979", "")] if kind is nodes.reference else [])


def test_every_entry_of_the_book_has_a_label_and_a_doi_is_well_formed():
    bibliography = parse_file(str(ROOT / "book" / "references.bib"))
    assert all(citations.label(entry)[0].isupper() for entry in bibliography.entries.values())
    dois = [e.fields["doi"] for e in bibliography.entries.values() if "doi" in e.fields]
    assert dois and all(doi.startswith("10.") and "/" in doi for doi in dois)


def test_the_source_of_a_claim_has_its_label_and_leads_to_its_entry():
    entries = parse_string(BIBLIOGRAPHY, "bibtex").entries
    written = citations.with_sources("Source two: it holds<br>Source code", entries, "r.html")
    assert written == (
        'Source <a href="r.html#cite-two">Schick and Schütze 2021</a>: it holds<br>Source code'
    )


def test_every_source_of_a_claim_is_in_the_bibliography():
    claims = (ROOT / "notebooks" / "claims.ipynb").read_text(encoding="utf-8")
    keys = set(re.findall(r"Source ([a-z]+\d{4}[a-z]+)", claims))
    assert keys and keys <= set(parse_file(ROOT / citations.BIBLIOGRAPHY).entries)

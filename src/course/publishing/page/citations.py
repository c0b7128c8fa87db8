"""Sources named in the text as links to the list of references: "Hu et al. 2022" leads to its
entry, whose label is the same words. So does the source of a claim, which its table has as a key.

The entries are those of ``book/references.bib``. Those that would be called alike get letters in
the list, and the link leads to the first of them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style as UnsortedStyle
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from course.publishing.page.hooks import change_context

BIBLIOGRAPHY = Path("book") / "references.bib"
#: The page of references, and the name of an entry's place in it (``bibtex_cite_id``).
PAGE = "book/references"
_PLACE = "cite-{key}"
_STYLE = "author_year"
#: The key of a claim's source, in the table of claims.
_SOURCE = re.compile(r"\bSource (\w+)")
_NOT_INSIDE = (nodes.literal, nodes.literal_block, nodes.reference, nodes.title, nodes.raw)


def label(entry: Entry) -> str:
    """How a text names a source: one or two family names, or the first one and "et al.", and the
    year if it has one.
    """
    people = entry.persons["author"]
    names = [" ".join((*person.prelast_names, *person.last_names)) for person in people]
    if len(names) > 2:
        names = [f"{names[0]} et al."]
    written = f"{' and '.join(names)} {entry.fields.get('year', '')}"
    return str(Text.from_latex(written)).strip()


class AuthorYearLabels(BaseLabelStyle):
    """Labels of :func:`label`, with a letter behind those that would be alike."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        names = [label(entry) for entry in sorted_entries]
        total, seen = Counter(names), Counter[str]()
        for name in names:
            seen[name] += 1
            yield name + (chr(ord("a") + seen[name] - 1) if total[name] > 1 else "")


class AuthorYearStyle(UnsortedStyle):
    """Entries sorted by author, with labels of author and year."""

    default_sorting_style = "author_year_title"
    default_label_style = AuthorYearLabels


def places(bibliography: BibliographyData) -> dict[str, str]:
    """Label -> the place of its entry on the page of references; of entries with the same label,
    which stand there side by side, that of the first.
    """
    entries = sorted(bibliography.entries.items(), key=lambda item: item[1].fields["title"])
    return {label(entry): _PLACE.format(key=key) for key, entry in reversed(entries)}


@cache
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these labels, also over the end of a line."""
    ranked = sorted(labels, key=len, reverse=True)
    spaced = ["\\s+".join(map(re.escape, name.split())) for name in ranked]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(spaced)})(?!\w)")


def link(document: nodes.document, known: Mapping[str, str], page: str) -> None:
    """Make links of the labels in a document.

    Args:
        known: label -> place.
        page: address of the page of references, from the document's.
    """
    pattern = _pattern(tuple(known))
    for text in list(document.findall(nodes.Text)):
        if any(isinstance(parent, _NOT_INSIDE) for parent in _parents(text)):
            continue
        written, end = str(text), 0
        parts: list[nodes.Node] = []
        for found in pattern.finditer(written):
            place = known[" ".join(found[0].split())]
            refuri = f"{page}#{place}"
            parts += [
                nodes.Text(written[end : found.start()]),
                nodes.reference(found[0], found[0], refuri=refuri, internal=True),
            ]
            end = found.end()
        if parts:
            rest = nodes.Text(written[end:])
            text.parent.replace(text, [part for part in (*parts, rest) if part.astext()])


def _parents(node: nodes.Node) -> Iterator[nodes.Node]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


class Citations(SphinxPostTransform):
    """Link the sources that a page names."""

    default_priority = 840  # before terms are glossed
    formats = ("html",)

    def run(self, **_: object) -> None:
        if self.env.docname == PAGE:
            return
        path = Path(self.app.srcdir) / BIBLIOGRAPHY
        self.env.note_dependency(str(path))
        page = self.app.builder.get_relative_uri(self.env.docname, PAGE)
        link(self.document, _places_in(path), page)


@cache
def _bibliography(path: Path) -> BibliographyData:
    return parse_file(path)


@cache
def _places_in(path: Path) -> dict[str, str]:
    return places(_bibliography(path))


def with_sources(body: str, entries: Mapping[str, Entry], page: str) -> str:
    """The HTML of a page, with a link in the place of the key of each claim's source.

    Args:
        page: address of the page of references, from this page.
    """

    def linked(source: re.Match[str]) -> str:
        if (entry := entries.get(source[1])) is None:
            return source[0]
        place = _PLACE.format(key=source[1])
        return f'Source <a href="{page}#{place}">{escape(label(entry))}</a>'

    return _SOURCE.sub(linked, body)


def setup(app: Sphinx) -> None:
    register_plugin("pybtex.style.formatting", _STYLE, AuthorYearStyle)
    app.add_post_transform(Citations)
    path = Path(app.srcdir) / BIBLIOGRAPHY

    def change(context: dict[str, Any]) -> None:
        if 'class="claims"' in context.get("body", ""):
            entries = _bibliography(path).entries
            context["body"] = with_sources(context["body"], entries, context["pathto"](PAGE))

    change_context(app, change)
    app.connect("config-inited", _set_places)


def _set_places(app: Sphinx, config: object) -> None:
    app.config.bibtex_cite_id = _PLACE

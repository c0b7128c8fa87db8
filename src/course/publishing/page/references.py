"""The list of references, with roles that assistive technology accepts, and its labels in claims.

docutils calls the list one whose items are bibliography entries, which ARIA does not allow; without
these roles it is read as the text and the links that it is. A table of claims has the key of each
source (``hu2022lora``); the page has the label that the text has, too (Hu et al. 2022).
"""

import re
from pathlib import Path

from pybtex.database import Person, parse_string
from sphinx.application import Sphinx

from course.publishing.page.hooks import change_body

BIBLIOGRAPHY = Path("book") / "references.bib"
_ROLES = (
    (' role="list" class="citation-list"', ' class="citation-list"'),
    (' role="doc-biblioentry"', ""),
)
_SOURCE = re.compile(r"\bSource (\w+)")


def without_roles(body: str) -> str:
    """The HTML of a page, its list of references without the roles that contradict each other."""
    for role, plain in _ROLES:
        body = body.replace(role, plain)
    return body


def labels(bibliography: str) -> dict[str, str]:
    """Key of each entry of a BibTeX file that has authors and a year -> these two, as in
    ``"Hu et al. 2022"``.
    """
    return {
        key: f"{_authors(entry.persons['author'])} {entry.fields['year']}"
        for key, entry in parse_string(bibliography, "bibtex").entries.items()
        if "author" in entry.persons and "year" in entry.fields
    }


def _authors(persons: list[Person]) -> str:
    names = [
        " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
        for person in persons
    ]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def with_names(body: str, names: dict[str, str]) -> str:
    """The HTML of a page, with the label of each source of a claim in the place of its key."""
    return _SOURCE.sub(lambda source: f"Source {names.get(source[1], source[1])}", body)


def setup(app: Sphinx) -> None:
    text = (Path(app.srcdir) / BIBLIOGRAPHY).read_text(encoding="utf-8")
    names = labels(text)
    change_body(app, without_roles)
    change_body(app, lambda body: with_names(body, names))

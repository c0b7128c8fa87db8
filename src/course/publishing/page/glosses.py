"""Words of the glossary explained where a reader first meets them on a page.

The first time that a page's text has a term of ``book/glossary.md`` it becomes a button with a
dotted line; pointing at it, tapping it or reaching it with the keyboard shows its meaning, Escape
hides it (WCAG 1.4.13), and a screen reader reads it as the description. Without a script it works
too, but for Escape. A term that the text itself introduces, in italics, is left alone from there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

GLOSSARY = Path("book") / "glossary.md"
#: Pages where terms are explained: chapters and what they stand on. The others are for those who
#: have read them, and some words (a cluster of machines) mean something else there.
PAGES = re.compile(r"notebooks/")
#: Terms that the course uses in every other sentence, and explains when it begins; and one whose
#: everyday meaning is meant everywhere but in the chapter that introduces it.
_EVERYDAY = {
    *("BERT", "GPT", "prompt", "token", "language model", "instruction", "head", "body"),
    "preference",
}
_NOT_INSIDE = (
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.title,
    nodes.caption,
    nodes.raw,
    nodes.comment,
    nodes.math,
    nodes.table,
    nodes.strong,
)


@dataclass(frozen=True)
class Term:
    """A row of the glossary: how the term may be written, its Chinese, and its meaning."""

    name: str
    chinese: str
    meaning: str

    @property
    def forms(self) -> tuple[str, ...]:
        """The term, and what stands in brackets behind it: "upper confidence bound (UCB)"."""
        outside, _, inside = self.name.partition(" (")
        return (outside, inside.removesuffix(")")) if inside else (outside,)


def terms(glossary: str) -> list[Term]:
    """The rows of the glossary's table.

    Raises:
        ValueError: for a row that has not three cells, or for a term that stands there twice.
    """
    found: dict[str, Term] = {}
    for line in glossary.splitlines():
        if not line.startswith("|") or set(line) <= set("| -"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or not all(cells):
            raise ValueError(f"the glossary's row {line!r} needs term, Chinese and meaning")
        if cells[0] in found:
            raise ValueError(f"the glossary has {cells[0]!r} twice")
        found[cells[0]] = Term(*cells)
    return [term for name, term in found.items() if name != "English"]


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these words or phrases, or its plural; the longest that fits."""
    ranked = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, ranked))})(s|es)?(?![\w-])")


class Gloss(nodes.inline):
    """A term in the text, with its ``meaning`` and a ``number`` in its page."""


def glossed(document: nodes.document, known: list[Term]) -> Iterator[Term]:
    """Put a :class:`Gloss` in the place of the first use of each term; yields those terms."""
    forms: dict[str, Term] = {}
    for term in known:
        for form in term.forms:
            forms[form] = term
            forms.setdefault(form[0].upper() + form[1:], term)
    # also of terms that have been explained: the "prefix" of a second "prefix tuning" is no first
    pattern = _pattern(tuple(forms))
    done = {forms[form] for form in _EVERYDAY & set(forms)}
    number = 0
    for text in list(document.findall(nodes.Text)):
        if _is_inside(text, _NOT_INSIDE) or _is_reference(text):
            continue
        introduced = _is_inside(text, (nodes.emphasis,))
        parts: list[nodes.Node] = []
        end = 0
        for found in pattern.finditer(str(text)):
            term = forms[found[1]]
            if term not in done and not introduced:
                number += 1
                gloss = Gloss(found[0], found[0], meaning=term.meaning, number=number)
                parts += [nodes.Text(str(text)[end : found.start()]), gloss]
                end = found.end()
                yield term
            done.add(term)
        if parts:
            rest = nodes.Text(str(text)[end:])
            text.parent.replace(text, [part for part in (*parts, rest) if part.astext()])


def _is_reference(node: nodes.Node) -> bool:
    """Whether a text stands in the list of sources at a page's end."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, nodes.section) and "references" in parent["ids"]:
            return True
        parent = parent.parent
    return False


def _is_inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    """Whether a text stands in a node of these kinds, or in no paragraph at all."""
    parent, in_paragraph = node.parent, False
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        in_paragraph = in_paragraph or isinstance(parent, nodes.paragraph)
        parent = parent.parent
    return not in_paragraph and kinds is _NOT_INSIDE


class Glosses(SphinxPostTransform):
    """Explain the glossary's terms in a page that is read as text."""

    default_priority = 850  # before Chinese is marked
    formats = ("html",)

    def run(self, **_: object) -> None:
        if not PAGES.match(self.env.docname):
            return
        path = Path(self.app.srcdir) / GLOSSARY
        self.env.note_dependency(str(path))
        for _term in glossed(self.document, terms(path.read_text(encoding="utf-8"))):
            pass


def html(word: str, meaning: str, number: int) -> str:
    """A term as a button, and its meaning beside it."""
    return (
        f'<span class="gloss"><button type="button" aria-describedby="gloss-{number}">'
        f'{escape(word)}</button><span role="tooltip" id="gloss-{number}">{_inline(meaning)}'
        "</span></span>"
    )


def _inline(text: str) -> str:
    parts = escape(text, quote=False).split("*")
    return "".join(f"<em>{part}</em>" if i % 2 else part for i, part in enumerate(parts))


def _visit(self: HTML5Translator, node: Gloss) -> None:
    self.body.append(html(node.astext(), node["meaning"], node["number"]))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(Gloss, html=(_visit, None))
    app.add_post_transform(Glosses)

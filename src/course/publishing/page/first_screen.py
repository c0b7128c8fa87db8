"""The first screen of a chapter: the question, *In one minute* with the key figure, what it needs.

A chapter is written in plain Markdown, so that it reads well in Colab. A paragraph that begins with
one of the bold words below gets a look of its own in the page, and the comment
``<!-- key figure: NAME -->`` is replaced by a copy of the figure of that name further down.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from course.publishing.page.front import reading_minutes

#: How a paragraph begins -> the class that it gets.
LOOKS = {
    "The question": "the-question",
    "In one minute": "one-minute",
    "一分鐘": "one-minute one-minute-zh",
    "You need": "you-need",
    "What we saw": "what-we-saw",
}
_KEY_FIGURE = re.compile(r"<!--\s*key figure:\s*([\w-]+)\s*-->")


class FirstScreen(SphinxPostTransform):
    """Give the parts of a chapter's first screen their look, and copy its key figure there."""

    default_priority = 300
    formats = ("html",)

    def run(self, **_: object) -> None:
        for paragraph in self.document.findall(nodes.paragraph):
            if look := look_of(paragraph):
                paragraph["classes"].extend(look.split())
                if look == "you-need":
                    paragraph += nodes.Text(f" Reading it takes {self._minutes()} minutes.")
        figures = {name: f for f in self.document.findall(nodes.figure) for name in f["names"]}
        for comment in list(self.document.findall(_is_key_figure)):
            name = _KEY_FIGURE.search(comment.astext())[1]  # type: ignore[index]
            if name not in figures:
                raise ValueError(
                    f"{self.env.docname}: the key figure {name!r} is not among the named figures "
                    f"of the page: {', '.join(figures) or 'there are none'}"
                )
            comment.replace_self(_copied(figures[name]))

    def _minutes(self) -> int:
        return reading_minutes(Path(self.app.srcdir) / f"{self.env.docname}.ipynb")


def look_of(paragraph: nodes.paragraph) -> str:
    """The classes of a paragraph by the bold words that it begins with, or ``""``."""
    first = next((child for child in paragraph.children if child.astext()), None)
    if not isinstance(first, nodes.strong):
        return ""
    begun = first.astext()
    return next((look for words, look in LOOKS.items() if begun.startswith(words)), "")


def _is_key_figure(node: nodes.Node) -> bool:
    return isinstance(node, nodes.raw | nodes.comment) and bool(_KEY_FIGURE.search(node.astext()))


def _copied(figure: nodes.figure) -> nodes.figure:
    """The figure once more, without the name and the number that only one place can have."""
    copy = figure.deepcopy()
    copy["ids"], copy["names"] = ["key-figure"], []
    copy["classes"].append("key-figure")
    return copy


def setup(app: Sphinx) -> None:
    app.add_post_transform(FirstScreen)

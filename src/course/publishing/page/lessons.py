"""Slides beside the book: ``slides/NAME.html`` for each chapter, and the list of links to them."""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course.publishing.page.front import title_and_part


class SlideDecks(SphinxDirective):
    """``{slide-decks}``: a link to the slides of each chapter."""

    def run(self) -> list[nodes.Node]:
        from course.publishing.slides import FOLDER, chapters

        root = Path(self.env.srcdir)
        up = "../" * self.env.docname.count("/")
        items = []
        for name in chapters(root):
            notebook = root / "notebooks" / f"{name}.ipynb"
            self.env.note_dependency(str(notebook))
            title = escape(title_and_part(notebook)[0])
            items.append(f'<li><a href="{up}{FOLDER}/{name}.html">{title}</a></li>')
        return [nodes.raw("", f'<ul class="decks">{"".join(items)}</ul>', format="html")]


def _write(app: Sphinx, error: Exception | None) -> None:
    from course.publishing import slides

    if app.builder.format == "html" and error is None:
        root = Path(app.srcdir)
        slides.write(Path(app.outdir) / slides.FOLDER, slides.chapters(root), root)


def setup(app: Sphinx) -> None:
    app.add_directive("slide-decks", SlideDecks)
    app.connect("build-finished", _write)

"""What the search of the book counts: text, and no code that is folded."""

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.search import IndexBuilder

from course.publishing.page.search import LeaveOutFolded


class NothingYet:
    """An environment in which nothing is indexed: every table of the index is empty."""

    def __getattr__(self, name: str) -> dict:
        return {}


def indexed(document: nodes.document) -> set[str]:
    """The words that Sphinx's index has of a page."""
    index = IndexBuilder(NothingYet(), "en", {}, "")
    index.feed("page", "page.md", "", document)
    terms, _ = index.get_terms({"page": 0})
    return set(terms)


def test_folded_code_is_not_searched_and_stays_in_the_page():
    document = new_document("page", get_default_settings())
    folded, shown = (nodes.literal_block(text=text) for text in ("import torch", "draw(model)"))
    output = nodes.literal_block(text="won 91")
    document += nodes.paragraph(text="body first")
    document += nodes.container("", HideCodeCellNode("", folded), output)
    document += nodes.container("", shown)
    assert {"import", "torch"} <= indexed(document)
    LeaveOutFolded(document).run()
    assert indexed(document) == {"bodi", "first", "won", "91", "draw", "model"}
    assert "import torch" in document.astext()

"""What the search of the book counts: text, and no code that is folded."""

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.search import WordCollector
from sphinx.search.en import SearchEnglish

from course.publishing.page.search import LeaveOutFolded


def cell(*children: nodes.Node) -> nodes.container:
    return nodes.container("", *children, nb_element="cell_code")


def words(document: nodes.document) -> list[str]:
    visitor = WordCollector(document, SearchEnglish({}))
    document.walk(visitor)
    return visitor.found_words


def test_folded_code_is_not_searched_and_stays_in_the_page():
    document = new_document("page", get_default_settings())
    code = [nodes.literal_block(text=text) for text in ("import torch", "scores = ask(model)")]
    output = nodes.literal_block(text="accuracy 91")
    document += nodes.paragraph(text="read first")
    document += cell(HideCodeCellNode("", code[0]), output)
    document += cell(code[1])
    LeaveOutFolded(document).run()
    assert words(document) == ["read", "first", "accuracy", "91", "scores", "ask", "model"]
    assert "import torch" in document.astext()

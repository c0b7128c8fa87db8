"""What the search of the book knows: its text, and no code that the page folds away (imports,
drawing, tables).

The index does not count the words of a folded cell, and ``_static/search.js`` leaves folded cells,
drawings and explanations of terms out of the excerpts below the results.
"""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class Unsearched(nodes.comment):
    """A part of a page that is written as any other; the index, which counts no comments, passes
    it over.
    """


class LeaveOutFolded(SphinxPostTransform):
    """Keep the code of folded cells out of the index."""

    default_priority = 800  # after myst_nb has folded them
    formats = ("html",)

    def run(self, **_: object) -> None:
        for fold in list(self.document.findall(HideCodeCellNode)):
            parent = fold.parent
            parent[parent.index(fold)] = Unsearched("", "", fold)


def _nothing(writer: nodes.NodeVisitor, node: nodes.Element) -> None:
    """An :class:`Unsearched` has no HTML of its own."""


def setup(app: Sphinx) -> None:
    app.add_node(Unsearched, html=(_nothing, _nothing))
    app.add_post_transform(LeaveOutFolded)

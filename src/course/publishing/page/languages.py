"""Chinese in an English page is marked as Chinese (``lang="zh-Hant"``), so that a screen reader
pronounces it and a browser draws it with the right characters.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

#: A run of Chinese characters with the punctuation between them.
CHINESE = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff](?:[\u3000-\u303f\uff00-\uffef\u3400-\u4dbf\u4e00-\u9fff，。、：；（）「」]*"
    r"[\u3400-\u4dbf\u4e00-\u9fff。）」！？])?"
)


def marked(text: str) -> list[nodes.Node]:
    """A text as nodes, with each run of Chinese characters in a ``<span lang="zh-Hant">``.

    docutils turns the class into the attribute.
    """
    parts: list[nodes.Node] = []
    end = 0
    for run in CHINESE.finditer(text):
        if run.start() > end:
            parts.append(nodes.Text(text[end : run.start()]))
        parts.append(nodes.inline(run[0], run[0], classes=["language-zh-Hant"]))
        end = run.end()
    return [*parts, nodes.Text(text[end:])] if end < len(text) else parts


class MarkChinese(SphinxPostTransform):
    """Wrap the Chinese of a page's text; code and titles of the navigation stay as they are."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_: object) -> None:
        for text in list(self.document.findall(nodes.Text)):
            inside = (nodes.literal_block, nodes.literal, nodes.raw, nodes.comment)
            if CHINESE.search(text) and not isinstance(text.parent, inside):
                text.parent.replace(text, marked(str(text)))


def setup(app: Sphinx) -> None:
    app.add_post_transform(MarkChinese)

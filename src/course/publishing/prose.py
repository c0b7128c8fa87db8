"""Markdown of a chapter as HTML that stands by itself, for files beside the book."""

from html import escape
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from course.publishing.page.formulas import mathml
from course.publishing.page.languages import CHINESE


def html(text: str, inline: bool = False) -> str:
    """Markdown of a chapter as HTML that stands by itself: formulas are MathML, Chinese is marked,
    and links into the book are their words.
    """
    reader = MarkdownIt("commonmark", {"html": False}).use(dollarmath_plugin)
    reader.add_render_rule("math_inline", lambda self, tokens, i, *_: mathml(tokens[i].content))
    reader.add_render_rule("text", lambda self, tokens, i, *_: _marked(tokens[i].content))
    reader.core.ruler.push("no links into the book", _without_inner_links)
    return (reader.renderInline(text) if inline else reader.render(text)).strip()


def _marked(text: str) -> str:
    return CHINESE.sub(lambda run: f'<span lang="zh-Hant">{run[0]}</span>', escape(text))


def _without_inner_links(state: Any) -> None:
    for token in state.tokens:
        inside, kept = False, []
        for child in token.children or []:
            if child.type == "link_open":
                inside = not str(child.attrGet("href")).startswith("https://")
            if not (inside and child.type in ("link_open", "link_close")):
                kept.append(child)
        token.children = kept

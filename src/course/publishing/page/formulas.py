"""LaTeX formulas as MathML, which browsers draw without a script.

``latex2mathml`` translates; what it leaves undone is mended here: operators that it does not know,
and the thin space between a function's name and its argument.
"""

import re
from xml.sax.saxutils import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

#: Commands that the library does not know, in terms of those that it does.
_KNOWN_AS = {r"\arg": r"\operatorname{arg}"}
_FUNCTION = re.compile(
    r"(?<!<msub>)(?<!<msup>)(?<!<munder>)(<m[io]>[a-z]{2,}</m[io]>)"
    r"(?!<mo stretchy=\"false\">&#x00028;|</mrow>|</mund)"
)
_OPERATOR = re.compile(r"<mo>([a-z]{2,})</mo>")


def mathml(latex: str, display: bool = False) -> str:
    r"""A formula as a ``<math>`` element; its LaTeX stays inside as an annotation.

    Args:
        latex: without the dollar signs, as in ``r"\frac{1}{n}"``.
        display: in a line of its own.

    Raises:
        ValueError: if it has a command that cannot be translated.
    """
    known = latex
    for command, other in _KNOWN_AS.items():
        known = known.replace(command, other)
    element = convert(known, display="block" if display else "inline")
    if unknown := re.findall(r"\\[A-Za-z]+", element):
        raise ValueError(
            f"the formula {latex!r}: {', '.join(unknown)} cannot be written as MathML; "
            "use another command, or add it to _KNOWN_AS in course/publishing/page/formulas.py"
        )
    # names of functions are identifiers: as operators they would get a wide space on both sides
    element = _OPERATOR.sub(r"<mi>\1</mi>", element)
    element = _FUNCTION.sub(r'\1<mspace width="0.167em" />', element)
    annotation = f'<annotation encoding="application/x-tex">{escape(latex.strip())}</annotation>'
    opening, body = element.split(">", 1)
    body = body.removesuffix("</math>")
    return f"{opening}><semantics>{body}{annotation}</semantics></math>"


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _display(self: HTML5Translator, node: nodes.math_block) -> None:
    # a formula that is wider than a phone can be scrolled, also with the keyboard
    attributes = {"class": "formula", "tabindex": "0", "role": "group", "aria-label": "formula"}
    self.body.append(self.starttag(node, "div", "", **attributes))
    self.body.append(mathml(node.astext(), display=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))

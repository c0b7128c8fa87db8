"""The rendered page: a Sphinx extension that makes the book load nothing from other sites.

``_config.yml`` names it. Formulas become MathML, figures become vector graphics that follow the
page's light or dark theme, Chinese is marked as Chinese, terms are explained where they first
stand, and scripts that nobody calls stay out.
"""

from importlib import import_module
from typing import Any

from sphinx.application import Sphinx

#: The parts of the page, each a module with a ``setup`` of its own.
PARTS = (
    "assets",
    "citations",
    "figures",
    "first_screen",
    "formulas",
    "front",
    "glosses",
    "languages",
    "lessons",
    "quiz",
    "references",
    "search",
    "signatures",
    "tables",
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register all parts of the page with Sphinx."""
    for part in PARTS:
        import_module(f"{__name__}.{part}").setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

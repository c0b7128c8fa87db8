"""The rendered page: a Sphinx extension that makes the book load nothing from other sites.

``_config.yml`` names it. Formulas become MathML, figures become vector graphics that follow the
page's light or dark theme, Chinese is marked as Chinese, and scripts that nobody calls stay out.
"""

from typing import Any

from sphinx.application import Sphinx

from course.publishing.page import (
    assets,
    figures,
    first_screen,
    formulas,
    front,
    languages,
    lessons,
    quiz,
    references,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register all parts of the page with Sphinx."""
    parts = (
        assets,
        figures,
        first_screen,
        formulas,
        front,
        languages,
        lessons,
        quiz,
        references,
    )
    for part in parts:
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

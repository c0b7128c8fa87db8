"""The HTML of a page, changed once Sphinx has written it."""

from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def change_body(app: Sphinx, change: Callable[[str], str]) -> None:
    """Have ``change`` make the body of every page from the one that Sphinx wrote."""

    def changed(
        app: Sphinx,
        pagename: str,
        templatename: str,
        context: dict[str, Any],
        doctree: nodes.document,
    ) -> None:
        if "body" in context:
            context["body"] = change(context["body"])

    app.connect("html-page-context", changed)

"""Changes to a page after Sphinx has written its text and before it is put into the layout."""

from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx


def change_context(
    app: Sphinx, change: Callable[[dict[str, Any]], None], priority: int = 500
) -> None:
    """Call ``change`` with what the layout of each page is filled with: ``body``, ``script_files``,
    ``css_files``, ...

    Args:
        priority: changes of a lower one come first.
    """
    app.connect("html-page-context", lambda *event: change(event[3]), priority)


def change_body(app: Sphinx, change: Callable[[str], str]) -> None:
    """Put what ``change`` makes of the HTML of each page in its place."""

    def changed(context: dict[str, Any]) -> None:
        if "body" in context:
            context["body"] = change(context["body"])

    change_context(app, changed)

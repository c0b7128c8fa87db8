"""What a page loads: the scripts that a page of this book calls, and nothing from elsewhere.

Left out are Thebe (code that runs in the page by way of Binder), the script of all icons (the few
that are used stand in ``_static/icons.css``) and, but for the page of search results, the index of
the search. ``_templates/layout.html`` leaves out what the theme writes into every page itself.
"""

from typing import Any

from sphinx.application import Sphinx

from course.publishing.page.hooks import change_context

#: Scripts that no page of the book calls.
_UNUSED = ("sphinx-thebe.js", "THEBE_JS_URL", "design-tabs.js")


def needed(scripts: list[Any], unused: tuple[str, ...] = _UNUSED) -> list[Any]:
    """The scripts of a page without those that it does not call, each of them once."""
    kept: dict[str, Any] = {}
    for script in scripts:
        text = f"{script.filename} {script.attributes.get('body', '')}"
        if not any(name in text for name in unused):
            kept.setdefault(text, script)
    return list(kept.values())


def _leave_out(context: dict[str, Any]) -> None:
    context["script_files"] = needed(context["script_files"])
    styles = [css for css in context["css_files"] if "sphinx-thebe" not in str(css.filename)]
    # what is meant for paper is said last, or the rules for screens would win
    context["css_files"] = sorted(styles, key=lambda css: "print.css" in str(css.filename))


def setup(app: Sphinx) -> None:
    change_context(app, _leave_out, priority=900)

"""The list of references, with roles that assistive technology accepts.

docutils calls it a list whose items are bibliography entries, which ARIA does not allow; without
these roles it is read as the text and the links that it is.
"""

from sphinx.application import Sphinx

from course.publishing.page.hooks import change_body

_ROLES = (
    (' role="list" class="citation-list"', ' class="citation-list"'),
    (' role="doc-biblioentry"', ""),
)


def without_roles(body: str) -> str:
    """The HTML of a page, its list of references without the roles that contradict each other."""
    for role, plain in _ROLES:
        body = body.replace(role, plain)
    return body


def setup(app: Sphinx) -> None:
    change_body(app, without_roles)

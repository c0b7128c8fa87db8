"""Signatures of the page of the package, of which each default is something that Python can read.

Sphinx shows a signature that it cannot read as it is, with marks of its own before the types.
"""

import re

from sphinx.application import Sphinx

#: What stands for a default that has no text of its own, such as the list that a dataclass makes.
_UNNAMED = re.compile(r"<factory>|<function <lambda>>")
_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")


def legible(signature: str | None) -> str | None:
    """A signature whose defaults are names or dots; None, which has none, stays."""
    return signature and _CLASS.sub(r"\1", _UNNAMED.sub("...", signature))


def setup(app: Sphinx) -> None:
    def processed(*event: object) -> tuple[str | None, str | None]:
        signature, returns = (part if isinstance(part, str) else None for part in event[-2:])
        return legible(signature), returns

    app.connect("autodoc-process-signature", processed)

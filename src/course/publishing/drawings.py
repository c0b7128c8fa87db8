"""The figures of executed notebooks as vector graphics: ``book/figures/HASH.svg``, and
``HASH-phone.svg`` for a narrow screen.

The hash is that of the PNG that the notebook stores, so that a drawing never stands in the place
of a newer one.

The notebooks keep the PNG alone, which Colab and GitHub show; the page of the book shows the SVG.
The kernel that draws them loads this module as an extension of IPython.
"""

import hashlib
import io
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.formatters import BaseFormatter, catch_format_error
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from traitlets import ObjectName, Unicode

from course.foundation.atomic_write import write_text
from course.plots.phone import for_phone

FOLDER = Path("book") / "figures"
_SVG, _PHONE = "image/svg+xml", "image/x-phone+svg"
#: Lets a kernel draw each figure in both formats, and once more for a phone.
KERNEL_ARGUMENTS = [
    "--InlineBackend.figure_formats={'png', 'svg'}",
    f"--IPKernelApp.extensions=['{__name__}']",
]
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


class _PhoneFormatter(BaseFormatter):
    """Shows what has an SVG for a narrow screen as such, besides its other formats."""

    format_type = Unicode(_PHONE)
    print_method = ObjectName("_repr_phone_svg_")
    _return_type = str

    @catch_format_error
    def __call__(self, obj: Any) -> str | None:
        # not registered for figures: the inline backend takes away what is, when it starts
        return _phone_svg(obj) if isinstance(obj, Figure) else None


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Let a kernel send each figure that needs it for a narrow screen, too."""
    display: Any = shell.display_formatter
    display.formatters[_PHONE] = _PhoneFormatter(parent=display)


def _phone_svg(figure: Figure) -> str | None:
    if (narrow := for_phone(figure)) is None:
        return None
    text = io.StringIO()
    narrow.savefig(text, format="svg", bbox_inches="tight")
    return text.getvalue()


def svg_path(root: Path, png: bytes) -> Path:
    """Where the vector graphic of a stored PNG lies."""
    return root / FOLDER / f"{hashlib.sha256(png).hexdigest()[:16]}.svg"


def phone_path(drawing: Path) -> Path:
    """Where a vector graphic's variant for a narrow screen lies, if it has one."""
    return drawing.with_stem(f"{drawing.stem}-phone")


def take_drawings(notebook: nbformat.NotebookNode, root: Path) -> None:
    """Move the SVGs of each output that has a PNG, too, from a notebook to their files."""
    for output in (o for cell in notebook.cells for o in cell.get("outputs", [])):
        svgs = [output.get("data", {}).pop(kind, None) for kind in (_SVG, _PHONE)]
        for kind in (_SVG, _PHONE):
            output.get("metadata", {}).pop(kind, None)
        if any(svgs) and "image/png" in output["data"]:
            path = svg_path(root, b64decode(output["data"]["image/png"]))
            path.parent.mkdir(parents=True, exist_ok=True)
            for place, svg in zip((path, phone_path(path)), svgs, strict=True):
                if svg:
                    write_text(place, _stable(svg))


def _stable(svg: str) -> str:
    """An SVG without the date and the version, which would make another file of the same figure."""
    lines = _METADATA.sub("", svg).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def redraw(stored: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> None:
    """Give a stored notebook the figures of one that was executed anew, and leave all text."""
    for cell, new in zip(stored.cells, executed.cells, strict=True):
        fresh = [o for o in new.get("outputs", []) if "image/png" in o.get("data", {})]
        old = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        for output, figure in zip(old, fresh, strict=True):
            output["data"]["image/png"] = figure["data"]["image/png"]


def stored_drawings(root: Path) -> Iterator[Path]:
    """Where the vector graphic of each figure in the notebooks lies."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    yield svg_path(root, b64decode(output["data"]["image/png"]))


def stale_drawings(root: Path) -> set[Path]:
    """Vector graphics in the folder whose PNG no notebook has any more."""
    wanted = set(stored_drawings(root))
    return set((root / FOLDER).glob("*.svg")) - wanted - {phone_path(path) for path in wanted}

"""The figures of executed notebooks as vector graphics: ``book/figures/HASH.svg``.

The hash is that of the PNG that the notebook stores, so that a drawing never stands in the place
of a newer one.

The notebooks keep the PNG alone, which Colab and GitHub show; the page of the book shows the SVG.
"""

import hashlib
import re
from base64 import b64decode
from pathlib import Path

import nbformat

from course.foundation.atomic_write import write_text

FOLDER = Path("book") / "figures"
#: Lets a kernel draw each figure in both formats.
KERNEL_ARGUMENTS = ["--InlineBackend.figure_formats={'png', 'svg'}"]
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


def svg_path(root: Path, png: bytes) -> Path:
    """Where the vector graphic of a stored PNG lies."""
    return root / FOLDER / f"{hashlib.sha256(png).hexdigest()[:16]}.svg"


def take_drawings(notebook: nbformat.NotebookNode, root: Path) -> None:
    """Move the SVG of each output that has a PNG, too, from a notebook to its file."""
    for output in (o for cell in notebook.cells for o in cell.get("outputs", [])):
        svg = output.get("data", {}).pop("image/svg+xml", None)
        output.get("metadata", {}).pop("image/svg+xml", None)
        if svg and "image/png" in output["data"]:
            path = svg_path(root, b64decode(output["data"]["image/png"]))
            path.parent.mkdir(parents=True, exist_ok=True)
            # the date and the version would make another file of the same figure
            lines = _METADATA.sub("", svg).splitlines()
            write_text(path, "\n".join(line.rstrip() for line in lines) + "\n")


def redraw(stored: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> None:
    """Give a stored notebook the figures of one that was executed anew, and leave all text."""
    for cell, new in zip(stored.cells, executed.cells, strict=True):
        fresh = [o for o in new.get("outputs", []) if "image/png" in o.get("data", {})]
        old = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        for output, figure in zip(old, fresh, strict=True):
            output["data"]["image/png"] = figure["data"]["image/png"]


def stale_drawings(root: Path) -> set[Path]:
    """Vector graphics in the folder whose PNG no notebook has any more."""
    wanted = {
        svg_path(root, b64decode(output["data"]["image/png"]))
        for path in (root / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }
    return set((root / FOLDER).glob("*.svg")) - wanted

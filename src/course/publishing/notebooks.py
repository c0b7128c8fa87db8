"""Execute the paired notebooks: ``python -m course.publishing.notebooks [NAME ...]`` writes
``notebooks/NAME.ipynb`` from ``book/NAME.md``.

The text in ``book/`` is what people edit. A page is paired if its front matter names a kernel.
Where only prose, tags or captions changed, ``--text`` takes them over without executing anything;
``--figures`` draws the figures anew, as PNG in the notebook and as SVG for the page.
"""

import argparse
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from course.foundation.atomic_write import write_text
from course.publishing.drawings import KERNEL_ARGUMENTS, redraw, stale_drawings, take_drawings

ROOT = Path.cwd()
#: Tags of cells whose code the page folds or leaves out. Colab knows none of them: it folds the
#: code of a cell in form view.
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
FORM_VIEW = {"cellView": "form"}


def paired_pages(root: Path = ROOT) -> list[str]:
    """The names of the pages that are notebooks, sorted."""
    pages = sorted((root / "book").glob("*.md"))
    return [
        page.stem
        for page in pages
        if "kernelspec:" in page.read_text(encoding="utf-8").split("\n---\n")[0]
    ]


def fresh_notebook(name: str, root: Path = ROOT) -> nbformat.NotebookNode:
    """The notebook of a page, without outputs."""
    notebook = jupytext.read(root / "book" / f"{name}.md")
    notebook.metadata.pop("jupytext", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if FOLDED.intersection(cell.metadata.get("tags", ())):
            cell.metadata.update(FORM_VIEW)
    return notebook


def execute(name: str, root: Path = ROOT) -> None:
    """Run a page from top to bottom and store it with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails; nothing is written then.
    """
    notebook = _executed(name, root)
    take_drawings(notebook, root)
    _store(notebook, name, root)


def draw(name: str, root: Path = ROOT) -> None:
    """Run a page, and store nothing of it but its figures.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails; nothing is written then.
    """
    notebook = _executed(name, root)
    take_drawings(notebook, root)
    stored = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)
    redraw(stored, notebook)
    _store(stored, name, root)


def _executed(name: str, root: Path) -> nbformat.NotebookNode:
    notebook = fresh_notebook(name, root)
    place = {"metadata": {"path": str(root)}}
    # what a cell prints is one output, however often it was flushed
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        coalesce_streams=True,
        resources=place,
        extra_arguments=list(KERNEL_ARGUMENTS),
    ).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def _store(notebook: nbformat.NotebookNode, name: str, root: Path) -> None:
    notebook.metadata["language_info"] = {"name": "python"}
    write_text(root / "notebooks" / f"{name}.ipynb", nbformat.writes(notebook) + "\n")


def update_text(name: str, root: Path = ROOT) -> None:
    """Take over the text and the tags of a page; its code cells keep the outputs that are stored.

    Raises:
        ValueError: if a code cell is not in the stored notebook, so that it must be executed.
    """
    notebook, path = fresh_notebook(name, root), root / "notebooks" / f"{name}.ipynb"
    stored = nbformat.read(path, as_version=4)
    ran = [cell for cell in stored.cells if cell.cell_type == "code"]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.source for cell in code] != [cell.source for cell in ran]:
        raise ValueError(
            f"{path}: its code is not that of book/{name}.md, so its outputs are not either; "
            f"execute it: python -m course.publishing.notebooks {name}"
        )
    for cell, old in zip(code, ran, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    _store(notebook, name, root)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Execute the notebooks of the book.")
    parser.add_argument("names", nargs="*", help="which (default: all)")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--text", action="store_true", help="take over prose and tags, run nothing")
    ways.add_argument("--figures", action="store_true", help="run, and store the figures alone")
    chosen = parser.parse_args(arguments)
    names = chosen.names
    pages = paired_pages()
    if not pages:
        parser.error(
            f"no pages of the book in {ROOT}/book; run this from the root of the repository"
        )
    if unknown := [name for name in names if name not in pages]:
        parser.error(f"no such page: {', '.join(unknown)}; choose from {', '.join(pages)}")
    store = update_text if chosen.text else draw if chosen.figures else execute
    for name in names or pages:
        store(name)
        print(f"notebooks/{name}.ipynb stored", flush=True)
    for drawing in stale_drawings(ROOT):
        drawing.unlink()


if __name__ == "__main__":
    main()

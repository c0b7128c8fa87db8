"""Execute the paired notebooks: ``python -m course.publishing.notebooks [NAME ...]`` writes
``notebooks/NAME.ipynb`` from ``book/NAME.md``.

The text in ``book/`` is what people edit. A page is paired if its front matter names a kernel.
"""

import argparse
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from course.foundation.atomic_write import write_text

ROOT = Path.cwd()


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
    return notebook


def execute(name: str, root: Path = ROOT) -> None:
    """Run a page from top to bottom and store it with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails; nothing is written then.
    """
    notebook = fresh_notebook(name, root)
    place = {"metadata": {"path": str(root)}}
    # what a cell prints is one output, however often it was flushed
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", coalesce_streams=True, resources=place
    ).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata["language_info"] = {"name": "python"}
    write_text(root / "notebooks" / f"{name}.ipynb", nbformat.writes(notebook) + "\n")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Execute the notebooks of the book.")
    parser.add_argument("names", nargs="*", help="which (default: all)")
    names = parser.parse_args(arguments).names
    pages = paired_pages()
    if not pages:
        parser.error(
            f"no pages of the book in {ROOT}/book; run this from the root of the repository"
        )
    if unknown := [name for name in names if name not in pages]:
        parser.error(f"no such page: {', '.join(unknown)}; choose from {', '.join(pages)}")
    for name in names or pages:
        execute(name)
        print(f"notebooks/{name}.ipynb executed", flush=True)


if __name__ == "__main__":
    main()

"""Vector graphics of a notebook's figures: bound to the PNG that is stored, and never stale."""

from base64 import b64encode
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course.plots import use_style
from course.publishing import notebooks
from course.publishing.drawings import (
    load_ipython_extension,
    phone_path,
    redraw,
    stale_drawings,
    svg_path,
    take_drawings,
)

SVG = "<svg>\n<metadata>\n<date/>\n</metadata> \n<g/></svg>"


def notebook(
    png: bytes, svg: str | None = None, text: str = "", phone: str | None = None
) -> nbformat.NotebookNode:
    data = {"image/png": b64encode(png).decode(), "text/plain": text}
    data |= {"image/x-phone+svg": phone} if phone else {}
    cell = new_code_cell("figure", execution_count=1)
    cell.outputs = [new_output("display_data", data | ({"image/svg+xml": svg} if svg else {}))]
    return new_notebook(cells=[cell])


def test_a_drawing_is_moved_to_a_file_that_its_picture_names(tmp_path):
    drawn = notebook(b"picture", SVG)
    take_drawings(drawn, tmp_path)
    assert "image/svg+xml" not in drawn.cells[0].outputs[0].data
    assert svg_path(tmp_path, b"picture").read_text(encoding="utf-8") == "<svg>\n<g/></svg>\n"
    assert not svg_path(tmp_path, b"another").exists()


def test_a_drawing_of_a_picture_that_is_gone_is_stale(tmp_path):
    take_drawings(notebook(b"old", SVG), tmp_path)
    (tmp_path / "notebooks").mkdir()
    new = notebook(b"new", SVG)
    take_drawings(new, tmp_path)
    nbformat.write(new, tmp_path / "notebooks" / "page.ipynb")
    assert stale_drawings(tmp_path) == {svg_path(tmp_path, b"old")}


def test_a_variant_for_phones_lies_beside_its_drawing_and_goes_with_it(tmp_path):
    take_drawings(notebook(b"old", SVG, phone=SVG), tmp_path)
    (tmp_path / "notebooks").mkdir()
    new = notebook(b"new", SVG, phone=SVG)
    take_drawings(new, tmp_path)
    assert set(new.cells[0].outputs[0].data) == {"image/png", "text/plain"}
    nbformat.write(new, tmp_path / "notebooks" / "page.ipynb")
    kept, gone = (svg_path(tmp_path, png) for png in (b"new", b"old"))
    assert phone_path(kept).is_file()
    assert stale_drawings(tmp_path) == {gone, phone_path(gone)}


def test_a_kernel_sends_wide_figures_for_a_phone_too():
    use_style()
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    load_ipython_extension(shell)
    for formatter in shell.display_formatter.formatters.values():
        formatter.pop(plt.Figure, None)  # as the inline backend does when it starts
    kinds = {}
    for inches in (4, 8):
        figure, ax = plt.subplots(figsize=(inches, 2))
        ax.set_title("a title")
        kinds[inches], _ = shell.display_formatter.format(figure)
        plt.close(figure)
    assert "image/x-phone+svg" not in kinds[4]
    assert "a title" in kinds[8]["image/x-phone+svg"]


def test_redrawing_changes_pictures_and_leaves_the_text():
    stored, executed = notebook(b"old", text="as it was"), notebook(b"new", text="another")
    redraw(stored, executed)
    assert stored.cells[0].outputs[0].data == {
        "image/png": b64encode(b"new").decode(),
        "text/plain": "as it was",
    }


PAGE = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

{text}

```{{code-cell}} ipython3
{code}
```
"""


def test_prose_is_taken_over_and_outputs_stay_unless_the_code_changed(tmp_path):
    for folder in ("book", "notebooks"):
        (tmp_path / folder).mkdir()
    page = tmp_path / "book" / "page.md"
    page.write_text(PAGE.format(text="old", code="1 + 1"), encoding="utf-8")
    first = notebooks.fresh_notebook("page", tmp_path)
    first.cells[1].outputs = [new_output("stream", text="2")]
    nbformat.write(first, tmp_path / "notebooks" / "page.ipynb")
    page.write_text(PAGE.format(text="new words", code="1 + 1"), encoding="utf-8")
    notebooks.update_text("page", tmp_path)
    stored = nbformat.read(tmp_path / "notebooks" / "page.ipynb", as_version=4)
    assert "new words" in stored.cells[0].source and stored.cells[1].outputs[0].text == "2"
    page.write_text(PAGE.format(text="new words", code="1 + 2"), encoding="utf-8")
    with pytest.raises(ValueError, match="its code is not that of book/page.md"):
        notebooks.update_text("page", tmp_path)

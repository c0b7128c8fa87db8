"""The stored notebooks are those of the text, whole, executed in order, and clean."""

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from course.publishing.notebooks import fresh_notebook, paired_pages
from course.studies import CLAIMS, REAL_CLAIMS
from course.studies.real_claims import is_measured

ROOT = Path(__file__).parents[2]
PAGES = paired_pages(ROOT)


def stored(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pairing_faults(page: nbformat.NotebookNode, notebook: nbformat.NotebookNode) -> list[str]:
    """Where a text and its notebook differ, in cells or in their tags."""
    faults = (
        []
        if len(page.cells) == len(notebook.cells)
        else [f"{len(page.cells)} cells in the text, {len(notebook.cells)} in the notebook"]
    )
    for i, (a, b) in enumerate(zip(page.cells, notebook.cells, strict=False)):
        if (a.cell_type, a.source.strip(), dict(a.metadata)) != (
            b.cell_type,
            b.source.strip(),
            dict(b.metadata),
        ):
            faults.append(f"cell {i} differs: {a.source[:60]!r} / {b.source[:60]!r}")
    return faults


def output_faults(notebook: nbformat.NotebookNode) -> list[str]:
    """Code cells that were not executed in order, and outputs that no reader should meet."""
    faults = []
    for position, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != position:
            faults.append(f"cell {position} has the execution count {cell.execution_count}")
        for output in cell.outputs:
            text = json.dumps(output)
            if output.output_type == "error":
                faults.append(f"cell {position} stored an error: {output.ename}")
            if output.get("name") == "stderr":
                faults.append(
                    f"cell {position} stored a warning or a progress bar: {output.text[:80]!r}"
                )
            if "image/svg" in text or "%|" in text or "Warning" in text:
                faults.append(f"cell {position} stored an SVG, a progress bar or a warning")
            if "image/png" in output.get("data", {}) and not cell.metadata.get("mystnb", {}).get(
                "image", {}
            ).get("alt"):
                faults.append(f"cell {position} draws a figure without alt text")
    return faults


def test_every_page_has_its_notebook_and_every_notebook_its_page():
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == PAGES
    assert "01-two-expectations" in PAGES


@pytest.mark.parametrize("name", PAGES)
def test_text_and_notebook_are_the_same(name):
    assert pairing_faults(fresh_notebook(name, ROOT), stored(name)) == []


@pytest.mark.parametrize("name", PAGES)
def test_what_the_page_folds_is_folded_in_colab_and_nothing_else(name):
    cells = stored(name).cells
    folded = [cell.metadata.get("cellView") == "form" for cell in cells]
    tags = [set(cell.metadata.get("tags", ())) for cell in cells]
    assert folded == [any(tag.startswith(("hide-", "remove-")) for tag in own) for own in tags]
    assert any(folded)


@pytest.mark.parametrize("name", PAGES)
def test_every_cell_was_executed_in_order_with_clean_outputs(name):
    notebook = stored(name)
    assert output_faults(notebook) == []
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", PAGES)
def test_the_outputs_are_there(name):
    """A cell that prints or ends in a value has something stored; a figure has its picture."""
    for cell in code_cells(stored(name)):
        if re.search(r"^\s*print\(", cell.source, re.M):
            assert any(o.output_type == "stream" for o in cell.outputs), cell.source
        if "figure = plots." in cell.source:
            assert any("image/png" in o.get("data", {}) for o in cell.outputs), cell.source


def shown_claims(name: str) -> list[tuple[str, str, str]]:
    """Number, verdict and statement of each line of the tables of claims on a page."""
    plain = [
        o.get("data", {}).get("text/plain", "") for c in code_cells(stored(name)) for o in c.outputs
    ]
    verdicts = r"^(\d\w?) (holds|fails|undecided|shown): (.*)$"
    return [line for text in plain for line in re.findall(verdicts, text, re.M)]


def expected_lines() -> list[tuple[str, str, str]]:
    stated = (*CLAIMS, *filter(is_measured, REAL_CLAIMS))
    return sorted((c.number, getattr(c, "expected", "shown"), c.statement) for c in stated)


def test_every_claim_stands_in_one_chapter_with_the_verdict_that_is_expected():
    chapters = [name for name in PAGES if name[0].isdigit()]
    assert all(shown_claims(name) for name in chapters)
    assert sorted(line for name in chapters for line in shown_claims(name)) == expected_lines()


def test_one_page_has_all_claims():
    assert sorted(shown_claims("claims")) == expected_lines()
    page = (ROOT / "book" / "claims.md").read_text(encoding="utf-8")
    for name in (name for name in PAGES if name[0].isdigit()):
        text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
        tables = re.findall(r"^studies\.claims_table\((.*)\)$", text, re.M)
        cell = f"```{{code-cell}} ipython3\nstudies.claims_table({', '.join(tables)})"
        assert f"({name}.ipynb)\n\n{cell}" in page


def test_chapters_end_with_claims():
    for name in PAGES:
        if name[0].isdigit():
            text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
            assert (
                text.index("**The question of this chapter.**")
                < text.index("## Exercises")
                < text.index("## Claims")
            )


def test_the_checkers_see_what_is_wrong():
    """Each fault that the checks above look for, made on purpose."""
    page, notebook = fresh_notebook(PAGES[0], ROOT), stored(PAGES[0])
    cells = code_cells(notebook)
    cells[1].execution_count = None
    assert any("execution count None" in fault for fault in output_faults(notebook))
    cells[1].execution_count = 2
    for output, message in (
        (
            nbformat.v4.new_output("stream", name="stderr", text="UserWarning: x"),
            "warning or a progress bar",
        ),
        (
            nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[]),
            "stored an error",
        ),
        (nbformat.v4.new_output("display_data", {"image/svg+xml": "<svg/>"}), "SVG"),
        (nbformat.v4.new_output("display_data", {"image/png": "x"}), "without alt text"),
    ):
        cells[1].outputs.append(output)
        assert any(message in fault for fault in output_faults(notebook)), message
        cells[1].outputs.pop()
    notebook.cells[3].source += " "
    assert pairing_faults(page, notebook) == []
    notebook.cells[3].source += "changed"
    assert len(pairing_faults(page, notebook)) == 1
    notebook.cells.pop()
    assert len(pairing_faults(page, notebook)) == 2


def test_jupytext_keeps_tags_and_alt_text_in_a_round_trip():
    for name in PAGES:
        notebook = fresh_notebook(name, ROOT)
        again = jupytext.reads(jupytext.writes(notebook, fmt="md:myst"), fmt="md:myst")
        assert [(c.cell_type, c.source) for c in again.cells] == [
            (c.cell_type, c.source) for c in notebook.cells
        ]
        assert [dict(c.metadata) for c in again.cells] == [dict(c.metadata) for c in notebook.cells]

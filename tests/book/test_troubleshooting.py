"""The cells of the troubleshooting page run from top to bottom and print what stands below them."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "book" / "troubleshooting.md"
#: A cell, and what it prints, if that is shown.
CELL = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def printed(cells: list[str]) -> list[str]:
    """What each cell prints, all in one namespace."""
    names: dict[str, object] = {}
    outputs = []
    for cell in cells:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(cell, PAGE.name, "exec"), names)
        outputs.append(output.getvalue())
    return outputs


def test_every_entry_has_a_cell():
    entries = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    assert [entry.split("\n")[0] for entry in entries if not re.search(r"```\w", entry)] == []


def test_cells_print_what_is_shown(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    cells = CELL.findall(PAGE.read_text(encoding="utf-8"))
    assert printed([code for code, _ in cells]) == [shown for _, shown in cells]

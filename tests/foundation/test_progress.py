"""Progress bars: for those who watch, and in nothing that is stored."""

import nbformat
import pytest
from nbclient import NotebookClient

from course.foundation import progress

CELL = """
from course.foundation.progress import in_notebook, progress_bar
with progress_bar("fit", 0, 3) as bar:
    for _ in range(3):
        bar.update()
print(in_notebook(), bar.disable)
"""


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    for name in (progress.SWITCH, *progress._LIVE):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("stdout", "stderr", "shown"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_terminal_shows_a_bar_and_a_file_gets_none(stdout, stderr, shown, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout)
    monkeypatch.setattr("sys.stderr.isatty", lambda: stderr)
    assert progress.is_watched() == shown


@pytest.mark.parametrize(
    ("live", "shown"), [(None, False), *((name, True) for name in progress._LIVE)]
)
def test_only_an_open_notebook_shows_a_bar(live, shown, monkeypatch):
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    if live:
        monkeypatch.setenv(live, "1")
    assert progress.is_watched() == shown


@pytest.mark.parametrize("value", ["0", "1"])
def test_the_switch_decides(value, monkeypatch, capsys):
    monkeypatch.setenv(progress.SWITCH, value)
    with progress.progress_bar("fit", 2, 5) as bar:
        bar.update()
    assert ("fit" in capsys.readouterr().err) == (value == "1")


def test_an_unknown_switch_is_refused(monkeypatch):
    monkeypatch.setenv(progress.SWITCH, "yes")
    with pytest.raises(ValueError, match="COURSE_PROGRESS='yes': expected 0"):
        progress.is_watched()


def test_an_executed_notebook_stores_no_bar():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.text == "True True\n"

"""Colab: a notebook alone in an empty folder, on a machine that has the usual packages but not
``course``.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest

from course.publishing import site

ROOT = Path(__file__).parents[2]
CHAPTER = "01-two-expectations"
URL = "https://github.com/teacher/course"
#: Versions other than the pins that a machine may have: those of its kernel stay.
THERE = {"torch": "2.14.1", "numpy": "2.4.0"}
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"),
    reason="needs the repository, to install from a clone of it",
)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A teacher", "-c", "user.email=teacher@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def archive(folder: Path) -> Path:
    """The archive that readers download."""
    git(
        ROOT, "archive", "--prefix", "course-main/", "--output", str(folder / "archive.zip"), "HEAD"
    )
    return folder / "archive.zip"


def with_version(metadata: Path, version: str, folder: Path) -> None:
    """A copy of a distribution's metadata that says another version."""
    name = metadata.name.split("-")[0]
    copy = Path(shutil.copytree(metadata, folder / f"{name}-{version}.dist-info"))
    text = (copy / "METADATA").read_text(encoding="utf-8")
    (copy / "METADATA").write_text(
        re.sub(r"^Version: .*$", f"Version: {version}", text, count=1, flags=re.MULTILINE),
        encoding="utf-8",
    )


class Machine:
    """A virtual environment with links to the packages of this one, except for the course, and an
    empty folder to work in.
    """

    def __init__(self, folder: Path):
        venv.create(folder / "environment", with_pip=False)
        self.python = folder / "environment" / "bin" / "python"
        self.folder = folder / "colab"
        self.folder.mkdir()
        self.settings = {
            name: value for name, value in os.environ.items() if name != "PYTHONPATH"
        } | {
            # sic: the variable is read as the value of "build isolation"
            "PIP_NO_BUILD_ISOLATION": "0",
            # what the course needs is there; if anything else were wanted, it could not be fetched
            "PIP_NO_INDEX": "1",
            "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        }
        (self.packages,) = (folder / "environment").glob("lib/python*/site-packages")
        for found in Path(sys.prefix).glob("lib/python*/site-packages/*"):
            name = found.name.split("-")[0]
            if found.suffix == ".dist-info" and name in THERE:
                with_version(found, THERE[name], self.packages)
            elif not found.name.startswith(("__editable__", "finetuning_vs_prompting", "course")):
                (self.packages / found.name).symlink_to(found)
        assert "No module named 'course'" in self.run("-c", "import course").stderr

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
        command = [str(self.python), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.settings | settings, capture_output=True, text=True
        )

    def notebook(self, path: Path, **settings: str) -> nbformat.NotebookNode:
        """Run a copy of a notebook; it, with its outputs."""
        alone = shutil.copy(path, self.folder)
        ran = self.run("-c", RUN, str(alone), **settings)
        assert ran.returncode == 0, ran.stderr[-3000:]
        return nbformat.read(alone, as_version=4)

    def has_course(self) -> bool:
        """Whether the course was installed, and what was there has stayed."""
        places = {path.name for name in THERE for path in self.packages.glob(f"{name}-*.dist-info")}
        assert places == {f"{name}-{version}.dist-info" for name, version in THERE.items()}
        return (self.packages / "course" / "__init__.py").is_file() and not (
            self.packages / "course"
        ).is_symlink()


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.skipif(site.repository(ROOT) is not None, reason="the course has an address")
def test_a_notebook_alone_says_where_to_get_the_course_and_runs_with_its_archive(machine):
    chapter = ROOT / "notebooks" / f"{CHAPTER}.ipynb"
    cell = next(
        c.source for c in nbformat.read(chapter, as_version=4).cells if c.cell_type == "code"
    )
    told = machine.run("-c", cell)
    assert (
        "ImportError: The course is not installed. Download its archive from where you read this "
        "page"
    ) in told.stderr
    archive(machine.folder)
    installed = machine.run("-m", "pip", "install", "-q", "./archive.zip")
    assert installed.returncode == 0 and machine.has_course(), installed.stderr
    cells = [cell for cell in machine.notebook(chapter).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    (table,) = cells[-1].outputs
    assert " holds: " in table["data"]["text/plain"] and "<svg" in table["data"]["text/html"]


def test_a_notebook_alone_installs_the_course_from_its_address(machine, tmp_path):
    # a repository of its own: CI's is shallow, and pip, which asks for a part of it, would fetch
    # from such a one without end
    shutil.unpack_archive(archive(tmp_path), tmp_path)
    published = tmp_path / "course-main"
    site.set_address(URL, published)
    for command in (
        "init --quiet",
        "add --all",
        "commit --quiet --message Published",
        f"tag {site.tag(published)}",
    ):
        git(published, *command.split())
    notebook = nbformat.read(published / "notebooks" / f"{CHAPTER}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
    first = tmp_path / "first-cell.ipynb"
    nbformat.write(notebook, first)
    leads_there = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": URL,
    }
    machine.notebook(first, **leads_there)
    assert machine.has_course()
    assert machine.run("-c", "import course.pretraining.recipes").returncode == 0

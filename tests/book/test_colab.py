"""Colab: a notebook alone in an empty folder, on a machine that has the usual packages but not ``course``."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from course import site

ROOT = Path(__file__).parents[2]
CHAPTER = "01-two-expectations"
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


def environment_without_course(folder: Path) -> Path:
    """A new virtual environment with links to the packages of this one, except for the course; returns its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    for found in Path(sys.prefix).glob("lib/python*/site-packages/*"):
        if not found.name.startswith(("__editable__", "finetuning_vs_prompting", "course")):
            (packages / found.name).symlink_to(found)
    missing = subprocess.run([str(python), "-c", "import course"], cwd=folder, env=clean(), capture_output=True, text=True)
    assert "No module named 'course'" in missing.stderr
    return python


def clean(**settings: str) -> dict[str, str]:
    """The environment variables of this process, without those that would let it find the course or the guard."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs the repository, to install from a clone of it")
def test_a_notebook_alone_installs_the_course_and_runs(tmp_path):
    clone, alone = tmp_path / "clone.git", tmp_path / "colab"
    alone.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(clone)], check=True)
    tag = site.install_line().rsplit("@", 1)[1]
    subprocess.run(["git", "-C", str(clone), "tag", "--force", tag, "HEAD"], check=True, capture_output=True)
    notebook = Path(shutil.copy(ROOT / "notebooks" / f"{CHAPTER}.ipynb", alone))
    python = environment_without_course(tmp_path / "environment")
    settings = clean(
        # the repository's address leads to the clone, and what the course needs is there, so nothing is fetched
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{clone.as_uri()}.insteadOf",
        GIT_CONFIG_VALUE_0=site.repository(),
        PIP_NO_BUILD_ISOLATION="0",  # sic: the variable is read as the value of "build isolation"
        PIP_NO_INDEX="1",
        JUPYTER_DATA_DIR=str(tmp_path / "jupyter"),
    )
    run = subprocess.run([str(python), "-c", RUN, str(notebook)], cwd=alone, env=settings, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    (installed,) = (tmp_path / "environment").glob("lib/python*/site-packages/course/__init__.py")
    assert not installed.is_symlink()
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    claims = "".join("".join(output.get("text", "")) for output in cells[-1]["outputs"])
    assert "holds" in claims and "does not hold" not in claims

"""Chapter 1 with real architectures in place of the shipped models: it runs from top to bottom against a hub on loopback."""

import os
from pathlib import Path

import nbformat
import pytest
from checkpoints import bert, smollm2
from nbclient import NotebookClient
from server import Hub

from course import english
from course.in_context import queries
from course.models import HUB

CHAPTER = Path(__file__).parents[2] / "notebooks" / "01-two-expectations.ipynb"


def chapter_texts() -> list[str]:
    """What the chapter says to its models in the hub tier, so that toy tokenizers know the words."""
    blanks = [blank.for_bert(blank.word) for kind in english.blank_sets(40).values() for blank in kind]
    series = [" " + " ".join(words) for words in english.SERIES]
    asked = [f"{query.prompt} {query.output}" for task in english.TASKS for query in queries(task, 2, 40)]
    return 3 * [*blanks, *series, *asked, *english.PROMPTS, english.PHRASE]


def run_chapter(path: Path, hub: Hub, folder: Path) -> list[str]:
    """Run a notebook in a kernel of the hub tier; what each code cell printed."""
    notebook = nbformat.read(path, as_version=4)
    settings = {"COURSE_TIER": "hub", "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | settings)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(output.get("text", "") for output in cell.outputs if output.get("name") == "stdout") for cell in code]


@pytest.mark.xfail(reason="the chapter still asks real models about the micro-world", strict=False)
def test_the_chapter_runs_from_top_to_bottom(hub, tmp_path):
    texts = chapter_texts()
    hub.add("models", HUB["gpt-middle"].repository, smollm2(texts))
    hub.add("models", HUB["bert-middle"].repository, bert(texts))
    printed = "\n".join(run_chapter(Path(os.environ.get("CHAPTER", CHAPTER)), hub, tmp_path))
    assert "The capital of ____ is Paris ." in printed or "capital of" in printed
    assert "dorland" not in printed and "velan" not in printed
    assert (tmp_path / "course-hub-lock.json").exists()

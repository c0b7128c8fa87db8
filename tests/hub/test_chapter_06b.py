"""The page on written prompts with real architectures: it runs from top to bottom against a hub on
loopback.
"""

import json
import os
from pathlib import Path

import pytest
from hub.chapters import chapter_texts, run_chapter, serve
from hub.checkpoints import smollm2

from course import reasoning
from course.lm.language_model import load
from course.prompting.prompts import PLAIN
from course.search import AskedWriter, OpeningWriter, WrittenPrompts, answers, search
from course.search.triggers import triggers
from course.search.writers import REQUEST, VARIATION
from course.tasks.instruction_induction import FOLDER_VARIABLE, load_induction_task

BENCHMARK = Path(
    os.environ.get(FOLDER_VARIABLE)
    or Path(__file__).parents[3] / "shared" / "data" / "instruction-induction"
)
CHAPTER = Path(__file__).parents[2] / "notebooks" / "06b-written-prompts.ipynb"


@pytest.fixture
def served(hub):
    shopping = [
        p.question
        for steps in (2, 3)
        for p in reasoning.problems("shopping", steps, 20, wanted_tier="hub")
    ]
    texts = [
        *chapter_texts(),
        REQUEST,
        VARIATION,
        *shopping,
        "Question: Answer: Input: Output: The answer is.",
    ]
    serve(
        hub,
        {
            "gpt-middle": smollm2(texts, window=2048),
            "gpt-tuned": smollm2(texts, tuned=True, window=2048),
        },
        ("sentiment",),
    )


def induction_folder(path: Path) -> Path:
    """The benchmark's layout with one small task."""
    for name, content in {
        "execute/antonyms.json": {
            "examples": {str(i): {"input": f"word{i}", "output": f"not{i}"} for i in range(20)}
        },
        "annotations/antonyms.json": {
            "annotations": [
                "Write a word that means the opposite of the input word.",
                "Name the opposite.",
            ]
        },
    }.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(json.dumps(content), encoding="utf-8")
    return path


def test_instructions_of_the_benchmark_are_searched_with_real_models(
    served, client, monkeypatch, tmp_path
):
    monkeypatch.setenv("COURSE_TIER", "hub")
    task = load_induction_task("antonyms", induction_folder(tmp_path))
    objective = answers(task, 4, 4, template=PLAIN)
    assert objective.train[0].metric == "instruction_induction.exact" and not {
        q.prompt.query for q in objective.train
    } & {q.prompt.query for q in objective.test}
    method = WrittenPrompts(
        AskedWriter(load("gpt-tuned")), count=3, best=1, variations=2, start=task.instructions
    )
    found = search(method, objective, load("gpt-middle"), budget=60)
    assert found.prompt and 0 <= found.held_out <= 100


def test_a_trigger_is_searched_with_real_models(served, client, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    model, objective = load("gpt-middle"), triggers("shopping", train=2, test=2)
    found = search(
        WrittenPrompts(OpeningWriter(model, "shopping"), count=3, resampled=0),
        objective,
        model,
        budget=20,
    )
    assert found.prompt.endswith(".") and found.calls <= 20


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path, monkeypatch):
    for name in (FOLDER_VARIABLE, "COURSE_DATA"):
        monkeypatch.delenv(name, raising=False)
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "found:" in printed and "sentiment:" in printed and "gerund" not in printed


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the instruction-induction data is not at hand")
def test_the_chapter_searches_a_task_of_the_benchmark(hub, served, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(BENCHMARK))
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "antonyms:" in printed and "sentiment:" not in printed

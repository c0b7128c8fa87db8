"""A hub on loopback, and a client whose cache, lock file and patience are those of one test."""

import time

import datasets
import pytest
from hub import checkpoints
from hub.server import Hub
from huggingface_hub import close_session, constants
from transformers.utils import logging as hf_logging

from course.models import hub as course_hub

#: What the toy tokenizers are trained on.
TEXTS = [
    "The capital of France is Paris .",
    "hot : cold \n young : old \n fast : slow",
    "one two three four five six seven",
] * 5


@pytest.fixture(scope="session")
def toys():
    """Toy checkpoints by architecture, made once."""
    hf_logging.disable_progress_bar()
    made = {
        f.__name__: f(TEXTS)
        for f in (
            checkpoints.gpt2,
            checkpoints.smollm2,
            checkpoints.llama,
            checkpoints.qwen2,
            checkpoints.bert,
        )
    }
    hf_logging.enable_progress_bar()
    return made | {"tuned": checkpoints.smollm2(TEXTS, tuned=True)}


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


@pytest.fixture
def client(hub, tmp_path, monkeypatch):
    """``huggingface_hub`` pointed at the loopback hub, with an empty cache and short waits; the
    folder that it all happens in.
    """
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.5)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(course_hub, "WAIT", 0.01)
    # the library's waits between its own retries
    nap = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: nap(min(seconds, 0.01)))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    close_session()

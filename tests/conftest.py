"""Which tests are slow: ``make check`` leaves them out, ``make test`` runs them all."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Folders and files whose tests serve a hub, start other processes (Ray, two trainings, a server, a
#: second interpreter, a browser), pretrain or load a real model.
SLOW = (
    "book/test_colab.py",
    "book/test_encodings.py",
    "browser",
    "compare/test_running.py",
    "hub",
    "lm/test_openai_api.py",
    "pretraining/test_train.py",
    "prompting/test_sweeps.py",
    "real",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(HERE / place) for place in SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_configure() -> None:
    missing = [place for place in SLOW if not (HERE / place).exists()]
    assert not missing, f"no such tests: {', '.join(missing)}; correct SLOW in {__file__}"

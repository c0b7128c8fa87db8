"""The rendered book in headless Chromium, for the tests in this folder.

They need Playwright (an extra, ``browser``), a Chromium on the machine and the book in
``_build/html`` (``make book``); where one is missing they are skipped, and say which.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "_build" / "html"


def chromium() -> str | None:
    """The path of a Chromium: the variable CHROMIUM, or what the machine has."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium, driven by Playwright."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="left out: Playwright is not installed (extra 'browser')"
    )
    if (path := chromium()) is None:
        pytest.skip("left out: no Chromium on this machine (or name one in CHROMIUM)")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def pages() -> list[Path]:
    """Every page of the book that is read (not the indexes of names)."""
    found = sorted([*BOOK.glob("book/*.html"), *BOOK.glob("notebooks/*.html")])
    if not found:
        pytest.skip("left out: the book is not built (make book)")
    return found

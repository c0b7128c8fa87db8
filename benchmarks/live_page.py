"""How long a reader waits for a live model of the book: from the first click in a widget, with no
weights loaded, to its first answer, and from the second click to the next.

``python benchmarks/live_page.py`` after ``make book`` (extra ``browser``). Each widget is asked in
a browser of its own, from the local file, so that nothing is cached. What a slow line adds is the
size of the files of weights, which is printed: divide it by the line's speed.
"""

import os
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from course.publishing.live import FOLDER
from course.publishing.pdf import BOOK, chromium

WORDS = (".live-word:nth-child(2)", ".live-word:nth-child(3)")
#: A widget, its page, and what asks its model, twice.
ASKED = (
    ("front", "book/index", *WORDS),
    ("cloze", "notebooks/01-two-expectations", *WORDS),
    ("demonstrations", "notebooks/04-in-context", ".live-chip", '[data-key="flip0"]'),
    ("chain", "notebooks/05-chain-of-thought", '[data-key="greedy"]', '[data-key="one"]'),
)
RUNS = 5
DONE = "name => document.querySelector(`[data-live='${name}']`).dataset.state === 'done'"


def waited(browser: Browser, name: str, page: str, *buttons: str) -> tuple[list[float], int]:
    """Seconds to the answer of each click, and the bytes of weights that were loaded."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    tab = context.new_page()
    loaded: set[str] = set()
    tab.on("request", lambda request: loaded.add(request.url.rsplit("/", 1)[-1]))
    tab.goto((BOOK / f"{page}.html").resolve().as_uri())
    widget = tab.locator(f'[data-live="{name}"]')
    widget.scroll_into_view_if_needed()
    tab.wait_for_function(DONE.replace("'done'", "'ready'"), arg=name)
    seconds = []
    for button in buttons:
        start = time.perf_counter()
        widget.locator(button).first.click()
        tab.wait_for_function(DONE, arg=name)
        seconds.append(time.perf_counter() - start)
    context.close()
    weights = [Path(BOOK, FOLDER, file) for file in loaded if file.startswith("weights-")]
    return seconds, sum(file.stat().st_size for file in weights)


def main() -> None:
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; {RUNS} runs, in seconds")
    print(f"{'':16}{'first answer':>24}{'next':>20}{'MB loaded':>12}")
    print(f"{'':16}{'fastest':>14}{'slowest':>10}{'fastest':>10}{'slowest':>10}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for name, page, *buttons in ASKED:
            runs = [waited(browser, name, page, *buttons) for _ in range(RUNS)]
            first, after = zip(*(seconds for seconds, _ in runs), strict=True)
            print(f"{name:16}{min(first):14.2f}{max(first):10.2f}", end="")
            print(f"{min(after):10.2f}{max(after):10.2f}{runs[0][1] / 1e6:12.1f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()

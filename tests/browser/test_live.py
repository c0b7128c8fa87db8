"""The live models in Chromium: every widget of the book is clicked through by the keyboard and
answers what PyTorch and the exact posterior answer, from file:// and without a request to anybody.
"""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from course.publishing.live import FOLDER

#: The models answer within a second or two; a machine may be many times slower.
LIMIT = 120_000
SHOWN = {"\n": "⏎", "[END]": "(end)"}


@pytest.fixture(scope="module")
def places(pages) -> dict[str, Path]:
    """Name of a widget -> the page that has it."""
    return {
        name: page
        for page in pages
        for name in re.findall(r'data-live="([\w-]+)"', page.read_text(encoding="utf-8"))
    }


@pytest.fixture(scope="module")
def data(places) -> dict[str, dict]:
    """Name of a widget -> its data, as the built book has them."""
    every = {}
    for name, page in places.items():
        script = page.parents[1] / FOLDER / f"data-{name}.js"
        every[name] = json.loads(script.read_text(encoding="utf-8").split(",", 1)[1][:-3])
    return every


@pytest.fixture(scope="module")
def opened(browser, places) -> Callable[[str], "Widget"]:
    """Opens the page of a widget, once; what it asks for and its errors stand in lists."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(LIMIT)
    tabs = {}

    def widget(name: str) -> Widget:
        page = places[name]
        if page not in tabs:
            tab = tabs[page] = context.new_page()
            tab.goto(page.as_uri())
            # from here on: what the page itself does has tests of its own
            tab.requests, tab.errors = [], []
            tab.on("request", lambda request: tab.requests.append(request.url))
            tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        return Widget(tabs[page], name)

    yield widget
    context.close()


class Widget:
    """A widget of a page, and what a reader does with it."""

    def __init__(self, tab, name: str):
        self.tab, self.place = tab, tab.locator(f'[data-live="{name}"]')
        self.place.scroll_into_view_if_needed()
        self.wait("ready", "done")

    def wait(self, *states: str) -> None:
        self.tab.wait_for_function(
            "([place, states]) => states.includes(place.dataset.state)",
            arg=[self.place.element_handle(), list(states)],
        )

    def press(self, selector: str) -> None:
        """Press a button by the keyboard alone, and wait for the answer."""
        self.place.locator(selector).first.focus()
        self.key("Enter")

    def key(self, name: str) -> None:
        self.tab.keyboard.press(name)
        self.wait("done", "failed")
        assert self.place.get_attribute("data-state") == "done", self.text(".live-status")

    def text(self, selector: str) -> str:
        return self.place.locator(selector).inner_text()

    def shares(self) -> dict[str, dict[str, str]]:
        """Title of a table -> word -> its share as a reader reads it."""
        return self.place.evaluate(
            """place => Object.fromEntries([...place.querySelectorAll('table')].map(table => [
              table.caption.textContent,
              Object.fromEntries([...table.rows].map(row => [
                row.cells[0].firstChild.textContent, row.cells[row.cells.length - 1].textContent]))
            ]))"""
        )


def in_percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{math.floor(100 * share + 0.5)} %"


def close(shown: dict[str, str], wanted: dict[str, float]) -> bool:
    """Whether words and shares are the same, up to the rounding of the recorded ones."""
    numbers = {word: float(text.strip("<% ")) for word, text in shown.items()}
    return list(numbers) == list(wanted) and all(
        abs(numbers[word] - 100 * share) <= 1.01 for word, share in wanted.items()
    )


@pytest.mark.parametrize("name", ["front", "cloze"])
def test_the_blank_moves_and_both_models_fill_it_as_in_pytorch(opened, data, name):
    widget, own = opened(name), data[name]
    recorded = {
        column["title"]: {SHOWN.get(w, w): p for w, p in column["rows"]}
        for column in own["recorded"]
    }
    first = widget.shares()
    assert all(close(first[title], rows) for title, rows in recorded.items())
    widget.press(".live-word[aria-checked=true] + button, .live-word")
    assert widget.shares() != first
    assert "Blank in place of" in widget.text(".live-aloud")
    widget.press(f".live-word:nth-child({own['at'] + 1})")
    assert all(close(widget.shares()[title], rows) for title, rows in recorded.items())
    widget.key("ArrowLeft")
    assert widget.text(".live-out") == f"Taken out: {own['sentence'][own['at'] - 1]}"


def test_a_sentence_is_built_from_chips_and_no_unknown_word_can_be_written(opened, data):
    widget = opened("cloze")
    assert widget.place.locator("input[type=text], textarea, [contenteditable]").count() == 0
    widget.press("text=start with an empty line")
    words = [group["words"][0] for group in data["cloze"]["chips"]]
    for word in words:
        widget.press(f'[aria-label="add {word}"]')
    assert widget.text(".live-line").split()[1:] == words
    widget.press("text=take back the last word")
    assert widget.text(".live-line").split()[1:] == words[:-1]
    widget.press("text=first sentence")
    line = [*data["cloze"]["sentence"]]
    line[data["cloze"]["at"]] = "____"
    assert widget.text(".live-line").split() == line


def test_demonstrations_move_the_model_and_the_exact_posterior(opened, data):
    widget, own = opened("demonstrations"), data["demonstrations"]

    def best(state: str) -> None:
        shown = widget.shares()["Best possible"]
        wanted = [in_percent(p) for p in own["posterior"][state]]
        assert [shown[label] for label in own["labels"]] == wanted
        assert f"{state.count('+') + state.count('-')} demonstrations" in widget.text(".live-aloud")

    widget.press(".live-chip")
    best("0+1+2+")
    widget.press('[data-key="flip0"]')
    best("0-1+2+")
    widget.press('[data-key="move down0"]')
    best("1+0-2+")
    widget.press('[data-key="all"]')
    best("1-0+2-")
    widget.press('[data-key="delete2"]')
    best("1-0+")
    widget.press('[data-key="flip1"]')
    widget.press('[data-key="move down1"]')
    best("0+1+")
    recorded = dict(zip(own["labels"], own["recorded"][0]["rows"], strict=True))
    shown = widget.shares()["GPT"]
    assert close({label: shown[label] for label in recorded}, recorded)


def test_a_chain_unfolds_and_votes_are_counted(opened, data):
    widget, own = opened("chain"), data["chain"]
    widget.press('[data-key="greedy"]')
    assert widget.text(".live-chains").strip(" ✓✗\n") == own["recorded"]
    widget.press('[data-key="many"]')
    votes = widget.shares()["Votes"]
    assert sum(int(text.split()[0]) for text in votes.values()) == 8
    assert widget.place.locator(".live-chains li").count() == 8
    widget.press('[data-key="one"]')
    assert widget.place.locator(".live-chains li").count() == 9
    assert "9 chains" in widget.text(".live-aloud")
    widget.place.locator("select").first.select_option("1")
    assert widget.text(".live-question") == own["problems"][1]["question"]
    assert widget.place.locator(".live-chains li").count() == 0


@pytest.mark.parametrize("name", ["knob", "samples", "budget"])
def test_a_slider_shows_the_recorded_figures(opened, data, name):
    widget, own = opened(name), data[name]
    widget.place.locator("input").focus()
    for option, values in enumerate(own["values"]):
        if option:
            widget.key("ArrowRight")
        assert widget.text("output") == own["options"][option]
        (shown,) = widget.shares().values()
        assert list(shown.values()) == [f"{mean:.1f} %" for mean, _, _ in values]


def test_nothing_was_asked_of_anybody_and_nothing_failed(opened, places):
    for name in places:
        tab = opened(name).tab
        assert tab.errors == [] and not [u for u in tab.requests if not u.startswith("file:")]


def test_the_widgets_fit_a_phone(opened, places):
    for name in places:
        widget = opened(name)
        widget.tab.set_viewport_size({"width": 390, "height": 800})
        cut = widget.place.evaluate(
            """place => [place, ...place.querySelectorAll(':not(.live-aloud)')]
                .filter(e => e.clientWidth && getComputedStyle(e).display !== 'inline')
                .filter(e => e.scrollWidth > e.clientWidth + 1)
                .map(e => e.outerHTML.slice(0, 80))"""
        )
        assert cut == []


def test_without_javascript_the_first_answers_stand_there(browser, places, data):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    first = {
        "blank": lambda own: [column["title"] for column in own["recorded"]],
        "demonstrations": lambda own: [own["query"], *own["labels"]],
        "chain": lambda own: [own["recorded"]],
        "slider": lambda own: [own["options"][0], *(name for name, _ in own["rows"])],
    }
    for name, page in places.items():
        tab.goto(page.as_uri())
        text = tab.locator(f'[data-live="{name}"]').inner_text()
        assert all(part in text for part in first[data[name]["kind"]](data[name]))
    context.close()


def test_weights_load_only_when_somebody_asks(browser, places):
    tab = browser.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(Path(request.url).name))
    for name, page in places.items():
        tab.goto(page.as_uri())
        Widget(tab, name)
    assert "widgets.js" in asked and not [n for n in asked if n.startswith(("weights", "engine"))]
    tab.close()

"""Slides in headless Chromium: keys turn them, nothing is fetched or cut, one goes on a page."""

from pathlib import Path

import pytest

from course.publishing import slides

ROOT = Path(__file__).parents[2]
NAME = "03-adapters"


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    (path,) = slides.write(tmp_path_factory.mktemp("slides"), [NAME], ROOT)
    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(path.as_uri())
    yield tab
    assert requests[0] == path.as_uri() and {url[:5] for url in requests[1:]} <= {"data:"}
    tab.close()


def shown(tab) -> str:
    return tab.locator(".slide.shown .number").inner_text()


def test_keys_turn_the_slides_and_stop_at_the_ends(tab):
    total = tab.locator(".slide").count()
    tab.keyboard.press("Home")
    tab.keyboard.press("ArrowLeft")
    assert shown(tab) == f"1 / {total}" and tab.locator(".slide:visible").count() == 1
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    assert shown(tab) == f"3 / {total}" and tab.url.endswith("#3")
    assert tab.locator("[aria-live]").text_content().startswith(f"3 of {total}: ")
    tab.keyboard.press("End")
    tab.keyboard.press("PageDown")
    assert shown(tab) == f"{total} / {total}"


def test_notes_come_when_asked_for(tab):
    tab.keyboard.press("Home")
    tab.keyboard.press("ArrowRight")
    notes = tab.locator(".slide.shown .notes")
    assert not notes.is_visible()
    tab.keyboard.press("n")
    assert notes.is_visible()
    tab.keyboard.press("n")


def test_nothing_is_cut(tab):
    cut = """() => {
      const shown = document.querySelector('.slide.shown');
      const parts = [shown, ...shown.querySelectorAll('.body, h2')];
      const out = (e) => e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2;
      return parts.filter(out).length;
    }"""
    tab.keyboard.press("Home")
    for _ in range(tab.locator(".slide").count()):
        assert tab.evaluate(cut) == 0, shown(tab)
        tab.keyboard.press("ArrowRight")


def test_one_slide_goes_on_a_page(tab, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="left out: pypdf is not installed (extra 'book')")
    tab.pdf(path=tmp_path / "deck.pdf", prefer_css_page_size=True)
    pages = pypdf.PdfReader(tmp_path / "deck.pdf").pages
    assert len(pages) == tab.locator(".slide").count()
    assert all(f"{i} / {len(pages)}" in page.extract_text() for i, page in enumerate(pages, 1))

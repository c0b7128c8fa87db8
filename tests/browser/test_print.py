"""Pages on paper: nothing cut, no navigation, light, what is folded left out; one printed page."""

from pathlib import Path

import pytest

from course.publishing import pdf

#: The width between the margins of A4, in pixels.
PAPER = 665
CUT = """() => {
  const blocks = 'pre, figure, table, img, svg.figure-svg, .formula, fieldset';
  const shown = [...document.querySelectorAll(`article :is(${blocks})`)]
    .filter(block => block.getClientRects().length);
  return shown
    .filter(block => block.getBoundingClientRect().right > innerWidth + 1
                     || getComputedStyle(block).overflowX === 'hidden'
                        && block.scrollWidth > block.clientWidth + 1)
    .map(block => `${block.tagName} ${block.textContent.trim().slice(0, 60)}`);
}"""
HIDDEN = ".bd-sidebar, .bd-header-article, .copybtn, .headerlink, .prev-next-area, .live button"


@pytest.fixture(scope="module")
def paper(browser):
    tab = browser.new_page(viewport={"width": PAPER, "height": 1000})
    tab.add_init_script("for (const name of ['mode', 'theme']) localStorage.setItem(name, 'dark')")
    tab.emulate_media(media="print")
    yield tab
    tab.close()


def test_nothing_is_cut_on_paper(paper, pages):
    cut = {}
    for page in pages:
        paper.goto(page.as_uri())
        cut[page.stem] = paper.evaluate(CUT)
    assert {name: blocks for name, blocks in cut.items() if blocks} == {}


def test_paper_is_light_and_has_no_navigation(paper, pages):
    paper.goto(next(page for page in pages if page.stem == "04-in-context").as_uri())
    navigation = paper.locator(HIDDEN)
    assert navigation.count() > 10
    assert [one for one in navigation.all() if one.is_visible()] == []
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--pst-color-background')"
    dark = paper.evaluate(colour)
    paper.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert paper.evaluate(colour) != dark
    paper.evaluate("dispatchEvent(new Event('afterprint'))")
    assert paper.evaluate(colour) == dark


def test_what_is_folded_is_left_out_and_what_was_opened_is_printed(paper, pages):
    paper.goto(next(page for page in pages if page.stem == "02-heads").as_uri())
    solution = paper.locator("details.fold").first
    assert not solution.is_visible() and not paper.locator("details.hide").first.is_visible()
    solution.evaluate("fold => { fold.open = true; }")
    assert solution.is_visible()


def test_chromium_prints_a_page(pages, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="left out: pypdf is not installed (extra 'book')")
    try:
        browser = pdf.chromium()
    except pdf.NoBrowserError as missing:
        pytest.skip(f"left out: {missing}")
    page: Path = next(page for page in pages if page.stem == "teaching")
    pdf.print_page(browser, page, tmp_path / "page.pdf")
    sheets = pypdf.PdfReader(tmp_path / "page.pdf").pages
    assert "Teaching with this book" in sheets[0].extract_text()
    assert abs(float(sheets[0].mediabox.width) - 595) < 2, "A4"

"""Every page of the book as Chromium shows it: nothing from other sites, nothing cut, no errors,
and light enough for a slow line.
"""

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

#: A page with its styles and scripts, without figures, compressed as a server sends it.
HEAVIEST = 400_000
WIDE, PHONE = 1280, 390

#: What stands out of its frame, or has more in it than it shows, by kind.
CUT = """() => {
  const column = document.querySelector('article').getBoundingClientRect();
  const cut = [];
  const blocks = 'pre, figure, table, img, svg.figure-svg, .formula, dt.sig, fieldset';
  for (const block of document.querySelectorAll(`article :is(${blocks})`)) {
    if (!block.getClientRects().length) continue;
    const frame = block.closest('.text_html, .pst-scrollable-table-container, .formula');
    if (innerWidth < 500 && (frame || block.matches('table'))) continue;
    if (block.scrollWidth > block.clientWidth + 1 && block.clientWidth
        || block.getBoundingClientRect().right > column.right + 1)
      cut.push(`${block.tagName} ${block.textContent.trim().slice(0, 60)}`);
  }
  return [cut, document.documentElement.scrollWidth];
}"""

#: Tables of which a column of numbers has no name, or claims whose statements have no room.
TABLES = """() => {
  const wrong = [];
  for (const table of document.querySelectorAll('article .cell_output table')) {
    const rows = table.tHead ? [...table.tHead.rows] : [];
    if (rows.length === 1) {
      const names = table.tBodies[0].rows[0]?.querySelectorAll('th').length ?? 0;
      const unnamed = [...rows[0].cells].slice(names).filter((cell) => !cell.textContent.trim());
      if (unnamed.length) wrong.push(`no heading: ${table.textContent.trim().slice(0, 60)}`);
    }
    if (innerWidth > 600 && table.matches('.claims') && rows.length
        && rows[0].cells[0].offsetWidth < 0.4 * table.offsetWidth)
      wrong.push(`narrow: ${table.textContent.trim().slice(0, 60)}`);
  }
  return wrong;
}"""


@dataclass
class Visit:
    """What a page did when it was opened."""

    cut: list[str]
    width: int
    tables: list[str]
    requests: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]

    @property
    def weight(self) -> int:
        """Bytes of the page and of what it loads, figures apart, compressed."""
        files = [Path(unquote(urlsplit(url).path)) for url in self.requests if url[:5] == "file:"]
        return sum(
            len(gzip.compress(path.read_bytes()))
            for path in files
            if path.is_file() and "_images" not in path.parts
        )


def visit(browser, page: Path) -> dict[int, Visit]:
    """Open a page once and look at it in both widths."""
    context = browser.new_context(viewport={"width": WIDE, "height": 900})
    tab = context.new_page()
    requests: set[str] = set()
    errors: list[str] = []
    tab.on("request", lambda request: requests.add(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("requestfailed", lambda request: errors.append(f"failed: {request.url}"))
    tab.route("http*://**", lambda route: route.abort())
    tab.goto(page.as_uri())
    seen = {}
    for width in (WIDE, PHONE):
        tab.set_viewport_size({"width": width, "height": 900})
        seen[width] = Visit(*tab.evaluate(CUT), tab.evaluate(TABLES), requests, errors)
    context.close()
    return seen


@pytest.fixture(scope="module")
def visits(browser, pages) -> dict[tuple[str, int], Visit]:
    return {
        (page.stem, width): seen for page in pages for width, seen in visit(browser, page).items()
    }


def test_no_page_asks_another_site_for_anything(visits):
    assert {name: v.outside for name, v in visits.items() if v.outside} == {}


def test_no_page_has_an_error(visits):
    assert {name: v.errors for name, v in visits.items() if v.errors} == {}


def test_no_block_is_cut_and_only_wide_tables_scroll_on_a_phone(visits):
    assert {name: v.cut for name, v in visits.items() if v.cut} == {}
    assert {name: v.width for name, v in visits.items() if v.width > name[1]} == {}


def test_columns_have_names_and_claims_have_room(visits):
    assert {name: v.tables for name, v in visits.items() if v.tables} == {}


def test_pages_are_light(visits, capsys):
    weights = {page: v.weight for (page, width), v in visits.items() if width == WIDE}
    with capsys.disabled():
        print("\nkilobytes of each page, figures apart, compressed:")
        print("\n".join(f"{w / 1000:6.0f} {page}" for page, w in sorted(weights.items())))
    assert {page: w for page, w in weights.items() if w > HEAVIEST} == {}


def test_the_visit_sees_what_is_wrong(browser, tmp_path):
    """Each fault that the tests above look for, made on purpose."""
    page = tmp_path / "page.html"
    page.write_text(
        "<article style='width: 300px'><pre style='overflow: hidden'>" + "x" * 500 + "</pre>"
        "<div style='width: 2000px'>wide</div>"
        "<div class=cell_output><table><thead><tr><th>a<th></thead><tr><td>1<td>2</table></div>"
        "</article>"
        "<img src='https://example.org/a.png'><script>missing()</script>",
        encoding="utf-8",
    )
    seen = visit(browser, page)[PHONE]
    assert seen.outside == ["https://example.org/a.png"]
    assert any("missing" in error for error in seen.errors)
    assert seen.cut == ["PRE " + "x" * 60] and seen.width >= 2000
    assert seen.tables == ["no heading: a12"]
    assert 0 < seen.weight < 1000


def test_a_chapter_begins_with_its_minute_and_the_key_figure(browser, pages):
    tab = browser.new_page(viewport={"width": WIDE, "height": 900})
    tab.goto(next(page for page in pages if page.stem.startswith("01")).as_uri())
    assert tab.locator("p.one-minute").count() == 2
    assert tab.locator("p.one-minute [lang=zh-Hant]").count() > 0
    assert 0 < tab.locator("figure.key-figure").bounding_box()["y"] < 900
    tab.close()


def test_a_chosen_answer_is_explained_by_the_keyboard(browser, pages):
    tab = browser.new_page()
    tab.goto(next(page for page in pages if page.stem.startswith("01")).as_uri())
    answer = tab.locator("fieldset.quiz .answer").first
    assert not answer.locator(".because").is_visible()
    answer.locator("input").focus()
    tab.keyboard.press("Space")
    assert answer.locator(".because").is_visible()
    tab.close()


def test_the_keyboard_reaches_the_text_and_opens_code(browser, pages):
    chapter = next(page for page in pages if page.stem == "world")
    tab = browser.new_page()
    tab.goto(chapter.as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    summary = tab.locator("details.hide > summary").first
    summary.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("details.hide").first.evaluate("d => d.open")
    tab.close()


def test_a_term_is_explained_to_the_keyboard_and_escape_hides_it(browser, pages):
    tab = browser.new_page(viewport={"width": WIDE, "height": 900})
    tab.goto(next(page for page in pages if page.stem.startswith("03")).as_uri())
    gloss = tab.locator(".gloss").first
    tip = gloss.locator("[role=tooltip]")
    assert not tip.is_visible()
    gloss.locator("button").focus()
    assert tip.is_visible()
    tab.keyboard.press("Escape")
    assert not tip.is_visible()
    gloss.hover()
    tab.mouse.move(0, 0)
    gloss.hover()
    assert tip.is_visible()
    tab.close()


def test_what_a_term_means_stays_inside_the_window(browser, pages):
    for width in (WIDE, PHONE):
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.goto(next(page for page in pages if page.stem.startswith("04-")).as_uri())
        shown = tab.locator(".gloss")
        assert shown.count() > 5
        for gloss in shown.all():
            gloss.locator("button").focus()
            box = gloss.locator("[role=tooltip]").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, gloss.inner_text()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.close()

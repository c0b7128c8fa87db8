"""The report of a comparison as Chromium shows it: dark and light, on a phone, from one file."""

from pathlib import Path

import pytest

from course.compare import compare

WIDE, PHONE = 1280, 390


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A report with long texts and a long source, as people have them."""
    said = ("a lovely plot and kind people, ", "a dull plot and bad jokes, ")
    table = [
        {
            "review": f"{said[i % 2] * (1 + i % 7)} seen {i * i} times",
            "verdict": "good bad".split()[i % 2],
        }
        for i in range(60)
    ]
    place = tmp_path_factory.mktemp("browser") / "a-report-with-a-long-name"
    result = compare(
        table, "review", "verdict", methods="tfidf", model="tiny", budget=None, seeds=2, sizes=[8],
        instruction="Say whether the review is good or bad; " * 8,
    )  # fmt: skip
    return result.save(place) / "report.html"


LOOK = """() => {
  const shown = (name) => [...document.querySelectorAll(name)].filter(
    (figure) => figure.getClientRects().length).length;
  const light = (colour) =>
    colour.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765;
  const style = getComputedStyle(document.body);
  return {
    dark: shown(".dark svg"), light: shown(".light svg"),
    width: document.documentElement.scrollWidth,
    page: light(style.backgroundColor), ink: light(style.color),
  };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_read_on_any_screen(browser, report, scheme):
    context = browser.new_context(color_scheme=scheme)
    tab = context.new_page()
    requests, errors = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(report.as_uri())
    for width in (WIDE, PHONE):
        tab.set_viewport_size({"width": width, "height": 900})
        seen = tab.evaluate(LOOK)
        assert seen["width"] <= width, "the page scrolls sideways"
        assert (seen["dark"], seen["light"]) == ((2, 0) if scheme == "dark" else (0, 2))
        assert (seen["page"] < 0.2 and seen["ink"] > 0.7) == (scheme == "dark")
        assert (seen["page"] > 0.8 and seen["ink"] < 0.3) == (scheme == "light")
    context.close()
    assert requests == [report.as_uri()] and errors == []

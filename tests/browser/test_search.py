"""The search of the book in Chromium, from a server: results, and excerpts without folded code."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

#: Where the book would be served; a browser reads no excerpts from file://.
SITE = "http://book.test"


@pytest.fixture(scope="module")
def tab(browser, pages):
    book = pages[0].parents[1]

    def serve(route) -> None:
        file: Path = book / unquote(urlsplit(route.request.url).path).lstrip("/")
        route.fulfill(path=file) if file.is_file() else route.fulfill(status=404)

    tab = browser.new_page()
    tab.route(f"{SITE}/**", serve)
    yield tab
    tab.close()


def search(tab, query: str) -> dict[str, str]:
    """Address of each result -> its excerpt, once all are there."""
    tab.goto(f"{SITE}/search.html?q={query}")
    tab.wait_for_function(
        """() => document.querySelector('.search-summary')?.textContent
          && [...document.querySelectorAll('ul.search li')]
            .every((li) => li.querySelector('p.context, span'))"""
    )
    return tab.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('ul.search li')].map(
          (li) => [li.querySelector('a').pathname, li.querySelector('p.context')?.textContent]))"""
    )


def test_an_excerpt_is_text_around_the_word(tab):
    excerpts = {page: text for page, text in search(tab, "posterior").items() if text}
    assert any("04a-demonstrations" in page for page in excerpts)
    assert [text for text in excerpts.values() if "import " in text] == []
    assert any("posterior" in text.lower() for text in excerpts.values())


def test_code_that_is_folded_is_not_found(tab):
    assert not [page for page in search(tab, "use_style") if "/notebooks/" in page]

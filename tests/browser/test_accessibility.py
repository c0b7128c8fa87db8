"""axe-core on every page of the book, light and dark, with all that a reader can open laid open.

axe takes minutes on a page of thousands of alike elements, most of them words of code. Here each
page is thinned first: of elements that stand in the same place of the tree and differ only in their
words, the first stays.
"""

from pathlib import Path

import pytest

axe = pytest.importorskip(
    "axe_playwright_python", reason="left out: axe is not installed (extra 'browser')"
)
GRAVE = {"serious", "critical"}
#: What a page has folded away, and what it says only when asked.
UNFOLD = """() => {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const style = document.createElement('style');
  style.textContent = `.quiz .because { display: block !important; }
    .gloss [role=tooltip] { display: block !important; position: static !important; }
    * { transition: none !important; animation: none !important; }`;
  document.head.append(style);
  document.querySelectorAll('[data-live]').forEach((place) => place.scrollIntoView());
}"""
AWAKE = """() => [...document.querySelectorAll('[data-live]')]
  .every((place) => ['ready', 'done'].includes(place.dataset.state))"""
#: An element's shape is its tag, its classes, which attributes it has and which of them are empty,
#: whether it has words, and the shapes inside; drawings are judged by their names alone.
THIN = """() => {
  const plain = new Set(['id', 'style', 'd', 'title']);
  function shape(element) {
    const given = [...element.attributes].filter(({ name }) => !plain.has(name))
      .map(({ name, value }) => (name === 'class' ? value : `${name}${value.trim() ? '' : '-'}`));
    const words = [...element.childNodes]
      .some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const inside = element.matches('svg') ? [] : [...new Set([...element.children].map(shape))];
    const own = `${element.localName}[${given.sort()}${words ? ' words' : ''}](${inside.sort()})`;
    shapes.set(element, own);
    return own;
  }
  function thin(parent, place) {
    for (const child of [...parent.children]) {
      const here = `${place}>${shapes.get(child)}`;
      if (seen.has(here) && !child.matches('dt, dd')) child.remove();
      else if (child.matches('svg')) child.replaceChildren(...child.querySelectorAll('title'));
      else thin(child, `${place}>${child.localName}.${child.className}`);
      seen.add(here);
    }
  }
  const shapes = new Map(), seen = new Set();
  shape(document.body);
  thin(document.body, '');
}"""
RUN = """async (options) => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...options });
  return violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html.slice(0, 300)]);
}"""
DARK = """() => {
  for (const name of ['mode', 'theme']) document.documentElement.dataset[name] = 'dark';
}"""
#: What depends on colours, and is all that can differ between a light page and a dark one.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


@pytest.fixture(scope="module")
def tab(browser):
    """A light page in which axe can be called after a page was opened."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def grave(tab, page: Path) -> dict[tuple[str, str], str]:
    """What axe finds serious or critical on a page: (theme, rule) -> the first element."""
    tab.goto(page.as_uri())
    tab.evaluate(UNFOLD)
    tab.wait_for_function(AWAKE)
    tab.evaluate(THIN)
    tab.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    seen = [("light", each) for each in tab.evaluate(RUN, {})]
    tab.evaluate(DARK)
    seen += [("dark", each) for each in tab.evaluate(RUN, COLOURS)]
    return {(theme, rule): html for theme, (rule, impact, html) in seen if impact in GRAVE}


def test_assistive_technology_can_read_every_page_light_and_dark(tab, pages):
    found = {page.stem: grave(tab, page) for page in pages}
    assert {page: rules for page, rules in found.items() if rules} == {}


def test_axe_sees_what_is_wrong_in_folds_in_the_dark_and_among_many(tab, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<html><style>[data-theme=dark] p { color: #333; background: #222; }</style><body>"
        + "<div><img src='a.png' alt='a'><a href='b'>b</a></div>" * 9
        + "<div><img src='a.png'><a href='b'>b</a></div>"
        + "<details><summary>more</summary><button></button></details><p>dark</p></body></html>",
        encoding="utf-8",
    )
    found = grave(tab, page)
    assert {("light", rule) for rule in ("image-alt", "button-name", "html-has-lang")} <= set(found)
    assert {theme for theme, rule in found if rule == "color-contrast"} == {"dark"}

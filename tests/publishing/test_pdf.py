"""The book as a PDF: order, outline, links, and what is said where something is missing. Pages are
made by pypdf here; tests/browser/test_print.py has Chromium print some.
"""

from pathlib import Path

import pytest

pypdf = pytest.importorskip("pypdf", reason="left out: pypdf is not installed (extra 'book')")
from pypdf.annotations import Link  # noqa: E402

from course.publishing import pdf  # noqa: E402


def printed(pages: int, *links: str) -> tuple:
    """Blank pages; on the first of them links as Chromium writes them."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    for uri in links:
        link = Link(rect=(0, 0, 10, 10), url=uri)
        writer.add_annotation(0, link)
    return tuple(writer.pages)


@pytest.fixture
def chapters(tmp_path) -> list[pdf.Chapter]:
    files = [tmp_path / f"{name}.html" for name in ("index", "one", "two")]
    for file in files:
        file.touch()
    links = (files[2].as_uri() + "#section", "https://example.org/", (tmp_path / "x.html").as_uri())
    return [
        pdf.Chapter("", "Front", files[0], printed(1)),
        pdf.Chapter("Course", "1. One", files[1], printed(3, *links)),
        pdf.Chapter("Course", "2. Two", files[2], printed(2)),
    ]


def targets(page) -> list[object]:
    """Where the links of a page lead: an address, or the page of the file."""
    found: list[object] = []
    for annotation in (a.get_object() for a in page.get("/Annots", [])):
        found.append(
            annotation["/A"]["/URI"] if "/A" in annotation else annotation["/Dest"][0].get_object()
        )
    return found


def test_chapters_stand_in_order_with_an_outline_by_part(chapters, tmp_path):
    pdf.join(chapters, printed(2)).write(tmp_path / "book.pdf")
    book = pypdf.PdfReader(tmp_path / "book.pdf")
    assert len(book.pages) == 2 + 1 + 3 + 2
    front, course, below = book.outline
    assert [front.title, course.title] == ["Front", "Course"]
    assert [(o.title, book.get_destination_page_number(o)) for o in below] == [
        ("1. One", 3),
        ("2. Two", 6),
    ]


def test_links_between_pages_lead_inside_and_no_path_of_the_machine_is_left(chapters, tmp_path):
    pdf.join(chapters).write(tmp_path / "book.pdf")
    book = pypdf.PdfReader(tmp_path / "book.pdf")
    address, place = targets(book.pages[1])
    assert address == "https://example.org/"
    assert place == book.pages[4].get_object()
    assert str(tmp_path).encode() not in (tmp_path / "book.pdf").read_bytes()


def test_contents_say_where_each_chapter_begins(chapters):
    page = pdf.contents_page(chapters)
    assert page.index("Front</a><span>1</span>") < page.index("<h2>Course</h2>")
    assert "1. One</a><span>2</span>" in page and "2. Two</a><span>5</span>" in page
    assert pdf.numbers_page(3).count("<div>") == 3


def test_without_a_chromium_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(pdf.NoBrowserError, match="looked for no-such-browser, chromium.*CHROMIUM"):
        pdf.chromium()
    with pytest.raises(SystemExit) as stopped:
        pdf.main([])
    assert stopped.value.code == 1 and "apt-get install chromium" in capsys.readouterr().err


def test_a_book_that_is_not_built_is_named(tmp_path):
    contents = "root: book/index\nparts:\n- caption: A\n  chapters:\n  - file: book/api\n"
    (tmp_path / "_toc.yml").write_text(contents, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"index.html does not exist; .* make book"):
        list(pdf.pages_in_order(tmp_path))
    index = tmp_path / pdf.BOOK / "book" / "index.html"
    index.parent.mkdir(parents=True)
    index.touch()
    assert list(pdf.pages_in_order(tmp_path)) == [("", index)], "the reference is left out"


@pytest.mark.parametrize("dash", ["&#8212;", "—"])
def test_the_title_is_that_of_the_page(tmp_path, dash):
    page = tmp_path / "page.html"
    page.write_text(f"<title>2. Heads {dash} The book</title>", encoding="utf-8")
    assert pdf.title_of(page) == "2. Heads"


def test_a_browser_that_prints_nothing_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="did not print"):
        pdf.print_page("true", Path("page.html"), tmp_path / "out.pdf")

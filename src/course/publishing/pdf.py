"""The book as one PDF, printed by a browser: ``python -m course.publishing.pdf`` after ``make
book``.

Chromium prints each page of the book, with the print style of ``_static/print.css``; pypdf joins
them, makes links between pages links inside the file, and adds an outline. A contents page and the
numbers at the foot are printed the same way.
"""

import argparse
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import yaml
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, Fit, NameObject, RectangleObject

from course.foundation.atomic_write import write_bytes
from course.publishing.page.languages import CHINESE

ROOT = Path.cwd()
BOOK = Path("_build") / "html"
RESULT = Path("_build") / "finetuning-vs-prompting.pdf"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: A reference of public names, half as long as the rest of the book: for the screen.
_LEFT_OUT = ("book/api",)
#: Seconds that a browser may take to print one page on a slow machine.
_PATIENCE = 300


class NoBrowserError(RuntimeError):
    """No Chromium is on this machine."""


@dataclass(frozen=True)
class Chapter:
    """A page of the book: its caption in the navigation, its file, and its printed pages."""

    part: str
    title: str
    html: Path
    printed: tuple[PageObject, ...] = ()


def chromium() -> str:
    """The path of a Chromium: the variable CHROMIUM, or what the machine has.

    Raises:
        NoBrowserError: if there is none.
    """
    names = (os.environ.get("CHROMIUM", ""), *_NAMES)
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowserError(
            f"no Chromium on this machine (looked for {', '.join(filter(None, names))}); install "
            "one ('apt-get install chromium', or Google Chrome), or name its path in the variable "
            "CHROMIUM. A single page can be printed from any browser"
        )
    return found


def print_page(browser: str, page: Path, pdf: Path) -> None:
    """Print one page into a PDF, in a profile of its own.

    Raises:
        RuntimeError: if the browser wrote nothing.
    """
    with TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            f"--user-data-dir={profile}",
            "--no-pdf-header-footer",
            "--virtual-time-budget=10000",
            "--disable-pdf-tagging",  # pypdf would drop the tree of tags and keep its parts
            f"--print-to-pdf={pdf}",
            page.resolve().as_uri(),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses its sandbox to root
        run = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=_PATIENCE
        )
    if not pdf.is_file():
        raise RuntimeError(f"{browser} did not print {page}: {run.stderr.strip()[-500:]}")


def pages_in_order(root: Path) -> Iterator[tuple[str, Path]]:
    """Part and file of each page of the built book, in the order of ``_toc.yml``.

    Raises:
        FileNotFoundError: if the book is not built, or a page of it is missing.
    """
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    rows = [("", contents["root"])]
    for part in contents["parts"]:
        rows += [(part["caption"], chapter["file"]) for chapter in part["chapters"]]
    for part, name in rows:
        if name in _LEFT_OUT:
            continue
        path = root / BOOK / f"{name}.html"
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist; build the book first: make book")
        yield part, path


def join(chapters: Sequence[Chapter], front: Sequence[PageObject] = ()) -> PdfWriter:
    """The chapters behind each other, with an outline; a link to a page of the book leads to its
    place in the file, or where that is not in it nowhere, since a path of this machine is of no use
    elsewhere.
    """
    writer = PdfWriter()
    for page in front:
        writer.add_page(page)
    begins: dict[Path, int] = {}
    part, above = "", None
    for chapter in chapters:
        begins[chapter.html.resolve()] = first = len(writer.pages)
        for page in chapter.printed:
            writer.add_page(page)
        if chapter.part != part:
            part = chapter.part
            above = writer.add_outline_item(title=part, page_number=first)
        writer.add_outline_item(title=chapter.title, page_number=first, parent=above)
    for number in range(len(writer.pages)):
        _lead_inside(writer, number, begins)
    return writer


def _lead_inside(writer: PdfWriter, number: int, begins: dict[Path, int]) -> None:
    """Replace the links of a page that lead to files."""
    page = writer.pages[number]
    annotations = [a.get_object() for a in page.get("/Annots", ArrayObject())]
    kept = ArrayObject(
        a.indirect_reference for a in annotations if not _is_local(a) and a.indirect_reference
    )
    page[NameObject("/Annots")] = kept
    for annotation in annotations:
        if not _is_local(annotation):
            continue
        path = Path(unquote(urlsplit(annotation["/A"]["/URI"]).path))
        target = begins.get(path.resolve())
        if target is not None:
            rect = RectangleObject([float(value) for value in annotation["/Rect"]])
            link = Link(rect=rect, target_page_index=target, fit=Fit.fit_horizontally())
            writer.add_annotation(number, link)


def _is_local(annotation: dict) -> bool:
    return str(annotation.get("/A", {}).get("/URI", "")).startswith("file:")


def contents_page(chapters: Sequence[Chapter]) -> str:
    """Title and contents, as HTML to be printed."""
    rows, part, page = [], "", 1
    for chapter in chapters:
        if chapter.part != part:
            part = chapter.part
            rows.append(f"<h2>{escape(part)}</h2>")
        title = CHINESE.sub(lambda run: f'<span lang="zh-Hant">{run[0]}</span>', chapter.title)
        link = chapter.html.resolve().as_uri()
        rows.append(f'<p><a href="{link}">{title}</a><span>{page}</span></p>')
        page += len(chapter.printed)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Contents</title><style>'
        "@page { size: A4; margin: 25mm 22mm } body { font: 11pt sans-serif }"
        "h1 { font-size: 26pt; margin: 0 0 4mm } h2 { font-size: 12pt; margin: 7mm 0 2mm }"
        "p { display: flex; justify-content: space-between; margin: 0 0 1.5mm }"
        "a { color: inherit; text-decoration: none }</style>"
        "<h1>Finetuning vs. Prompting</h1><p>A course you can run</p>"
        f"{''.join(rows)}</html>"
    )


def numbers_page(total: int) -> str:
    """A page for each page of the book with nothing on it but its number, as HTML."""
    sheets = "".join(f"<div>{number}</div>" for number in range(1, total + 1))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Numbers</title><style>'
        "@page { size: A4; margin: 0 } body { margin: 0; font: 9pt sans-serif; color: #5f5f5f }"
        "div { height: 296mm; padding-top: 283mm; box-sizing: border-box; text-align: center;"
        f"break-after: page }} div:last-child {{ break-after: auto }}</style>{sheets}</html>"
    )


def make(root: Path, result: Path, browser: str) -> int:
    """Print the built book into one PDF; returns its number of pages."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def printed(name: str, page: Path) -> tuple[PageObject, ...]:
            pdf = folder / f"{name}.pdf"
            print_page(browser, page, pdf)
            return tuple(PdfReader(pdf).pages)

        def printed_text(name: str, text: str) -> tuple[PageObject, ...]:
            page = folder / f"{name}.html"
            page.write_text(text, encoding="utf-8")
            return printed(name, page)

        chapters: list[Chapter] = []
        for part, html in pages_in_order(root):
            sheets = printed(f"page-{len(chapters)}", html)
            chapters.append(Chapter(part, title_of(html), html, sheets))
            print(f"{len(sheets):4} pp.  {chapters[-1].title}", flush=True)
        total = sum(len(chapter.printed) for chapter in chapters)
        front = printed_text("contents", contents_page(chapters))
        writer = join(chapters, front)
        numbers = printed_text("numbers", numbers_page(total))
        for page, number in zip(writer.pages[len(front) :], numbers, strict=True):
            page.merge_page(number)
            page.compress_content_streams()
        writer.add_metadata({"/Title": "Finetuning vs. Prompting: a course you can run"})
        writer.compress_identical_objects()
        whole = folder / "whole.pdf"
        writer.write(whole)
        write_bytes(result, whole.read_bytes())
        return len(writer.pages)


def title_of(page: Path) -> str:
    """The title of a page of the book, as its browser window has it."""
    text = page.read_text(encoding="utf-8")
    title = text[text.index("<title>") + 7 : text.index("</title>")]
    return title.split("&#8212;")[0].split(" — ")[0].strip()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="course pdf", description="Print the built book (make book) into one PDF."
    )
    parser.add_argument("--to", type=Path, default=RESULT, help=f"file (default: {RESULT})")
    chosen = parser.parse_args(arguments)
    try:
        total = make(ROOT, chosen.to, chromium())
    except (NoBrowserError, FileNotFoundError) as problem:
        parser.exit(1, f"{parser.prog}: {problem}\n")
    print(f"{chosen.to}: {total} pages")


if __name__ == "__main__":
    main()

"""Slides of the key figures, from the executed notebooks: ``python -m course.publishing.slides``.

One HTML file a chapter, with all that it needs inside: its question, each figure with the finding
that its caption says, and the minute at the end. The arrow keys turn the slides, ``N`` shows what
the text says about a figure, ``D`` darkens the room, and a printer puts one slide on a page.
"""

import argparse
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from course.foundation.atomic_write import write_text
from course.publishing.page.figures import inlined, style_sheet
from course.publishing.page.front import NamedFigure, named_figures, title_and_part
from course.publishing.prose import html

ROOT = Path.cwd()
#: Where the decks of a built book lie, beside its pages.
FOLDER = "slides"
_ASSETS = Path(__file__).parent / "decks"
_KEY = re.compile(r"<!--\s*key figure:\s*([\w-]+)\s*-->")
_BEGINS = {
    "question": "**The question of this chapter.**",
    "minute": "**In one minute.**",
    "chinese": "**一分鐘讀完。**",
    "saw": "**What we saw.**",
}


@dataclass(frozen=True)
class Slide:
    """One figure with its finding, or a text; ``notes`` are what the lecturer may say with it."""

    heading: str
    body: str
    notes: str = ""
    kind: str = "figure"


def chapters(root: Path) -> list[str]:
    """The names of the chapters, which have slides, in the order of the book."""
    return [path.stem for path in sorted((root / "notebooks").glob("[0-9]*.ipynb"))]


def chosen_chapters(
    parser: argparse.ArgumentParser, root: Path, folder: Path, arguments: list[str] | None
) -> tuple[Path, list[str]]:
    """The folder to write to and the chapters that a command names: by default ``folder``, and all.
    The parser ends the command if there are no notebooks, or no such chapter.
    """
    parser.add_argument("names", nargs="*", help="of chapters, such as 03-adapters (default: all)")
    parser.add_argument("--to", type=Path, default=folder, help="folder")
    chosen = parser.parse_args(arguments)
    known = chapters(root)
    if not known:
        parser.error(f"no notebooks in {root}/notebooks; run this from the repository's root")
    if unknown := [name for name in chosen.names if name not in known]:
        parser.error(f"no such chapter: {', '.join(unknown)}; choose from {', '.join(known)}")
    return chosen.to, chosen.names or known


def deck(notebook: Path, root: Path) -> list[Slide]:
    """The slides of a chapter: question, key figure, the other figures, the minute.

    Raises:
        ValueError: if the chapter has no question or no minute.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    opening = texts[0]
    title, part = title_and_part(notebook)
    question = _paragraph(opening, "question")
    minute = _paragraph(opening, "minute")
    if not (question and minute):
        raise ValueError(
            f"{notebook.name}: its first cell needs a paragraph that begins with "
            f"{_BEGINS['question']} and one with {_BEGINS['minute']}"
        )
    of_lecture = f"<p class='part'>{part.capitalize()} of the lecture</p>" if part else ""
    slides = [Slide(title, html(question) + of_lecture, kind="title")]
    notes = dict(_what_was_seen(cells))
    figures = named_figures(notebook)
    for name in _key_first(figures, opening):
        slides.append(_figure(name, figures[name], notes.get(name, ""), root))
    chinese = _paragraph(opening, "chinese")
    both = html(minute) + (f'<p lang="zh-Hant">{html(chinese, inline=True)}</p>' if chinese else "")
    return [*slides, Slide("In one minute", both, kind="minute")]


def _paragraph(text: str, begins: str) -> str:
    """The rest of the paragraph that begins so, or ``""``."""
    found = re.search(rf"^{re.escape(_BEGINS[begins])}(.*?)(?:\n\n|\Z)", text, re.M | re.DOTALL)
    return found[1].strip() if found else ""


def _key_first(figures: dict[str, NamedFigure], opening: str) -> list[str]:
    key = _KEY.search(opening)
    return sorted(figures, key=lambda name: key is None or name != key[1])


def _figure(name: str, figure: NamedFigure, notes: str, root: Path) -> Slide:
    drawing = inlined(figure.png, figure.alt, root, f"{name}-", phone=False)
    kind = "figure tall" if _is_tall(figure.png) else "figure"
    return Slide(html(figure.caption, inline=True), drawing, html(notes) if notes else "", kind)


def _is_tall(png: bytes) -> bool:
    """Whether a figure is better beside its finding than below it, by the size in its header."""
    width, height = struct.unpack(">II", png[16:24])
    return height > 0.75 * width


def _what_was_seen(cells: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Name of a figure -> the paragraph *What we saw* of the section that it stands in."""
    waiting: list[str] = []
    for cell in cells:
        if cell["cell_type"] == "code":
            name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
            waiting += [name] if name else []
            continue
        before, heading, _ = "".join(cell["source"]).partition("\n## ")
        if seen := _paragraph(before, "saw"):
            yield from ((name, seen) for name in waiting)
            waiting = []
        if heading or before.startswith("## "):
            waiting = []


def document(name: str, root: Path = ROOT) -> str:
    """The slides of a chapter (``"03-adapters"``) as one HTML file.

    Raises:
        FileNotFoundError: if the chapter has no executed notebook.
    """
    slides = deck(root / "notebooks" / f"{name}.ipynb", root)
    title = slides[0].heading
    sections = [_section(slide, i, len(slides)) for i, slide in enumerate(slides, start=1)]
    style, script = ((_ASSETS / file).read_text(encoding="utf-8") for file in _FILES)
    return (
        f'<!doctype html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: slides</title>\n"
        f"<style>{style_sheet()}{style}</style></head>\n<body><main>\n{''.join(sections)}</main>\n"
        f'<p class="keys">{_HELP}</p><p class="place" aria-live="polite"></p>\n'
        f"<script>{script}</script></body></html>\n"
    )


_FILES = ("slides.css", "slides.js")
_HELP = "← → turn · N notes · D dark · F full screen"


def _section(slide: Slide, number: int, total: int) -> str:
    level = "h1" if number == 1 else "h2"
    heading = escape(slide.heading) if slide.kind in ("title", "minute") else slide.heading
    notes = f'<aside class="notes">{slide.notes}</aside>' if slide.notes else ""
    return (
        f'<section class="slide {slide.kind}" id="{number}" aria-label="{number} of {total}">'
        f'<{level}>{heading}</{level}><div class="body">{slide.body}</div>{notes}'
        f'<footer>Finetuning vs. Prompting<span class="number">{number} / {total}</span></footer>'
        f"</section>\n"
    )


def write(folder: Path, names: list[str], root: Path = ROOT) -> list[Path]:
    """Write the decks of some chapters into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.html" for name in names]
    for name, path in zip(names, paths, strict=True):
        write_text(path, document(name, root))
    return paths


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="course slides", description="Slides of the key figures, one HTML file a chapter."
    )
    folder, names = chosen_chapters(parser, ROOT, Path("_build") / FOLDER, arguments)
    for path in write(folder, names, ROOT):
        print(path)


if __name__ == "__main__":
    main()

"""The front page: a map of the chapters with the minutes that they take, and tiles of findings."""

import json
import math
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course.publishing.page import figures

#: What an unhurried reader of a foreign language takes in, and a reader of code.
WORDS_A_MINUTE, LINES_OF_CODE_A_MINUTE = 180, 15
#: Hints and solutions of exercises, which a reader opens later or not at all.
_FOLDED = re.compile(r"<details.*?</details>", re.DOTALL)


@dataclass(frozen=True)
class NamedFigure:
    """A figure of a notebook: its picture, what stands below it, and its text alternative."""

    png: bytes
    caption: str
    alt: str


@cache
def _cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def reading_minutes(notebook: Path) -> int:
    """How long the text of a notebook takes to read, with the code that the page shows; what is
    folded away does not count.
    """
    words = code = 0
    for cell in _cells(notebook):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            words += len(re.findall(r"\w+", _FOLDED.sub("", text)))
        elif not {"hide-input", "remove-cell"} & set(cell["metadata"].get("tags", [])):
            code += text.count("\n") + 1
    return math.ceil(words / WORDS_A_MINUTE + code / LINES_OF_CODE_A_MINUTE)


def named_figures(notebook: Path) -> dict[str, NamedFigure]:
    """The figures of a notebook that have a name in their cell's metadata."""
    found = {}
    for cell in _cells(notebook):
        options = cell["metadata"].get("mystnb", {})
        pngs = [
            output["data"]["image/png"]
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        name = options.get("figure", {}).get("name")
        if name and pngs:
            picture = b64decode("".join(pngs[0]))
            found[name] = NamedFigure(
                picture, options["figure"]["caption"], options["image"]["alt"]
            )
    return found


class Tile(SphinxDirective):
    """``{tile} 01-two-expectations by-clue``: a figure of a chapter with a finding below it, which
    is the directive's text.
    """

    required_arguments = 2
    has_content = True

    def run(self) -> list[nodes.Node]:
        page, name = self.arguments
        root = Path(self.env.srcdir)
        notebook = root / "notebooks" / f"{page}.ipynb"
        self.env.note_dependency(str(notebook))
        try:
            figure = named_figures(notebook)[name]
        except KeyError:
            raise self.error(f"{notebook.name} has no figure of the name {name!r}") from None
        box = nodes.container(classes=["tile"])
        drawing = figures.inlined(figure.png, figure.alt, root, f"{page}-{name}-")
        box += nodes.raw("", drawing, format="html")
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class ChapterMap(SphinxDirective):
    """``{chapter-map}``: a table of the pages that its lines name, as ``NAME | what it asks``, with
    the part of the lecture and the minutes, which are read from the pages.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        lines = ["| page | question | lecture | minutes |", "| --- | --- | --- | --- |"]
        for row in self.content:
            page, question = (part.strip() for part in row.split("|", 1))
            notebook = root / "notebooks" / f"{page}.ipynb"
            self.env.note_dependency(str(notebook))
            title, part = title_and_part(notebook)
            link = f"[{title}](../notebooks/{page}.ipynb)"
            minutes = reading_minutes(notebook)
            lines.append(f"| {link} | {question} | {part or '-'} | {minutes} |")
        box = nodes.container(classes=["chapter-map"])
        self.state.nested_parse(StringList(lines), self.content_offset, box)
        return [box]


class ClaimCount(SphinxDirective):
    """``{claim-count}``: how many claims hold, fail and are undecided, counted by the program."""

    def run(self) -> list[nodes.Node]:
        # only this page of the book needs the records
        from course.studies.catalogue import claim_counts

        total = claim_counts().loc["all"]
        line = (
            f"**{total['claims']} claims are tested: {total['holds']} hold, {total['fails']} fail, "
            f"{total['undecided']} are undecided.** [All claims](../notebooks/claims.ipynb), with "
            "their intervals and with what each interval varies."
        )
        box = nodes.container(classes=["claim-count"])
        self.state.nested_parse(StringList([line]), self.content_offset, box)
        return [box]


def title_and_part(notebook: Path) -> tuple[str, str]:
    """The title of a chapter, and the part of the lecture that it names ("part 2", or "")."""
    text = "".join(_cells(notebook)[0]["source"])
    title = text.split("\n", 1)[0].removeprefix("# ").strip()
    part = re.search(r"Part (\d) of the lecture", text)
    return title, f"part {part[1]}" if part else ""


def setup(app: Sphinx) -> None:
    app.add_directive("tile", Tile)
    app.add_directive("chapter-map", ChapterMap)
    app.add_directive("claim-count", ClaimCount)

"""The anatomy of a chapter: what stands on its first screen, below each figure, and in its quiz."""

import json
import re
from pathlib import Path

import pytest
import yaml

from course.plots.phone import SCREEN, SMALLEST_TEXT
from course.publishing.drawings import phone_path, stale_drawings, stored_drawings
from course.publishing.notebooks import paired_pages
from course.publishing.page.quiz import questions

ROOT = Path(__file__).parents[2]
PAGES = paired_pages(ROOT)
CHAPTERS = [page for page in PAGES if page[0].isdigit()]
WHAT_WE_SAW = "**What we saw.** "


def cells(page: str) -> list[dict]:
    return json.loads((ROOT / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]


def first_screen(page: str) -> list[str]:
    """The paragraphs of a chapter's first cell."""
    return "".join(cells(page)[0]["source"]).split("\n\n")


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_first_screen_has_the_question_the_minute_and_what_is_needed(page):
    number = page.split("-")[0].lstrip("0")
    title, question, minute, figure, chinese, needs, *_ = first_screen(page)
    assert title.startswith(f"# {number}. ")
    assert question.startswith("**The question of this chapter.** ")
    assert minute.startswith("**In one minute.** ") and len(re.findall(r"[.:] ", minute)) >= 2
    assert chinese.startswith("**一分鐘讀完。** ") and needs.startswith("**You need** ")
    key = re.fullmatch(r"<!-- key figure: ([\w-]+) -->", figure)[1]
    names = [
        cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for cell in cells(page)
    ]
    assert key in names


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_result_is_typed_into_the_minute_or_a_caption(page):
    _, _, minute, _, chinese, *_ = first_screen(page)
    captions = [
        cell["metadata"]["mystnb"]["figure"]["caption"]
        for cell in cells(page)
        if "figure" in cell["metadata"].get("mystnb", {})
    ]
    assert captions and not [
        text for text in (minute, chinese, *captions) if re.search(r"\d", text)
    ]


@pytest.mark.parametrize("page", CHAPTERS)
def test_what_was_measured_is_told_in_words(page):
    text = "\n\n".join("".join(cell["source"]) for cell in cells(page))
    sections = re.split(r"(?m)^(?=## )", text)
    untold = [s.split("\n")[0] for s in sections if "read_record(" in s and WHAT_WE_SAW not in s]
    assert not untold, f"add a paragraph that begins with {WHAT_WE_SAW}"


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_a_name_a_finding_and_an_alternative(page):
    drawn = [
        cell
        for cell in cells(page)
        if any("image/png" in o.get("data", {}) for o in cell.get("outputs", []))
    ]
    options = [cell["metadata"].get("mystnb", {}) for cell in drawn]
    assert all(
        o.get("figure", {}).get("caption") and o.get("image", {}).get("alt") for o in options
    )
    names = [o["figure"]["name"] for o in options]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("page", PAGES)
def test_set_up_is_out_of_the_way(page):
    """The cell that installs is for Colab alone; imports and drawings are folded in the page."""
    install, *code = [cell for cell in cells(page) if cell["cell_type"] == "code"]
    assert "remove-cell" in install["metadata"]["tags"]
    for cell in code:
        if re.search(r"plots\.use_style\(\)|figure = plots\.", "".join(cell["source"])):
            assert "hide-input" in cell["metadata"].get("tags", []), "".join(cell["source"])


def test_no_drawing_is_left_of_a_figure_that_is_gone():
    assert stale_drawings(ROOT) == set()


def test_every_figure_can_be_read_on_a_phone():
    """Figures of several panels have a variant for it, and no text is too small there."""
    small = {}
    for wide in stored_drawings(ROOT):
        drawing = phone_path(wide) if phone_path(wide).is_file() else wide
        svg = drawing.read_text(encoding="utf-8")
        width = float(re.search(r'<svg [^>]*?width="([\d.]+)pt"', svg)[1])
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )?([\d.]+)px", svg)]
        if (pixels := min(sizes) * min(4 / 3, SCREEN / width)) < SMALLEST_TEXT:
            small[drawing.name] = round(pixels, 1)
    assert small == {}


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_has_five_questions(page):
    asked = questions(page, ROOT)
    assert len(asked) == len({question.text for question in asked}) == 5


def test_every_page_is_in_the_book():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    texts = {path.stem for path in (ROOT / "book").glob("*.md")} - {"index"}
    assert {Path(name).name for name in files} == texts


def test_the_decision_asks_the_same_in_its_picture_and_in_its_table():
    text = (ROOT / "book" / "08-choosing.md").read_text(encoding="utf-8")
    drawn = re.findall(r'Branch\("(.*?)",', text)
    table = text.split("| question | if so |")[1].split("\n\n")[0]
    told = [line.split("|")[1].strip() for line in table.split("\n")[2:]]
    assert drawn == told and len(drawn) > 2

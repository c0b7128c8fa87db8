"""The slides of a chapter: what stands on them, and that a file has all it needs inside."""

import re
from pathlib import Path

import nbformat
import pytest

from course.publishing import prose, slides
from course.publishing.page.front import named_figures

ROOT = Path(__file__).parents[2]
CHAPTERS = slides.chapters(ROOT)
OPENING = """# 9. A chapter

**The question of this chapter.** Why *is* it so, see [chapter 1](../notebooks/01.ipynb)?

**In one minute.** Because $a < b$.

<!-- key figure: figure-9-second -->

**一分鐘讀完。** 因為如此。

**You need** chapter 1. Part 2 of the lecture.
"""
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def drawing(name: str, caption: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("draw()")
    cell.metadata["mystnb"] = {
        "figure": {"name": name, "caption": caption},
        "image": {"alt": f"alt of {name}"},
    }
    cell.outputs = [nbformat.v4.new_output("display_data", {"image/png": PNG})]
    return cell


@pytest.fixture
def root(tmp_path) -> Path:
    text = nbformat.v4.new_markdown_cell
    cells = [
        text(OPENING),
        text("## One\n\nSome prose."),
        drawing("figure-9-first", "The first `finding`."),
        text("**What we saw.** It rises.\n\n## Two\n\nMore prose."),
        drawing("figure-9-second", "The second finding."),
        text("No summary here.\n\n## Three\n\n**What we saw.** Of the third."),
    ]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "09-a-chapter.ipynb"
    )
    return tmp_path


def test_a_deck_has_question_key_figure_other_figures_and_minute(root):
    deck = slides.deck(root / "notebooks" / "09-a-chapter.ipynb", root)
    assert [slide.kind.split()[0] for slide in deck] == ["title", "figure", "figure", "minute"]
    assert deck[0].heading == "9. A chapter"
    assert "Why <em>is</em> it so, see chapter 1?" in deck[0].body and "Part 2" in deck[0].body
    assert deck[1].heading == "The second finding." and deck[1].notes == ""
    assert deck[2].heading == "The first <code>finding</code>."
    assert deck[2].notes == "<p>It rises.</p>" and 'alt="alt of figure-9-first"' in deck[2].body
    assert '<span lang="zh-Hant">因為如此。</span>' in deck[3].body and "<math" in deck[3].body


def test_a_chapter_without_question_or_minute_is_refused(root):
    path = root / "notebooks" / "09-a-chapter.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = OPENING.replace("**In one minute.**", "In short:")
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="09-a-chapter.ipynb: its first cell needs"):
        slides.deck(path, root)


def test_links_stay_only_where_they_lead_somewhere():
    kept = prose.html("see [the talk](https://example.org/x) and [here](../a.ipynb)")
    assert kept == '<p>see <a href="https://example.org/x">the talk</a> and here</p>'


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_deck_shows_every_figure_with_its_finding_and_loads_nothing(name):
    figures = named_figures(ROOT / "notebooks" / f"{name}.ipynb")
    page = slides.document(name, ROOT)
    assert page.count('<section class="slide figure') == len(figures)
    assert all(prose.html(f.caption, inline=True) in page for f in figures.values())
    assert not re.search(r'<(?:link|script|img|iframe)\b[^>]* (?:src|href)="(?!data:)', page)
    assert not re.search(r"url\((?!#|&quot;#)|@import", page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_command_writes_what_it_is_asked_for(root, monkeypatch, capsys):
    monkeypatch.setattr(slides, "ROOT", root)
    slides.main(["09-a-chapter", "--to", str(root / "out")])
    assert (root / "out" / "09-a-chapter.html").is_file()
    with pytest.raises(SystemExit):
        slides.main(["10-none"])
    assert "no such chapter: 10-none; choose from 09-a-chapter" in capsys.readouterr().err

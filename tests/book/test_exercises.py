"""The exercises of the chapters: each says how hard and how long it is, and has a hint and a
solution folded away; a solution that a checker is meant for passes it.
"""

import ast
import builtins
import re
from importlib import import_module
from pathlib import Path

import jupytext
import pytest

from course import check
from course.publishing.notebooks import paired_pages

ROOT = Path(__file__).parents[2]
CHAPTERS = [page for page in paired_pages(ROOT) if page[0].isdigit()]
HEADING = re.compile(r"^### (\d+)\. (.+)$", re.M)
FOLD = re.compile(
    r'<details class="fold">\n<summary>(\w+)</summary>\n\n(.*?)\n\n</details>', re.DOTALL
)
CODE = re.compile(r"^```python\n(.*?)^```$", re.M | re.DOTALL)


def section(page: str) -> str:
    """The exercises of a page, without the heading."""
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    return re.search(r"^## Exercises\n(.*?)^## ", text, re.M | re.DOTALL)[1]


def exercises(page: str) -> list[str]:
    """The text of each exercise, with its heading."""
    return re.split(r"^(?=### )", section(page), flags=re.M)[1:]


def solutions(page: str) -> list[str]:
    """The code of the solutions, block by block."""
    folded = [dict(FOLD.findall(text))["Solution"] for text in exercises(page)]
    assert all(CODE.search(text) for text in folded)
    return [code for text in folded for code in CODE.findall(text)]


def checked(code: str) -> list[str]:
    """The checkers that a solution calls."""
    return re.findall(r"^check\.(\w+)\(", code, re.M)


@pytest.mark.parametrize("page", CHAPTERS)
def test_an_exercise_has_a_level_minutes_a_hint_and_a_solution(page):
    texts = exercises(page)
    assert [HEADING.match(text)[1] for text in texts] == [str(i + 1) for i in range(len(texts))]
    for text in texts:
        body = text.split("\n\n", 2)[1]
        assert re.match(r"\*(Easy|Medium|Hard), about \d+ minutes\.\* [A-Z`]", body), body
        assert [name for name, _ in FOLD.findall(text)] == ["Hint", "Solution"], text[:60]
        assert text.count("<details") == text.count("</details>") == 2, text[:60]


@pytest.mark.parametrize("page", CHAPTERS)
def test_solutions_pass_their_checkers(page, capsys):
    names: dict[str, object] = {"check": check}
    for code in solutions(page):
        if asked := checked(code):
            exec(code, names)
            assert capsys.readouterr().out.startswith(f"Right: {asked[0]} "), code


def test_every_checker_belongs_to_one_exercise():
    asked = [name for page in CHAPTERS for code in solutions(page) for name in checked(code)]
    others = {"Homework", "Verdict", "collect", "hand_in", "student_token"}
    assert sorted(asked) == sorted({*check.__all__} - others)


def test_every_chapter_asks_for_code():
    assert all(any(checked(code) for code in solutions(page)) for page in CHAPTERS)


def bound(code: str) -> set[str]:
    """The names that some code binds anywhere: by assignment, loop, import or definition."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return names


@pytest.mark.parametrize("page", CHAPTERS)
def test_solutions_use_names_that_are_there(page):
    """Those of the chapter's cells and of the solutions before."""
    notebook = jupytext.read(ROOT / "book" / f"{page}.md")
    known = {"check", *vars(builtins)}
    for cell in notebook.cells:
        known |= bound(cell.source) if cell.cell_type == "code" else set()
    for code in solutions(page):
        known |= bound(code)
        loaded = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
        assert loaded <= known, (loaded - known, code)
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("course"):
                module = import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), code


@pytest.mark.parametrize("page", CHAPTERS)
def test_code_of_exercises_is_not_cut(page):
    assert max(len(line) for code in CODE.findall(section(page)) for line in code.split("\n")) <= 78

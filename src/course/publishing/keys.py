"""What a lecturer keeps and what a class gets: ``python -m course.publishing.keys``.

``answers.html`` has every exercise with its hint and its solution and every quiz with its answers,
ready to be printed. ``students/`` has the chapters' notebooks without the solutions. Both are made
from the book, so they are of the edition that is there. Solutions of a public book are no secret;
what a class cannot look up are the hidden items of :class:`course.check.Homework`.
"""

import argparse
import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course.foundation.atomic_write import write_text
from course.publishing.page import quiz
from course.publishing.page.front import title_and_part
from course.publishing.prose import html
from course.publishing.slides import chosen_chapters

ROOT = Path.cwd()
#: What stands in a student's notebook where the book has a solution.
REMOVED = "*(The solution is with your lecturer.)*"
_FOLD = re.compile(
    r'<details class="fold">\n<summary>(?P<kind>\w+)</summary>\n\n(?P<text>.*?)\n\n</details>',
    re.DOTALL,
)
_SECTION = re.compile(r"^## Exercises\n(.*?)(?=^## |\Z)", re.M | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """An exercise in Markdown, apart from its hint and its solution."""

    title: str
    text: str
    hint: str
    solution: str


def exercises(notebook: Path) -> list[Exercise]:
    """The exercises of a chapter.

    Raises:
        ValueError: if it has none, or one of them has no hint or no solution.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    section = _SECTION.search(text)
    parts = re.split(r"^### ", section[1], flags=re.M)[1:] if section else []
    if not parts:
        raise ValueError(f"{notebook.name} has no exercises under a heading '## Exercises'")
    return [_exercise(part, notebook.name) for part in parts]


def _exercise(part: str, where: str) -> Exercise:
    title, text = part.split("\n", 1)
    folds = {found["kind"]: found["text"] for found in _FOLD.finditer(text)}
    if missing := {"Hint", "Solution"} - set(folds):
        raise ValueError(f"{where}: exercise {title!r} has no {', '.join(sorted(missing))}")
    return Exercise(title, _FOLD.sub("", text).strip(), folds["Hint"], folds["Solution"])


def without_solutions(notebook: Path) -> str:
    """A notebook as a class gets it: the hints stay, the solutions go."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            text = _FOLD.sub(_without, "".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _without(found: re.Match[str]) -> str:
    return REMOVED if found["kind"] == "Solution" else found[0]


def answers(names: list[str], root: Path = ROOT) -> str:
    """The key of some chapters as one HTML file that loads nothing."""
    parts = [_chapter(name, root) for name in names]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Answers: Finetuning vs. Prompting</title><style>{_STYLE}</style></head>\n<body>"
        "<h1>Answers for lecturers</h1>\n<p>Every exercise with its hint and its solution, and "
        f"every quiz with its answers.</p>\n{''.join(parts)}</body></html>\n"
    )


_STYLE = """
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: #222222; background: #ffffff }
h2 { margin-top: 3rem; border-bottom: 2px solid #b34e00 } h3 { margin: 1.6rem 0 .3rem }
pre { background: #f4f2ec; padding: .7rem; white-space: pre-wrap; font-size: .82rem }
.hint { color: #5f5f5f } .answers { padding-left: 1.2rem } .right { font-weight: 600 }
.because { font-weight: 400; color: #5f5f5f }
@page { size: A4; margin: 18mm }
@media print { body { margin: 0; max-width: none; font-size: 10pt } h2 { break-before: page }
  pre, li { break-inside: avoid } h2, h3 { break-after: avoid } }
"""


def _chapter(name: str, root: Path) -> str:
    notebook = root / "notebooks" / f"{name}.ipynb"
    title, _ = title_and_part(notebook)
    asked = "".join(_answered(question) for question in quiz.questions(name, root))
    return f"<h2>{escape(title)}</h2>\n{''.join(_solved(one) for one in exercises(notebook))}" + (
        f"<h3>Check yourself</h3>\n<ol>{asked}</ol>\n" if asked else ""
    )


def _solved(exercise: Exercise) -> str:
    return (
        f"<h3>{html(exercise.title, inline=True)}</h3>\n{html(exercise.text)}\n"
        f'<div class="hint"><p><strong>Hint.</strong></p>{html(exercise.hint)}</div>\n'
        f"<p><strong>Solution.</strong></p>\n{html(exercise.solution)}\n"
    )


def _answered(question: quiz.Question) -> str:
    rows = "".join(
        f'<li class="{"right" if answer.right else "wrong"}">{html(answer.text, inline=True)}'
        f"{' ✓' if answer.right else ''} "
        f'<span class="because">{html(answer.because, inline=True)}</span></li>'
        for answer in question.answers
    )
    return f'<li>{html(question.text, inline=True)}<ul class="answers">{rows}</ul></li>'


def write(folder: Path, names: list[str], root: Path = ROOT) -> list[Path]:
    """Write the key and the students' notebooks of some chapters, and return their paths."""
    students = folder / "students"
    students.mkdir(parents=True, exist_ok=True)
    write_text(folder / "answers.html", answers(names, root))
    for name in names:
        notebook = without_solutions(root / "notebooks" / f"{name}.ipynb")
        write_text(students / f"{name}.ipynb", notebook)
    return [folder / "answers.html", *(students / f"{name}.ipynb" for name in names)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="course keys",
        description="The lecturer's answers, and the notebooks of a class without them.",
    )
    folder, names = chosen_chapters(parser, ROOT, Path("_build") / "keys", arguments)
    for path in write(folder, names, ROOT):
        print(path)


if __name__ == "__main__":
    main()

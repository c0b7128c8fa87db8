"""The quiz of a chapter: questions with their answers explained, from ``book/quiz/CHAPTER.yml``.

It stands before the exercises of the page. Radio buttons and a style sheet do it all, so it works
with the keyboard and without a script; what appears is in a live region, for screen readers.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx

FOLDER = Path("book") / "quiz"


@dataclass(frozen=True)
class Answer:
    """One answer, and what is said to those who choose it."""

    text: str
    because: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with its answers, exactly one of them right."""

    text: str
    answers: tuple[Answer, ...]

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Question":
        """A question from a row of the file.

        Raises:
            ValueError: if it has not exactly one right answer, or an answer has no explanation.
        """
        answers = tuple(Answer(**answer) for answer in row["answers"])
        if sum(answer.right for answer in answers) != 1 or len(answers) < 3:
            raise ValueError(
                f"the quiz question {row['question']!r} needs three answers or more, one of them "
                f"with 'right: true'; it has {len(answers)}, "
                f"{sum(answer.right for answer in answers)} of them right"
            )
        if bare := [answer.text for answer in answers if not answer.because.strip()]:
            raise ValueError(f"the quiz answer {bare[0]!r} needs an explanation, 'because: ...'")
        return cls(row["question"], answers)


def questions(page: str, root: Path) -> list[Question]:
    """The questions of a page (``"01-two-expectations"``); none if it has no file."""
    path = root / FOLDER / f"{page}.yml"
    if not path.is_file():
        return []
    return [Question.read(row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]


def html(question: Question, number: int) -> str:
    """A question as a group of radio buttons."""
    rows = []
    for i, answer in enumerate(question.answers):
        name = f"quiz-{number}-{i}"
        verdict = "Right." if answer.right else "Not quite."
        rows.append(
            f'<div class="answer {"right" if answer.right else "wrong"}">'
            f'<input type="radio" name="quiz-{number}" id="{name}" autocomplete="off"/>'
            f'<label for="{name}">{_inline(answer.text)}</label>'
            f'<div aria-live="polite"><p class="because"><strong>{verdict}</strong> '
            f"{_inline(answer.because)}</p></div></div>"
        )
    legend = f"<legend>{number}. {_inline(question.text)}</legend>"
    return f'<fieldset class="quiz">{legend}{"".join(rows)}</fieldset>'


def _inline(text: str) -> str:
    """Plain text with ``*emphasis*`` as HTML."""
    parts = escape(text.strip(), quote=False).split("*")
    return "".join(f"<em>{part}</em>" if i % 2 else part for i, part in enumerate(parts))


def _insert(app: Sphinx, document: nodes.document) -> None:
    page = app.env.docname.split("/")[-1]
    root = Path(app.srcdir)
    rows = questions(page, root)
    if not rows:
        return
    app.env.note_dependency(str(root / FOLDER / f"{page}.yml"))
    section = nodes.section("", nodes.title("", "Check yourself"), ids=["check-yourself"])
    section["names"] = ["check yourself"]
    section += nodes.paragraph("", "Five questions; every answer says why it is right or wrong.")
    for number, question in enumerate(rows, start=1):
        section += nodes.raw("", html(question, number), format="html")
    before = next(
        (s for s in document.findall(nodes.section) if s[0].astext() == "Exercises"), None
    )
    if before is None:
        document.children[0].append(section)
    else:
        before.parent.insert(before.parent.index(before), section)


def setup(app: Sphinx) -> None:
    # before the table of contents of the page is collected
    app.connect("doctree-read", _insert, priority=400)

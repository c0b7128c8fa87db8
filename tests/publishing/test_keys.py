"""The lecturer's key has every solution and every right answer; a student's notebook has none."""

import json
from pathlib import Path

import nbformat
import pytest

from course.publishing import keys, prose
from course.publishing.page import quiz
from course.publishing.slides import chapters

ROOT = Path(__file__).parents[2]
EXERCISES = """## Exercises

Write.

### 1. Padding

*Easy, about 5 minutes.* Write `f`.

<details class="fold">
<summary>Hint</summary>

Compare.

</details>

<details class="fold">
<summary>Solution</summary>

```python
f = 1 < 2
```

</details>

## Claims
"""


@pytest.fixture
def notebook(tmp_path) -> Path:
    path = tmp_path / "notebooks" / "09-a-chapter.ipynb"
    path.parent.mkdir()
    cells = [nbformat.v4.new_markdown_cell(t) for t in ("# 9. A chapter", EXERCISES)]
    cells.append(nbformat.v4.new_code_cell("print('stays')"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_an_exercise_is_read_apart_from_hint_and_solution(notebook):
    (exercise,) = keys.exercises(notebook)
    assert exercise.title == "1. Padding" and exercise.hint == "Compare."
    assert exercise.text == "*Easy, about 5 minutes.* Write `f`."
    assert exercise.solution == "```python\nf = 1 < 2\n```"


def test_the_students_keep_hints_and_code_and_get_no_solution(notebook):
    given = nbformat.reads(keys.without_solutions(notebook), as_version=4)
    nbformat.validate(given)
    text = "\n".join(cell.source for cell in given.cells)
    assert "Compare." in text and "print('stays')" in text and keys.REMOVED in text
    assert "f = 1" not in text and text.count("<details") == text.count("</details>") == 1


def test_an_exercise_without_a_solution_and_a_chapter_without_exercises_are_refused(notebook):
    content = notebook.read_text(encoding="utf-8")
    notebook.write_text(content.replace("<summary>Solution", "<summary>Answer"), encoding="utf-8")
    with pytest.raises(ValueError, match="exercise '1. Padding' has no Solution"):
        keys.exercises(notebook)
    notebook.write_text(content.replace("## Exercises", "## Tasks"), encoding="utf-8")
    with pytest.raises(ValueError, match="09-a-chapter.ipynb has no exercises"):
        keys.exercises(notebook)


def test_the_key_of_the_book_has_every_solution_and_every_right_answer():
    names = chapters(ROOT)
    page = keys.answers(names, ROOT)
    for name in names:
        path = ROOT / "notebooks" / f"{name}.ipynb"
        given = json.loads(keys.without_solutions(path))
        text = "\n".join("".join(c["source"]) for c in given["cells"] if "source" in c)
        for exercise in keys.exercises(path):
            assert prose.html(exercise.solution) in page
            assert exercise.solution not in text
        for question in quiz.questions(name, ROOT):
            (right,) = (answer for answer in question.answers if answer.right)
            assert f'<li class="right">{prose.html(right.text, inline=True)} ✓' in page
    assert "src=" not in page and "<link" not in page


def test_the_command_writes_both(notebook, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(keys, "ROOT", tmp_path)
    keys.main(["--to", str(tmp_path / "out")])
    written = capsys.readouterr().out.split()
    assert [Path(line).name for line in written] == ["answers.html", "09-a-chapter.ipynb"]
    assert "f = 1 &lt; 2" in Path(written[0]).read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        keys.main(["10-none"])
    assert "no such chapter: 10-none" in capsys.readouterr().err

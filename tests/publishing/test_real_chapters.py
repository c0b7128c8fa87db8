"""``make real`` says how each chapter went: to its end, without its data, or with an error."""

import os
from pathlib import Path

import pytest

from course.publishing import chapter_times, real_chapters
from course.publishing.chapter_times import LIMIT, read_times, record_times
from course.publishing.real_chapters import chapters, main, run, run_chapter
from course.tasks import LOCAL_DATA

ROOT = Path(__file__).parents[2]
PAGE = """---
jupytext:
  formats: book///md:myst,notebooks///ipynb
kernelspec:
  name: python3
  display_name: Python 3
---

# {name}

```{{code-cell}} ipython3
{code}
```
"""
CODE = {
    "01-fine": "import os\nassert os.environ['COURSE_TIER'] == 'index'",
    "02-absent": "from course.tasks import DataError\nraise DataError('get it from there')",
    "03-broken": "1 / 0",
    "world": "1 / 0",
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    for name, code in CODE.items():
        text = PAGE.format(name=name, code=code)
        (tmp_path / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(real_chapters, "INDEX", {})
    return tmp_path


def test_each_chapter_is_told_from_the_others(root, capsys, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert chapters(root) == ["01-fine", "02-absent", "03-broken"]
    assert not run(chapters(root), root)
    fine, absent, broken, last, *to_get = capsys.readouterr().out.splitlines()
    assert "slowest cell" in fine and "import os" in fine
    assert "not run to the end: get it from there" in absent
    assert "FAILED: ZeroDivisionError: division by zero" in broken
    assert last.startswith("1 of 3 chapters ran to the end, 1 lack data,")
    assert to_get[0] == "without data: 02-absent" and "COURSE_DATA" in to_get[1]
    for data, line in zip(LOCAL_DATA.values(), to_get[2:], strict=True):
        assert data.where in line and all(name in line for name in data.files)


def test_a_chapter_that_lacks_data_is_no_failure(root):
    with pytest.raises(SystemExit) as ended:
        main(["02-absent"])
    assert ended.value.code == 0


def test_nothing_is_stored(root):
    run_chapter("01-fine", root)
    assert {path.name for path in root.iterdir()} == {"book"}


def test_an_unknown_chapter_is_refused(root, capsys):
    with pytest.raises(SystemExit):
        main(["07-no"])
    assert "no such chapter: 07-no; choose from 01-fine" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="a system that does not count what children took")
def test_what_whole_runs_took_is_recorded_if_that_is_wanted(root, monkeypatch):
    path = root / "times.json"
    record_times({"02-absent": 7.0}, path)
    monkeypatch.setattr(real_chapters, "record_times", lambda taken: record_times(taken, path))
    with pytest.raises(SystemExit):
        main(["--record", "01-fine", "03-broken"])
    times = chapter_times.chapter_times(path)
    assert list(times.index) == ["01-fine", "02-absent"]
    assert times.seconds["01-fine"] > 0 and times.seconds["02-absent"] == 7
    with pytest.raises(SystemExit):
        main(["--record", "--tier", "tiny"])


def test_a_recorded_chapter_exists_and_takes_no_more_than_the_book_says():
    recorded = read_times()
    assert set(recorded) <= set(chapters(ROOT))
    assert all(0 < each["seconds"] <= LIMIT for each in recorded.values())

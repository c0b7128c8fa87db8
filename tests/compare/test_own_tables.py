"""Tables that no one here wrote, as their publishers have them: what is read in each."""

import importlib.util
import os
from pathlib import Path

import pytest

from course.compare.preparation import prepare

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("COURSE_DATA") or ROOT.parent / "shared" / "data")
_SPEC = importlib.util.spec_from_file_location("own_tables", ROOT / "benchmarks" / "own_tables.py")
own_tables = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(own_tables)
#: Name -> kind, and the labels, how many kinds of tags there are, or an answer.
EXPECTED = {
    "film sentences": ("labels", ("bad", "good")),
    "SNLI": ("labels", ("contradiction", "entailment", "neutral")),
    "WNUT-17": ("tags", 1 + 2 * 6),
    "GSM8K": ("answers", "18"),
    "induction: antonyms": ("answers", "unfortunate"),
    "induction: singular_to_plural": ("answers", "ends"),
}


@pytest.mark.skipif(not DATA.is_dir(), reason="no real data sets at hand (COURSE_DATA)")
@pytest.mark.parametrize("own", own_tables.TABLES, ids=lambda own: own.name)
def test_the_kind_of_a_real_table_is_seen(own):
    kind, what = EXPECTED[own.name]
    every = own.read(DATA)
    data = prepare(own.sample(DATA, 600), own.text, own.label)
    assert data.task.kind == kind and len(data.train) + len(data.test) <= len(every.rows)
    if kind == "labels":
        assert data.task.labels == what
    elif kind == "tags":
        assert len(data.task.labels) == what
    else:
        every = prepare(every, own.text, own.label)
        assert what in {answer for item in (*every.train, *every.test) for answer in item.answers}
    kinds = {finding.kind for finding in data.findings}
    assert ("worked solution" in kinds) == (own.name == "GSM8K")


def test_what_a_trial_tells(tmp_path):
    """On a table in memory: what was written beside what was expected, and an error as a row."""
    rows = [{"t": f"{i} red {i * i}", "l": str(i)} for i in range(30)]
    own = own_tables.OwnTable("rows", lambda folder: own_tables.read_table(rows), "t", "l")
    settings = {"budget": "60s", "model": "tiny", "seeds": 1, "methods": "tfidf"}
    told = own_tables.trial(own, tmp_path, 24, **settings)
    assert told["kind"] == "answers" and told["rows"] == 24
    assert told["methods"] == 2 and told["written"] == own_tables.NOTHING
    wrong = own_tables.OwnTable("wrong", own.read, "u", "l")
    failed = own_tables.trial(wrong, tmp_path, 24, **settings)
    assert failed["advice"].startswith("failed: text='u'")
    own_tables.write_csv(tmp_path / "told.csv", [told, failed])
    head, *lines = (tmp_path / "told.csv").read_text(encoding="utf-8").splitlines()
    assert head.startswith("table,rows,kind,") and "advice" not in head
    assert len(lines) == 2 and lines[1].startswith(f"wrong,24,{own_tables.NOTHING}")
    advice = own_tables.read_table(own_tables.advice_path(tmp_path / "told.csv"))
    assert advice.columns == ("table", "advice")
    assert [row["advice"] for row in advice.rows] == [told["advice"], failed["advice"]]


def test_the_book_has_a_row_for_each_table():
    path = ROOT / "benchmarks" / "results" / "own_tables.csv"
    shown = (ROOT / "book" / "your-data.md").read_text(encoding="utf-8")
    for place in (path, own_tables.advice_path(path)):
        assert f":file: ../{place.relative_to(ROOT).as_posix()}" in shown
        rows = own_tables.read_table(place).rows
        assert [row["table"] for row in rows] == [own.name for own in own_tables.TABLES]
    assert not any(row["advice"].startswith("failed") for row in rows)

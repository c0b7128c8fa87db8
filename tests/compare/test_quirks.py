"""One file with everything that is wrong with real tables, from its bytes to the answers that are
written: each thing has the right value at the end.
"""

import csv
import io

import pytest

from course.compare import compare, load_learned, read_table, use
from course.compare.formats import DELIMITERS
from course.compare.preparation import prepare
from course.compare.using import as_text, with_answers

#: Labels that other readers of tables change.
STRANGE = ("None", "NA", "null", "01", "1", " pos ", "pos", "True", "1.0", "-", "#N/A")
#: Words that say which label a text has, so that a method can learn it.
WORDS = ("red", "green", "blue", "grey", "pink", "cyan", "gold", "jade", "plum", "rust", "teal")
EACH = 8


def sentence(label: int, number: int) -> str:
    rest = f"{(number + 3) ** 3 * (label + 7) % 99991} of {number * label + 13 * number}"
    return f"the {WORDS[label]} {WORDS[label]} thing, {rest}"


def table(delimiter: str) -> bytes:
    """A table with a byte order mark, quotation marks, line breaks within values and spaces."""
    rows = [("id", "Text", "stars ")]
    rows += [
        (str(number), sentence(label, number), name)
        for number in range(EACH)
        for label, name in enumerate(STRANGE)
    ]
    rows += [
        ("q", f'he said "red{delimiter} red"\nand, on a new line; red\tagain', "None"),
        ("e1", "", "1"),
        ("e2", "   ", "1"),
        ("l1", "a text without a label", ""),
        ("s1", "a thing of its own", "seen once"),
        ("d1", sentence(1, 0), "NA"),
        ("d2", f"  {sentence(1, 0).upper()} ", "NA"),
        ("t1", "this one has two", "null"),
        ("t2", "this one has two", "01"),
        ("n1", f"{sentence(4, 1)} ok", "1"),
        ("c1", "電影很好看，red red", "None"),
    ]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_value_survives_whatever_separates_them(delimiter, tmp_path):
    path = tmp_path / "quirks.csv"
    path.write_bytes(table(delimiter))
    read = read_table(path)
    assert read.columns == ("id", "Text", "stars ")
    by_id = {row["id"]: row for row in read.rows}
    assert by_id["q"]["Text"] == f'he said "red{delimiter} red"\nand, on a new line; red\tagain'
    assert [by_id["0"]["stars "]] == ["#N/A"]  # the last of the first round
    assert {row["stars "] for row in read.rows} == {*STRANGE, "", "seen once"}
    assert by_id["c1"]["Text"].startswith("電影") and by_id["e2"]["Text"] == "   "


def test_each_finding_has_its_count(tmp_path):
    path = tmp_path / "quirks.csv"
    path.write_bytes(table(";"))
    with pytest.raises(ValueError, match="did you mean 'Text'"):
        prepare(read_table(path), "text", "stars ")
    with pytest.raises(ValueError, match="did you mean 'stars '"):
        prepare(read_table(path), "Text", "stars")
    data = prepare(read_table(path), "Text", "stars ")
    counts = {finding.kind: finding.count for finding in data.findings}
    assert counts == {
        "reading": 1,
        "empty text": 2,
        "empty label": 1,
        "repeated row": 2,
        "same text, two labels": 1,
        "near-copy": 1,
        "label seen once": 1,
        "labels alike": 1,
    }
    (alike,) = (f for f in data.findings if f.kind == "labels alike")
    assert alike.examples == ("' pos ', 'pos'",)
    assert data.task.kind == "labels"
    assert set(data.task.labels) == {*STRANGE, "seen once"}
    assert len(set(data.task.words.values())) == len(data.task.labels)
    texts = {item.text: item.answer for item in (*data.train, *data.test)}
    assert "this one has two" not in texts and "" not in texts
    assert "seen once" in {item.answer for item in data.train}
    sides = [{item.text for item in some} for some in (data.train, data.test)]
    assert sum(sentence(4, 1) in side and f"{sentence(4, 1)} ok" in side for side in sides) == 1


def test_answers_are_written_as_the_labels_were(tmp_path):
    path, out = tmp_path / "quirks.csv", tmp_path / "report"
    path.write_bytes(table(","))
    compare(path, "Text", "stars ", methods="tfidf", budget=None, out=out, model="tiny").save(out)
    new = [{"Text": f"a {word} {word} thing, {number}"} for number, word in enumerate(WORDS)]
    task, predictor = load_learned(out, "tfidf")
    answers = use(read_table(new), task, predictor)
    assert answers == list(STRANGE)
    columns, rows = with_answers(read_table(new), task, answers)
    written = as_text(columns, rows, ".csv", ",")
    back = [row["stars "] for row in csv.DictReader(io.StringIO(written, newline=""))]
    assert back == list(STRANGE)


@pytest.mark.parametrize("encoding, text", [("big5", "這部電影很好"), ("gbk", "这部电影很好"),
                                            ("cp1252", "café à la mode")])  # fmt: skip
def test_a_table_in_another_encoding_is_compared_once_it_is_named(encoding, text, tmp_path):
    path = tmp_path / "other.csv"
    lines = [f"{text} {number * number},{number % 2}" for number in range(30)]
    path.write_bytes("\n".join(["text,label", *lines]).encode(encoding))
    with pytest.raises(ValueError, match=f"--encoding.*|{encoding}") as error:
        compare(path, "text", "label", methods="majority", model="tiny")
    assert encoding in str(error.value)
    result = compare(path, "text", "label", methods="majority", model="tiny", encoding=encoding)
    assert all(item.text.startswith(text) for item in result.data.train)

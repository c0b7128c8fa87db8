"""What users get wrong: files that are no tables, tables that cannot be split, folders of something
else, options that are none. Each is an error that names it and says what to do.
"""

import gzip
import json
import re
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from course.compare import command as compare_command
from course.compare import compare, load_learned, read_table
from course.compare.command import main as compare_main
from course.compare.preparation import prepare
from course.compare.splits import near_copies
from course.compare.use_command import main as use_main


def rows(count=30, labels=2):
    return [{"t": f"text {i * i} of {i}", "l": f"label {i % labels}"} for i in range(count)]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A file in the working directory, and the arguments that compare it."""
    monkeypatch.chdir(tmp_path)
    pd.DataFrame(rows()).to_csv("table.csv", index=False)
    return ["table.csv", "--text", "t", "--label", "l", "--methods", "majority"]


def refused(arguments):
    with pytest.raises(SystemExit) as error:
        compare_main(arguments)
    return str(error.value)


@pytest.mark.parametrize(
    "data, named",
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "Excel.*save the sheet as CSV"),
        (gzip.compress(b"t,l\na,b\n", mtime=0), "gzip: unpack"),  # no clock in a test's name
        (b"PAR1\x15\x04", r"name that ends in \.parquet"),
        (b"%PDF-1.7\n", "PDF"),
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (b"t,l\n", "has no rows"),
        (b"t,t,l\na,b,c\n", "two columns are called 't'"),
        (b"\x00\x01\x02\x03", "zero byte"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "byte 0x89"),
    ],
)
def test_a_file_that_is_no_table(data, named, table, tmp_path):
    (tmp_path / "table.csv").write_bytes(data)
    assert re.search(named, refused(table))


def test_half_a_character_is_named_with_its_row(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"t": "fine"}\n{"t": "cut \\ud83d"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"row 2 has half a character \('\\ud83d'\).*'t'"):
        read_table(path)


def test_bytes_of_parquet_are_texts(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"t": ["café".encode(), b"b"], "n": [1, 2], "x": [0.5, None]}).to_parquet(path)
    read = [tuple(row.values()) for row in read_table(path).rows]
    assert read == [("café", "1", "0.5"), ("b", "2", "")]


def test_nested_values_stay_json(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"t": {"a": [1, {"b": null}]}, "l": [["x"], 1]}\n', encoding="utf-8")
    (row,) = read_table(path).rows
    assert json.loads(row["t"]) == {"a": ["1", {"b": None}]} and row["l"] == '[["x"], "1"]'


@pytest.mark.parametrize("sign", ["\\t", "tab", "\t"])
def test_a_tab_may_be_named(sign, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("t,x\tl\na,b\tc\n", encoding="utf-8")
    assert read_table(path, delimiter=sign).columns == ("t,x", "l")
    for wrong in ("", ";;", '"'):
        with pytest.raises(ValueError, match="expected one character"):
            read_table(path, delimiter=wrong)


def test_a_column_may_have_any_name_in_a_template():
    named = [{"a.b": row["t"], "c[0]": "x", "l": row["l"]} for row in rows()]
    data = prepare(read_table(named), ["a.b", "c[0]"], "l", template="{a.b} ({c[0]})")
    assert data.train[0].text.endswith("(x)")
    with pytest.raises(ValueError, match="stands there twice"):
        prepare(read_table(named), ["a.b", "a.b"], "l")


@pytest.mark.parametrize(
    "table, kind, named",
    [
        (rows(labels=1), None, "all rows have 'label 0'"),
        (rows(labels=30), "labels", "none of the 30 labels has two different texts"),
        ([{"t": "the same long text again" + "!" * i, "l": str(i % 2)} for i in range(20)], None,
         "too few"),
        ([{"t": f"the same long text, again and again, with a number {i}", "l": str(i % 2)}
          for i in range(20)], None, "none is left|has two different texts"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_split(table, kind, named):
    with pytest.raises(ValueError, match=named):
        prepare(read_table(table), "t", "l", kind)


def test_thousands_of_labels_are_free_answers():
    many = [{"t": f"{i} {i * i} {i**3}", "l": f"l{i % 1500}"} for i in range(3000)]
    with pytest.raises(ValueError, match="1,500 different labels: expected at most 1,000.*answers"):
        prepare(read_table(many), "t", "l", "labels")
    data = prepare(read_table(many), "t", "l")
    assert data.task.kind == "answers" and len(data.test) == 500


def test_a_test_table_that_tests_nothing():
    with pytest.raises(ValueError, match="no row with a text and an answer"):
        prepare(read_table(rows()), "t", "l", test=read_table([{"t": "a", "l": ""}]))
    with pytest.raises(ValueError, match="left to learn from.*another table"):
        prepare(read_table(rows()), "t", "l", test=read_table(rows()))


def test_a_book_in_a_cell_takes_no_memory():
    """Near-copies are looked for in its beginning."""
    long = "".join(f"{i} " for i in range(400_000))
    assert near_copies([long, "short", long[:-9] + "x"]) == [0, 1, 0]


def test_a_folder_of_something_else_is_left_alone(table, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "results.csv").write_text("mine", encoding="utf-8")
    assert "results.csv, which no comparison has written" in refused([*table, "--out", "mine"])
    assert [path.name for path in folder.iterdir()] == ["results.csv"]
    assert "is a file" in refused([*table, "--out", "table.csv"])
    result = compare("table.csv", "t", "l", methods="majority", model="tiny", budget=None)
    with pytest.raises(ValueError, match="results.csv"):
        result.save(folder)
    result.save("own")
    result.save("own")  # one's own may be written again
    (folder / "results.csv").unlink()
    (folder / "plan.json").write_text("[]", encoding="utf-8")
    assert "plan.json is damaged" in refused([*table, "--out", "mine", "--model", "tiny"])


@pytest.mark.parametrize(
    "option, named",
    [
        (["--sizes", "many"], "--sizes 'many': expected numbers of labels"),
        (["--sizes", "1000"], "size 1000: expected 1 to"),
        (["--budget", "soon"], "expected a time such as"),
        (["--seeds", "0"], "seeds"),
        (["--methods", "lore"], "no method 'lore'; choose from majority"),
        (["--model", "no/where/at/all"], "expected a tier"),
        (["--delimiter", ";;"], "expected one character"),
        (["--encoding", "utf-9"], "no such encoding"),
        (["--text", "t"], "stands there twice"),
        (["--label", "t"], "is read as text, too"),
        (["--test", "none.csv"], "no file 'none.csv'"),
        (["--served", "http://h/v1", "--served-model", "m", "--price", "cheap"], "two prices"),
        (["--served", "http://h/v1"], "--served-model"),
        (["--template", "{t} {u}"], "has the fields t, u"),
    ],
)
def test_an_option_that_is_none(option, named, table):
    assert named in refused([*table, "--model", "tiny", *option])


def test_an_interrupt_says_what_is_kept(table, monkeypatch, capsys):
    monkeypatch.setattr(
        compare_command, "_run", lambda chosen: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(SystemExit) as error:
        compare_main([*table, "--out", "here"])
    assert error.value.code == 130
    assert "kept in here: the same command goes on" in capsys.readouterr().err


def test_rows_and_reports_that_cannot_be_used(table, tmp_path, monkeypatch):
    compare_main([*table, "--model", "tiny", "--out", "report", "--budget", "1s"])
    (tmp_path / "new.csv").write_text("u,l\na,b\n", encoding="utf-8")

    def failed(*arguments):
        with pytest.raises(SystemExit) as error:
            use_main(["report", *arguments])
        return str(error.value)

    assert "has no such column" in failed("new.csv", "--method", "majority")
    assert "no method 'lora'; choose from majority" in failed("new.csv", "--method", "lora")
    for name in ("results.json", "models.json", "methods/majority/method.json"):
        path = tmp_path / "report" / name
        kept = path.read_text(encoding="utf-8")
        path.write_text(kept[:5], encoding="utf-8")
        given = [] if name == "results.json" else ["--method", "majority"]
        assert f"{name.rpartition('/')[2]} is missing or damaged" in failed("new.csv", *given)
        path.write_text(kept, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=SimpleNamespace(read=lambda: b"")))
    assert "the standard input is empty" in failed("--method", "majority")
    task, predictor = load_learned(tmp_path / "report", "majority")
    assert task.labels == ("label 0", "label 1")

"""Tables as they come: every quirk has the right value, and what cannot be read is said."""

import csv
import io
import json

import pandas as pd
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given
from hypothesis import strategies as st

from course.compare.reading import decoded, parsed, read_table

LABELS = ["None", "NA", "null", "01", "1", " pos", "nan", "True", "1.0", ""]


def written(rows, delimiter=",", **settings):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, **settings).writerows(rows)
    return out.getvalue()


@pytest.fixture
def quirks(tmp_path):
    rows = [["text", "label"], *[[f"text {i}", label] for i, label in enumerate(LABELS)]]
    path = tmp_path / "quirks.csv"
    path.write_text(written(rows), encoding="utf-8")
    return path


def test_labels_are_the_texts_that_they_are(quirks):
    assert [row["label"] for row in read_table(quirks).rows] == LABELS


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_every_format_reads_the_same(suffix, tmp_path, quirks):
    expected = read_table(quirks).rows
    frame, path = pd.DataFrame(expected), tmp_path / f"table.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=suffix == "jsonl")
    assert read_table(path).rows == expected
    assert read_table(frame).rows == read_table(list(expected)).rows == expected
    assert read_table(Dataset.from_list(list(expected))).rows == expected


def test_numbers_of_json_are_as_written(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"a": 1.50, "b": 1e3, "c": true, "d": null, "e": [1, "x"], "f": NaN}\n', encoding="utf-8"
    )
    (row,) = read_table(path).rows
    assert row == {"a": "1.50", "b": "1e3", "c": "true", "d": "", "e": ["1", "x"], "f": "NaN"}


def test_whole_numbers_of_pandas_stay_whole_beside_a_missing_one():
    table = read_table(pd.DataFrame({"stars": [1, 2, None], "x": [0.5, 1.0, None]}))
    assert [tuple(row.values()) for row in table.rows] == [("1", "0.5"), ("2", "1.0"), ("", "")]
    assert any("'stars'" in note for note in table.notes)


def test_class_numbers_of_a_data_set_become_their_names():
    features = Features({"t": Value("string"), "y": ClassLabel(names=["no", "yes"])})
    table = read_table(Dataset.from_list([{"t": "a", "y": 1}, {"t": "b", "y": 0}], features))
    assert [row["y"] for row in table.rows] == ["yes", "no"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_first_line(delimiter):
    rows = [["text", "label"], ["one, two; three", "a"], ["line\nbreak", 'say "b"'], ["x|y", "c"]]
    table = parsed(written(rows, delimiter), ".csv", "t")
    assert [list(row.values()) for row in table.rows] == rows[1:]


@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))] * 2
        ),
        min_size=1,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_csv_writes_is_read_back(rows, delimiter):
    text = written([("text", "label"), *rows], delimiter, quoting=csv.QUOTE_ALL)
    table = parsed(text, ".csv", "t", delimiter)
    assert [tuple(row.values()) for row in table.rows] == rows


def test_tabs_without_quoting():
    text = 'text\tlabel\n"Great\ta\nhe said "no\tb\nno" end\tc\n'
    table = parsed(text, ".tsv", "t")
    assert [row["text"] for row in table.rows] == ['"Great', 'he said "no', 'no" end']
    assert "quotation marks are read as they stand" in table.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(encoding, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("text,label\n好,1\n".encode(encoding))
    assert read_table(path).rows == ({"text": "好", "label": "1"},)


@pytest.mark.parametrize(
    "encoding, text", [("cp1252", "café, naïve"), ("big5", "這部電影很好"), ("gbk", "这部电影很好")]
)
def test_another_encoding_is_an_error_that_names_the_byte_and_offers_it(encoding, text, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(f'text,label\nplain,0\n"{text}",1\n'.encode(encoding))
    position = next(i for i, byte in enumerate(path.read_bytes()) if byte > 127)
    with pytest.raises(ValueError, match=rf"position {position} \(line 3\)") as error:
        read_table(path)
    assert f"0x{path.read_bytes()[position]:02x}" in str(error.value)
    assert encoding in str(error.value) and "--encoding" in str(error.value)
    assert read_table(path, encoding).rows[1]["text"] == text


def test_an_unknown_encoding_and_a_wrong_one():
    with pytest.raises(ValueError, match="utf-9"):
        decoded(b"a", "utf-9", "t")
    with pytest.raises(ValueError, match="0xe9 at position 1"):
        decoded(b"a\xe9", "ascii", "t")


def test_zero_bytes_hint_at_utf_16():
    with pytest.raises(ValueError, match="zero byte at position 1.*utf-16"):
        parsed("text,label".encode("utf-16-le").decode("latin-1"), ".csv", "t")


def test_a_column_that_is_not_there_names_the_nearest(quirks):
    with pytest.raises(ValueError, match="'text', 'label'.*did you mean 'label'"):
        read_table(quirks).column("Lable", "label")


def test_a_file_that_is_not_there_names_the_nearest(quirks):
    with pytest.raises(ValueError, match="did you mean 'quirks.csv'"):
        read_table(quirks.with_name("quirk.csv"))


@pytest.mark.parametrize(
    "text, suffix, named",
    [
        ('a,b\n1,2\n"open,3\n', ".csv", "line 3"),
        ("a,b\n1,2\n1,2,3\n", ".csv", "line 3 has 3 values"),
        ("a,a\n1,2\n", ".csv", "'a'"),
        ("", ".csv", "empty"),
        ("a,b\n", ".csv", "no rows"),
        ('{"a": 1}\n{"a": \n', ".jsonl", "line 2"),
        ('{"a": 1}\n[1]\n', ".jsonl", "line 2"),
        ("[1, 2]", ".json", "list of objects"),
        ("EU B-ORG\nrejects\n", ".conll", "line 2"),
    ],
)
def test_damage_is_named(text, suffix, named):
    with pytest.raises(ValueError, match=named):
        parsed(text, suffix, "t")


def test_one_ragged_line_in_hundreds_is_left_out_and_said():
    text = "a,b\n" + "1,2\n" * 300 + "1,2,3\n"
    table = parsed(text, ".csv", "t")
    assert len(table.rows) == 300 and "line 302" in table.notes[-1]


def test_words_and_tags_of_conll():
    table = parsed("-DOCSTART- O\n\nEU\tB-ORG\nrejects\tO\n\n\nPeter B-PER\n", ".conll", "t")
    assert table.rows == (
        {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]},
        {"tokens": ["Peter"], "tags": ["B-PER"]},
    )


def test_an_object_with_one_list_of_rows():
    data = {"metadata": {"size": 2}, "examples": {"1": {"a": "x"}, "2": {"a": "y"}}}
    assert [r["a"] for r in parsed(json.dumps(data), ".json", "t").rows] == ["x", "y"]


@pytest.mark.parametrize("what", [3, b"a,b", {"a": [1]}, [1, 2], []])
def test_no_table(what):
    with pytest.raises(ValueError):
        read_table(what)

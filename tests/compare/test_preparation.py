"""What is wrong with a table is counted, shown and handled; no text is on both sides."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.compare.preparation import prepare
from course.compare.reading import read_table
from course.compare.splits import LIKENESS, near_copies, normalised, order, split


def rows(count=40):
    """``count`` texts that have little in common, half of each label."""
    return [{"text": text(i), "label": str(i % 2)} for i in range(count)]


def text(number):
    letters = random.Random(number).choices("abcdefghijklmnop ", k=30)
    return f"{number} {''.join(letters).strip()} x"


def prepared(table, **settings):
    return prepare(read_table(table), "text", "label", **settings)


def found(data):
    return {finding.kind: finding for finding in data.findings}


def test_of_worked_solutions_the_final_answer_counts():
    """As GSM8K has them; one row that has none, and they stay what they are."""
    steps = "There are {0}.\n{0} + 1 = <<{0}+1={1}>>{1}\n#### {1}"
    table = [{"text": text(i), "label": steps.format(i, i + 1)} for i in range(40)]
    data = prepared(table)
    assert data.task.kind == "answers" and found(data)["worked solution"].count == 40
    asked = {item.text: item.answer for item in (*data.train, *data.test)}
    assert asked == {text(i): str(i + 1) for i in range(40)}
    item = data.test[0]
    answers = [data.task.read(written, item) for written in (item.answer, f"{item.answer}.0", "0")]
    assert data.task.scores([item] * 3, answers).tolist() == [100, 100, 0]
    tested = prepared(table, test=read_table(table[:15]))
    assert {item.answer for item in tested.test} == {str(i + 1) for i in range(15)}
    table[3]["label"] = "unknown"
    data = prepared(table)
    assert "worked solution" not in found(data)
    assert any("####" in item.answer for item in data.test)


def test_each_thing_is_counted_and_handled():
    table = rows()
    table += [
        {"text": "", "label": "1"},  # row 41
        {"text": " \n", "label": "0"},
        {"text": "a text without a label", "label": ""},
        {
            "text": text(1).upper().replace(" ", "  ", 1),
            "label": "1",
        },  # but for capitals and spaces
        {"text": "torn", "label": "0"},
        {"text": "torn", "label": "1"},
        {"text": "mostly one", "label": "0"},
        {"text": "mostly one!", "label": "0"},
        {"text": "mostly one", "label": "1"},
        {"text": "a label of its own", "label": "rare"},
        {"text": "a label with a space", "label": " 1"},
        {"text": "another label with a space", "label": " 1"},
    ]
    data = prepared(table)
    kinds = found(data)
    assert {k: f.count for k, f in kinds.items()} == {
        "empty text": 2,
        "empty label": 1,
        "repeated row": 2,
        "same text, two labels": 2,
        "label seen once": 1,
        "labels alike": 1,
    }
    assert "41" in kinds["empty text"].what
    assert any("torn" in example for example in kinds["same text, two labels"].examples)
    assert (
        "'1'" in kinds["labels alike"].examples[0] and "' 1'" in kinds["labels alike"].examples[0]
    )
    items = {item.text: item.answer for item in (*data.train, *data.test)}
    assert "torn" not in items and items["mostly one"] == "0"
    assert data.task.labels == (" 1", "0", "1", "rare")
    assert "rare" in {item.answer for item in data.train}
    assert len(items) == len(data.train) + len(data.test) == 44


def test_strange_labels_stay_apart():
    names = ["None", "NA", "null", "01", "1", " pos", "pos"]
    table = [{"text": f"text {name!r} {i * i}", "label": name} for name in names for i in range(6)]
    data = prepared(table)
    assert set(data.task.labels) == set(names)
    assert len(set(data.task.words.values())) == len(names)


def test_near_copies_are_on_one_side():
    words = "one two three four five six seven eight nine ten eleven twelve thirteen".split()
    table = [
        {
            "text": f"order {i}: " + " ".join(random.Random(i).sample(words, 9)) + end,
            "label": str(i % 2),
        }
        for i in range(30)
        for end in ("", " please")
    ]
    data = prepared(table)
    assert found(data)["near-copy"].count == 30
    sides = [{item.text.split(":")[0] for item in part} for part in (data.train, data.test)]
    assert not sides[0] & sides[1] and len(data.test) == 20


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc \u4f60\u597d", max_size=60), max_size=25))
def test_groups_of_copies_are_those_of_the_naive_comparison(texts):
    def grams(text):
        plain = normalised(text)
        return {plain[i : i + 5] for i in range(len(plain) - 4)} if len(plain) >= 20 else set()

    groups = near_copies(texts)
    for i, a in enumerate(texts):
        for j, b in enumerate(texts):
            if normalised(a) == normalised(b):
                assert groups[i] == groups[j]
    for group in set(groups):  # nothing is grouped that is not linked by copies
        members = [i for i, g in enumerate(groups) if g == group]
        reached = {members[0]}
        for _ in members:
            reached |= {
                j
                for j in members
                for i in reached
                if normalised(texts[i]) == normalised(texts[j])
                or (len(grams(texts[i]) & grams(texts[j])) or 0)
                >= LIKENESS * max(len(grams(texts[i]) | grams(texts[j])), 1)
            }
        assert reached == set(members)


@given(
    st.lists(st.tuples(st.sampled_from("aabc"), st.integers(0, 30)), max_size=80),
    st.integers(0, 30),
    st.integers(0, 5),
)
def test_splits_keep_groups_whole_and_every_label_in_training(items, wanted, seed):
    labels, groups = [label for label, _ in items], [group for _, group in items]
    tests = split(labels, groups, wanted, seed)
    assert tests == split(labels, groups, wanted, seed)
    assert not {g for g, t in zip(groups, tests, strict=True) if t} & {
        g for g, t in zip(groups, tests, strict=True) if not t
    }
    if items:
        assert not all(tests)


def test_small_training_sets_begin_larger_ones_and_have_every_label():
    labels = ["a"] * 50 + ["b"] * 3 + ["c"]
    for seed in range(5):
        places = order(labels, seed)
        assert sorted(places) == list(range(54))
        assert {labels[i] for i in places[:3]} == {"a", "b", "c"}
    data = prepared(rows(60))
    assert data.subset(32, 1)[:8] == data.subset(8, 1) != data.subset(8, 2)


def test_the_kind_of_a_column():
    pairs = [{"text": f"q{i * i}", "label": f"answer {i}"} for i in range(20)]
    assert prepared(rows()).task.kind == "labels" and prepared(pairs).task.kind == "answers"
    tags = [{"text": f"Ann saw {i * i}", "label": "B-PER O O"} for i in range(20)]
    assert prepared(tags).task.kind == "tags"


def test_several_answers_to_one_question_are_all_right():
    table = [{"text": f"q{i * i}", "label": f"answer {i}"} for i in range(20)]
    data = prepared([*table, {"text": "q4", "label": "two"}])
    (item,) = [item for item in (*data.train, *data.test) if item.text == "q4"]
    assert item.answers == ("answer 2", "two")


def test_a_test_table_of_its_own():
    own = [{"text": f"other text {i * i}", "label": str(i % 2)} for i in range(20)]
    data = prepared(rows(), test=read_table([*own, rows()[4]]))
    assert len(data.test) == 21 and found(data)["copy of a test text"].count == 1
    assert rows()[4]["text"] not in {item.text for item in data.train}


def test_skew_is_told():
    table = [{"text": f"text {i * i}", "label": "no" if i else "yes"} for i in range(30)]
    table.append({"text": "one more", "label": "yes"})
    assert "94 %" in found(prepared(table))["skewed labels"].what


@pytest.mark.parametrize(
    "change, named",
    [
        ({"table": rows(6)}, "too few"),
        ({"table": [row | {"label": "x"} for row in rows()]}, "two or more labels"),
        ({"text": "txt"}, "did you mean 'text'"),
        ({"label": "text"}, "expected another column"),
        ({"template": "{title}"}, "title"),
        ({"kind": "number"}, "kind='number'"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(change, named):
    given = {"table": rows(), "text": "text", "label": "label", **change}
    with pytest.raises(ValueError, match=named):
        prepare(read_table(given.pop("table")), **given)

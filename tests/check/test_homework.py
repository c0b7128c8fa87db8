"""A score file is worth what the lecturer's key makes of it: edited ones and wrong tokens show."""

import json

import pytest

from course.check import Homework, collect, hand_in, student_token
from course.lm import load

KEY = "a key that is long enough"
HOMEWORK = Homework("week 4", "sentiment", "gpt-small", items=12, max_tokens=12, target=0.0)
PROMPT = "is the review positive or negative ?"


@pytest.fixture(scope="module")
def model():
    return load("gpt-small", "tiny")


@pytest.fixture
def handed_in(tmp_path, model):
    path = tmp_path / "lin.json"
    token = student_token(KEY, HOMEWORK, "Lin")
    hand_in(HOMEWORK, "Lin", token, PROMPT, path, model)
    return path


def edited(path, **changes):
    row = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(row), encoding="utf-8")
    return path


def test_a_file_as_handed_in_counts_and_is_measured_on_other_items(handed_in, model):
    table = collect(HOMEWORK, KEY, [handed_in], model)
    (row,) = table.to_dict("records")
    assert (row["student"], row["wrong"]) == ("Lin", "")
    assert row["beats"] == (row["hidden"] > 0) and 0 <= row["hidden"] <= 100
    assert row["practice"] == pytest.approx(HOMEWORK.accuracy(PROMPT, model), abs=1e-3)
    other = collect(HOMEWORK, KEY[::-1], [handed_in], model)
    assert "signature" in other["wrong"][0] and other["hidden"].isna().all()


def test_hidden_items_are_no_practice_items():
    practice = {q.prompt.query for q in HOMEWORK.questions("")}
    hidden = {q.prompt.query for q in HOMEWORK.questions("", "test", 5)}
    assert practice and hidden and not practice & hidden


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"practice": 100.0}, "the signature"),
        ({"prompt": "say positive"}, "the signature"),
        ({"student": "Wu"}, "the signature"),
        ({"signature": "0" * 64}, "the signature"),
        ({"signature": None}, "the signature"),
        ({"homework": {"name": "week 4"}}, "another homework"),
    ],
)
def test_what_was_edited_does_not_count(handed_in, model, changes, wrong):
    table = collect(HOMEWORK, KEY, [edited(handed_in, **changes)], model)
    assert wrong in table["wrong"][0] and table["hidden"].isna().all()


def test_a_token_is_of_one_student_and_one_homework(tmp_path, model):
    wu = student_token(KEY, HOMEWORK, "Wu")
    path = tmp_path / "lin.json"
    hand_in(HOMEWORK, "Lin", wu, PROMPT, path, model)
    assert "signature" in collect(HOMEWORK, KEY, [path], model)["wrong"][0]
    assert wu != student_token(KEY, Homework("week 5", "sentiment"), "Wu")


def test_the_budget_is_kept_and_checked_again(tmp_path, handed_in, model):
    long = " ".join([PROMPT] * 3)
    token = student_token(KEY, HOMEWORK, "Lin")
    with pytest.raises(ValueError, match="the budget is 12: leave out 9"):
        hand_in(HOMEWORK, "Lin", token, long, tmp_path / "long.json", model)
    assert not (tmp_path / "long.json").exists()
    from course.check.homework import _signature

    row = json.loads(handed_in.read_text(encoding="utf-8")) | {"prompt": long}
    forged = edited(handed_in, prompt=long, signature=_signature(token, row))
    assert "over the budget" in collect(HOMEWORK, KEY, [forged], model)["wrong"][0]


def test_what_cannot_be_read_has_a_row_and_the_best_comes_first(tmp_path, handed_in, model):
    broken, empty = tmp_path / "broken.json", tmp_path / "empty.json"
    broken.write_text("{", encoding="utf-8")
    empty.write_text("[]", encoding="utf-8")
    table = collect(HOMEWORK, KEY, [broken, empty, handed_in, tmp_path / "none.json"], model)
    assert table["file"][0] == "lin.json" and len(table) == 4
    assert all(table["wrong"][1:].str.contains("cannot be read|lacks"))


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="a key of 5 characters: expected at least 16"):
        student_token("short", HOMEWORK, "Lin")

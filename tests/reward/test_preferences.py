"""Comparisons: what is compared, which labels are wrong, and what other sets look like."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.reward import (
    Comparison,
    Entry,
    Ledger,
    RatedReplies,
    comparisons_from_rows,
    draw_comparisons,
)

RATED = [
    RatedReplies(f"prompt {i} :", tuple(f"reply {j}" for j in range(6)), (0, 1, 1, 2, 5, 5))
    for i in range(40)
]
REWARD = {f"reply {j}": worth for j, worth in enumerate((0, 1, 1, 2, 5, 5))}


@given(st.integers(1, 300), st.integers(0, 3))
def test_comparisons_are_different_pairs_with_the_better_reply_chosen(count, seed):
    drawn = draw_comparisons(RATED, count, seed=seed)
    assert len({(c.prompt, *sorted((c.chosen, c.rejected))) for c in drawn}) == count
    assert all(REWARD[c.chosen] > REWARD[c.rejected] for c in drawn)
    assert drawn == draw_comparisons(RATED, 300, seed=seed)[:count]


def test_as_many_labels_are_wrong_as_was_asked_for():
    drawn = draw_comparisons(RATED, 500, error_rate=0.3)
    wrong = np.mean([REWARD[c.chosen] < REWARD[c.rejected] for c in drawn])
    assert abs(wrong - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 500)
    pairs = [{c.chosen, c.rejected} for c in drawn]
    assert pairs == [{c.chosen, c.rejected} for c in draw_comparisons(RATED, 500)]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="10000 comparisons from 520 pairs"):
        draw_comparisons(RATED, 10_000)
    with pytest.raises(ValueError, match="error_rate=0.7"):
        draw_comparisons(RATED, 5, error_rate=0.7)
    with pytest.raises(ValueError, match="expected two different ones"):
        Comparison("a", "same", "same")
    with pytest.raises(ValueError, match="one reward for each reply"):
        RatedReplies("a", ("b", "c"), (1.0,))


def test_rows_of_texts_and_rows_of_conversations():
    plain = {"prompt": "p", "chosen": "good", "rejected": "bad", "score": 1}
    talk = {
        "prompt": "p",
        "chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "good"}],
        "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "bad"}],
    }
    same = plain | {"rejected": "good"}
    assert comparisons_from_rows([plain, talk, same]) == [Comparison("p", "good", "bad")] * 2
    assert comparisons_from_rows([Comparison("p", "good", "bad").row()])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "p", "chosen": "a"}, "row 0 has no column rejected but prompt, chosen"),
        ({"prompt": "p", "chosen": 3, "rejected": "b"}, "chosen=3: expected a text"),
        (
            {"prompt": "p", "chosen": [{"text": "a"}], "rejected": "b"},
            "expected a text, or messages",
        ),
    ],
)
def test_other_rows_are_refused_by_name(row, message):
    with pytest.raises(ValueError, match=message):
        comparisons_from_rows([row])


def entry(step, proxy=0.0):
    return Entry(step, proxy, 1.0, 0.1, 9.0, 0.5, 0.0, 1.0, 100)


def test_a_ledger_survives_a_run_that_was_killed(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    for step in range(4):
        ledger.add(entry(step))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"step": 4, "pro')
    again = Ledger(path)
    assert again.rows() == ledger.rows()
    again.add(entry(2, proxy=9.0))
    assert [e.step for e in Ledger(path).entries] == [0, 1, 2]
    assert Ledger(path).entries[-1].proxy == 9.0


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"text": "mine"}) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1 has text; expected .*it is no ledger"):
        Ledger(path)
    assert "mine" in path.read_text(encoding="utf-8")

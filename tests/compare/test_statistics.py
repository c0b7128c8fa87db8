"""Intervals contain the truth as often as they say, and the advice follows from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course.compare.bodies import ModelChoice
from course.compare.cells import CellResult
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.result import Comparison
from course.compare.statistics import (
    Seeds,
    crossing,
    difference,
    items_needed,
    score_of,
    seeds_of,
    usual_variance,
)
from course.compare.task import Item, TableTask


def drawn(rng, items, seeds, mean, spread):
    """Scores (seeds, items): items that are hard for all seeds, and the luck of each seed."""
    hard, luck = rng.normal(0, 1, items), rng.normal(0, spread, (seeds, 1))
    return 100.0 * (mean + luck + 0.25 * hard + rng.normal(0, 0.2, (seeds, items)) > 0.5)


def test_intervals_contain_the_true_difference():
    rng, inside, within = np.random.default_rng(0), 0, 0
    runs = 300
    truth = {m: drawn(rng, 40_000, 40, m, 0.03).mean() for m in (0.7, 0.75)}
    for _ in range(runs):
        one, other = (drawn(rng, 150, 3, m, 0.03) for m in (0.75, 0.7))
        usual = usual_variance([one, other])
        own = tuple(seeds_of(s, True, usual) for s in (one, other))
        gap, score = difference(one, other, own), score_of(one, own[0])
        inside += gap.low <= truth[0.75] - truth[0.7] <= gap.high
        within += score.low <= truth[0.75] <= score.high
    assert inside / runs > 0.92 and within / runs > 0.92


def test_a_score_stays_within_its_bounds_and_is_never_certain():
    for value in (0.0, 100.0):
        score = score_of(np.full((1, 50), value))
        assert 0 <= score.low <= score.mean == value <= score.high <= 100
        assert score.high - score.low > 3
    same = difference(np.zeros((1, 50)), np.zeros((1, 50)))
    assert same.mean == 0 and same.low < -1 < 1 < same.high


def test_a_difference_turns_with_its_sides_and_chance_makes_it_longer():
    rng = np.random.default_rng(1)
    one, other = (drawn(rng, 80, 3, m, 0) for m in (0.7, 0.5))
    a, b = difference(one, other), difference(other, one)
    assert (a.mean, a.low, a.high) == pytest.approx((-b.mean, -b.high, -b.low))
    longer = difference(one, other, (Seeds(25.0, 6), Seeds()))
    assert longer.high - longer.low > a.high - a.low
    several = difference(one, other, comparisons=10)
    assert several.low < a.low


def test_one_seed_has_the_usual_variance():
    assert seeds_of(np.zeros((1, 9)), True, 9.0) == Seeds(9.0, 4)
    assert seeds_of(np.zeros((3, 9)), True, 9.0).variance == pytest.approx(6.0)
    assert seeds_of(np.zeros((3, 9)), False, 9.0) == Seeds()


def test_more_items_are_needed_for_what_is_closer():
    rng = np.random.default_rng(2)
    one, close, far = (drawn(rng, 200, 1, m, 0) for m in (0.7, 0.69, 0.6))
    assert items_needed(difference(one, close)) > items_needed(difference(one, far)) > 0
    # no more digits than are known
    few = difference(one[:, :40], far[:, :40])
    assert items_needed(few) % 10 == 0


def test_no_difference_is_larger_than_all():
    gap = difference(np.full((1, 10), 100.0), np.zeros((1, 10)))
    assert gap.high == 100 and 0 < gap.low < 100


def test_no_item_right_leaves_little_room_whatever_chance_in_learning_does():
    none = np.zeros((1, 40))
    score = score_of(none, Seeds(4.0, 4))
    assert score.low == 0 and score_of(none).high <= score.high < 20
    assert score_of(none + 100, Seeds(4.0, 4)).low > 80


def test_a_crossing_of_means_alone_is_no_advice():
    shares = {("head", 8): 0.72, ("head", 128): 0.8, ("zero-shot", 0): 0.76}
    result = comparison(shares, sizes=(8, 128), items=30)
    assert "does better" not in " ".join(result.best().sentences)


def test_where_curves_cross():
    def at(mean, half):
        values = np.full((1, 100), 0.0)
        gap = difference(values, values)
        return type(gap)(mean, mean - half, mean + half, *list(vars(gap).values())[3:])

    gaps = [at(10, 3), at(2, 3), at(-2, 3), at(-8, 3)]
    cross = crossing("prompt", "train", [8, 32, 128, 512], gaps)
    assert (cross.below, cross.above, cross.low, cross.high) == ("prompt", "train", 8, 512)
    assert cross.labels == pytest.approx(64)
    assert crossing("a", "b", [8, 32], [at(5, 1), at(6, 1)]) is None
    turned = crossing("train", "prompt", [8, 32, 128, 512], [at(-g.mean, 3) for g in gaps])
    assert (turned.below, turned.above, turned.low) == ("prompt", "train", 8)


# the advice


def comparison(shares, items=400, sizes=(100,), milliseconds=None, seed=0):
    """A comparison in which each method answers a share of the items right; harder items are wrong
    for all that are worse.
    """
    task = TableTask("labels", ("a", "b"), ("text",), "label")
    test = tuple(Item(f"t{i}", "a") for i in range(items))
    train = tuple(Item(f"x{i}", "ab"[i % 2]) for i in range(sizes[-1]))
    rng, cells = np.random.default_rng(seed), []
    hard = rng.random(items)
    for (name, size), share in shares.items():
        noise = rng.random(items) < 0.02
        answers = tuple("a" if (h < share) != n else "b" for h, n in zip(hard, noise, strict=True))
        took = (milliseconds or {}).get(name, 1.0) * items / 1000
        cells.append(
            CellResult(name, size, 0, {}, (), answers, (), 1.0, took, Work(), Work(), 10, None)
        )
    data = Prepared(task, train, test, (), "table.csv")
    return Comparison(data, ModelChoice(), sizes, tuple(cells), {}, (), {}, 1.0, Path("."))


def test_a_clear_winner_is_recommended():
    result = comparison({("majority", 100): 0.5, ("zero-shot", 0): 0.7, ("head", 100): 0.9})
    advice = result.best()
    assert advice.method == "head" and advice.tied == () and advice.more_items is None
    assert "With your 100 labels" in advice.sentences[0] and "zero-shot" in advice.sentences[1]
    assert list(result.table().index) == ["head", "zero-shot", "majority"]


def test_of_two_equal_ones_the_cheaper_is_recommended():
    shares = {("zero-shot", 0): 0.999, ("head", 100): 0.999}
    result = comparison(shares, 2000, milliseconds={"zero-shot": 50.0, "head": 2.0})
    assert result.best().method == "head" and result.best().tied == ("zero-shot",)
    dearer = comparison(shares, 2000, milliseconds={"zero-shot": 2.0, "head": 50.0})
    assert dearer.best().method == "zero-shot"


def test_what_cannot_be_told_is_not_told():
    rng = np.random.default_rng(5)
    result = comparison({("tfidf", 100): 0.5, ("zero-shot", 0): 0.80, ("head", 100): 0.8}, 60)
    cells = list(result.cells)
    mixed = tuple("ab"[int(rng.random() > 0.8)] for _ in range(60))
    result.cells = (*cells[:2], type(cells[2])(**{**vars(cells[2]), "answers": mixed}))
    advice = result.best()
    assert advice.method is None and set(advice.tied) == {"zero-shot", "head"}
    assert advice.more_items > 60 and "Cannot tell" in advice.sentences[0]
    assert "zero-shot costs least an answer" in advice.sentences[1]
    result.cells = (*cells[:2], replace(cells[1], method="head", size=100))
    assert "score the same here" in result.best().sentences[1]


def test_the_crossing_and_what_more_labels_bring_are_told():
    shares = {("head", 8): 0.5, ("head", 32): 0.7, ("head", 128): 0.95, ("zero-shot", 0): 0.8}
    result = comparison(shares, sizes=(8, 32, 128))
    assert "below about" in result.best().sentences[2].lower()
    assert "zero-shot does better" in result.best().sentences[2]
    assert "more labels would still help" in result.best().sentences[2]
    assert set(result.curve()["labels"]) == {8, 32, 128}


def test_errors_of_one_method_alone():
    result = comparison({("zero-shot", 0): 0.95, ("head", 100): 0.6, ("majority", 100): 0.1})
    assert result.only_wrong("head") and all(r == "a" for _, r, _ in result.only_wrong("head"))


def test_the_blind_check_counts_what_is_right():
    from course.studies.advice import BlindCheck, blind_check

    told = {("zero-shot", 0): 0.7, ("head", 100): 0.9}
    close = {("zero-shot", 0): 0.89, ("head", 100): 0.9}
    calls = []

    def run(rows, text, label, test=None, **settings):
        calls.append((rows, test))
        draw = (len(calls) - 1) // 2
        if test is None:
            return comparison(told)
        return comparison([told, close, {("zero-shot", 0): 0.9, ("head", 100): 0.7}][draw])

    table = [{"text": f"{i * i} some text {i}", "label": "a"} for i in range(100)]
    checked = blind_check(table, "text", "label", BlindCheck(3, 40, 50), run=run)
    assert list(checked["right"]) == [True, True, False] and set(checked["method"]) == {"head"}
    for rows, test in calls[1::2]:
        texts = {row["text"] for row in rows}
        assert len(test) == 50 and not texts & {row["text"] for row in test}

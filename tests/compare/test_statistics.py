"""Intervals contain the truth as often as they say, and the advice follows from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.compare.bodies import ModelChoice
from course.compare.cells import CellResult
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.result import Comparison
from course.compare.statistics import (
    MARGIN,
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


def answered(right, milliseconds=None):
    """A comparison on 100 items, of which each method answers some right."""
    result = comparison({(n, 0 if n == "zero-shot" else 100): 0 for n in right}, 100,
                        milliseconds=milliseconds)  # fmt: skip
    result.cells = tuple(
        replace(cell, answers=tuple("a" if i in right[cell.method] else "b" for i in range(100)))
        for cell in result.cells
    )
    return result


#: Items that five methods have right: two measure about the same, one of 76 is behind them, and two
#: are so beyond doubt.
CLOSE = {
    "majority": range(30),
    "tfidf": range(40),
    "zero-shot": range(20, 100),
    "few-shot": range(24, 100),
    "head": range(81),
}


def test_what_cannot_be_told_is_a_short_list():
    result = answered(CLOSE, {"zero-shot": 0.5})
    advice = result.best()
    assert advice.method is None and advice.more_items >= 10
    assert advice.tied == ("head", "zero-shot") and advice.behind == ("few-shot",)
    first, second, _ = advice.sentences
    assert first.startswith("Cannot tell") and f"{advice.more_items:,} more labelled items" in first
    assert "About as good here: head on a frozen body and zero-shot, of which zero-shot" in second
    gap = result.versus("head", "few-shot")
    assert gap.low < 0 < gap.high
    assert f"few-shot by 5.0 points ({gap.low:.1f} to {gap.high:.1f})" in second
    assert "TF-IDF" not in second and "most common" not in second


def test_one_method_can_be_ahead_without_being_recommended():
    advice = answered({"tfidf": range(30), "zero-shot": range(26, 100), "head": range(78)}).best()
    assert advice.method is None
    assert (advice.tied, advice.behind) == (("head",), ("zero-shot",))
    assert "Head on a frozen body is ahead here; behind the best" in advice.sentences[1]


def test_none_behind_and_the_most_common_answer_among_the_best():
    second = answered({"majority": range(50), "head": range(49, 100)}).best().sentences[1]
    assert "behind" not in second and "not surely better than giving the most common" in second


@given(
    st.dictionaries(
        st.sampled_from(["majority", "tfidf", "zero-shot", "few-shot", "head"]),
        st.sets(st.integers(0, 99)),
        min_size=2,
    )
)
@settings(max_examples=25, deadline=None)
def test_a_short_list_leaves_out_only_what_is_surely_behind(right):
    result = answered(right)
    advice = result.best()
    if advice.method is not None:
        return
    best = max(result.score(name).mean for name in right)
    for name in right:
        within = best - result.score(name).mean <= MARGIN + 1e-9
        assert (name in advice.tied) == within
        surely = result.versus(advice.tied[0], name).low > 0
        assert (name in advice.behind) == (not within and not surely)


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

"""Races: the best of given prompts, on training items alone, at the calls that were planned."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.lm.language_model import load
from course.search import (
    BudgetedEvaluator,
    SuccessiveHalving,
    Tabulated,
    Uniform,
    UpperConfidence,
    answers,
    candidates,
    overall_ranking,
    repeated,
    search,
    tabulate,
)  # fmt: skip
from course.search.tabulated import CANDIDATES
from course.world.lists import list_tasks


def known(means, items: int, noise: float = 0.0, seed: int = 0) -> Tabulated:
    """Prompts ``p0``, ``p1``, ... with these means; hard items are hard for all of them."""
    drawn = np.random.default_rng(seed)
    hard = drawn.normal(size=items)
    table = np.array(means)[:, None] + hard + noise * drawn.normal(size=(len(means), items))
    return Tabulated(tuple(f"p{i}" for i in range(len(means))), table, 100 * np.array(means, float))


def run(race, table: Tabulated, seed: int = 0):
    return list(race.rounds(BudgetedEvaluator(table, None, table.table.size), seed))


RACES = (
    lambda c: Uniform(c, 3, paired=True),
    SuccessiveHalving,
    lambda c: SuccessiveHalving(c, first=2, keep=0.25),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=40, unique=True),
    st.integers(1, 30),
    st.integers(0, 5),
)
def test_paired_races_find_the_best_of_noise_free_values(means, items, seed):
    table = known(means, items)
    for make in RACES:
        assert run(make(table.prompts), table, seed)[-1].prompts[0] == f"p{int(np.argmax(means))}"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=30, unique=True),
    st.integers(1, 30),
    st.integers(0, 5),
)
def test_all_races_find_the_best_where_all_items_are_alike(means, items, seed):
    table = replace(known(means, items), table=np.repeat(np.array(means)[:, None], items, 1))
    for make in (
        *RACES,
        lambda c: Uniform(c, 4),
        lambda c: UpperConfidence(c, batches=3 * len(means), items_each=2),
    ):
        assert table.regret(run(make(table.prompts), table, seed)[-1].prompts[0]) < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 50),
    st.integers(1, 8),
    st.sampled_from([0.25, 1 / 3, 0.5, 0.9]),
    st.integers(0, 3),
)
def test_halving_costs_what_it_plans_on_nested_items_for_survivors_alone(
    count, items, first, keep, seed
):
    table = known(np.arange(count), items, noise=5.0, seed=seed)
    race = SuccessiveHalving(table.prompts, first, keep)
    rounds = run(race, table, seed)
    assert rounds[-1].calls == race.calls(items)
    assert [(len(r.prompts), len(r.items[0])) for r in rounds] == race.plan(items)
    for before, after in zip([None, *rounds], rounds, strict=False):
        assert len(set(after.items)) == 1, "all on the same items"
        if before:
            assert after.items[0][: len(before.items[0])] == before.items[0]
            assert set(after.prompts) == set(before.prompts[: len(after.prompts)])


def test_halving_is_cheaper_than_uniform_and_as_good():
    table = known(np.linspace(0, 1, 128), 64, noise=0.3)
    halving, uniform = (
        repeated(race, table, 20)
        for race in (SuccessiveHalving(table.prompts), Uniform(table.prompts, 50))
    )
    assert uniform.calls == 128 * 50 and halving.calls * 8 < uniform.calls and halving.regret < 10


def test_what_is_paired_compares_better():
    table = known(np.linspace(0, 0.1, 20), 64, noise=0.02)
    paired, apart = (repeated(Uniform(table.prompts, 4, how), table, 30) for how in (True, False))
    assert paired.calls == apart.calls and paired.regret < apart.regret / 2


def test_ucb_tries_every_candidate_in_three_rounds_then_those_that_may_be_the_best():
    table = known(np.linspace(0, 3, 30), 64, noise=0.5)
    rounds = run(UpperConfidence(table.prompts, batches=12), table)
    assert [len(r.prompts) for r in rounds[:3]] == [10, 20, 30] and [
        r.calls for r in rounds[:3]
    ] == [50, 100, 150]
    tried = {
        prompt: len(items)
        for prompt, items in zip(rounds[-1].prompts, rounds[-1].items, strict=True)
    }
    assert tried["p29"] > 2 * tried["p0"] and all(
        len(set(items)) == len(items) for items in rounds[-1].items
    )


def test_ucb_ends_when_all_is_known():
    table = known([0.0, 1.0], 4)
    rounds = run(UpperConfidence(table.prompts, batches=50, share=1.0, items_each=3), table)
    assert rounds[-1].calls == 8 and len(rounds) == 2


def test_equal_candidates_win_equally_often():
    table = Tabulated(("a", "b"), np.ones((2, 8)), np.ones(2))
    winners = [run(SuccessiveHalving(("a", "b")), table, seed)[-1].prompts[0] for seed in range(40)]
    assert 8 < winners.count("a") < 32


def test_a_race_that_runs_out_of_calls_keeps_its_leader():
    table = known(np.arange(16), 8)
    found = search(SuccessiveHalving(table.prompts), table, None, budget=20)
    assert found.prompt == "p15" and found.calls == 16 and found.held_out == 1500


def test_who_stays_longer_is_better():
    table = known(np.arange(9), 8)
    assert overall_ranking(run(SuccessiveHalving(table.prompts), table)) == tuple(
        f"p{i}" for i in range(8, -1, -1)
    )


def test_candidates_hold_all_that_is_about_the_task():
    some = candidates("capital", 0)
    assert (
        len(set(some)) == CANDIDATES
        and some != candidates("capital", 1)
        and some == candidates("capital", 0)
    )
    title = list_tasks()["capital"].title
    assert {
        title,
        f"a list : {title}",
        f"by a hasty clerk \n {title}",
        "name the capital of the country .",
    } <= set(some)
    with pytest.raises(ValueError, match="count=3: expected"):
        candidates("capital", 0, 3)


def test_a_table_knows_what_the_objective_measures():
    model, objective = load("gpt-small", "tiny"), answers("capital", 5, 4, wanted_tier="tiny")
    prompts = ("the capital of each country", "the colour of each flag")
    table = tabulate(objective, model, prompts)
    pairs = [(prompt, item) for prompt in reversed(prompts) for item in (3, 0)]
    assert (table.values(None, pairs) == objective.values(model, pairs)).all()
    assert table.regret(prompts[0]) == 0 and table.held_out(None, prompts[1]) == objective.held_out(
        model, prompts[1]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(()),
        lambda: Uniform(("a", "a")),
        lambda: Uniform(("a",), 0),
        lambda: SuccessiveHalving(("a",), 0),
        lambda: SuccessiveHalving(("a",), keep=1.0),
        lambda: UpperConfidence(("a",), batches=0),
        lambda: UpperConfidence(("a",), share=0),
    ],
)
def test_races_that_cannot_be_run_are_refused(make):
    with pytest.raises(ValueError, match="expected"):
        make()

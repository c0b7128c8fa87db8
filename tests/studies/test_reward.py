"""What the studies of chapter 7 record, on a few short runs, and what their claims read off."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from course.lm.language_model import load
from course.reward import Curve, best_of_n_kl
from course.studies import policies, policies_claims, policies_tables, reward, reward_tables
from course.studies.bodies import GPTS
from course.studies.tables import where
from course.training.fit_settings import FitSettings

NAME = "gpt-small"


def tabled(rows, seed=0):
    return pd.DataFrame([{"seed": seed} | row for row in rows])


@pytest.fixture
def few(monkeypatch):
    """Four replies to each of two questions, and training that is over at once."""
    for module, sizes in {
        reward: {
            "BODY": NAME,
            "COMPARED": 16,
            "ON_POLICY": 4,
            "TESTED": 2,
            "POOL": 4,
            "AT_ONCE": 2,
            "SIZES": (1, 2, 4),
            "STEPS": {2: 1, 4: 1},
            "EASY_COMPARISONS": 4,
            "HELD_OUT": 2,
        },
        policies: {
            "GPTS": (NAME,),
            "COMPARED": 8,
            "ON_POLICY": 4,
            "TESTED": 2,
            "POOL": 4,
            "SIZES": (1, 2, 4),
            "COMPARISONS": 4,
            "STEPS": {4: 1},
            "LOOKED_AT": 2,
            "REQUESTED_AT": 2,
            "KEPT_OF": 2,
            "REJECTION_QUESTIONS": 2,
            "UPDATES": 2,
            "EVERY": 1,
            "ONLINE": replace(policies.ONLINE, steps=2, prompts=2, samples=2),
            "SUPERVISED": FitSettings(steps=2, batch_size=2, validate_every=1, precision="fp32"),
        },
        policies_tables: {"GPTS": (NAME,)},
    }.items():
        for name, value in sizes.items():
            monkeypatch.setattr(module, name, value)


def test_every_choice_is_from_the_same_pool(few):
    table = tabled(reward.overoptimised(0))
    sources = {(reward.EVERY_KIND, 2), (reward.EVERY_KIND, 4), (reward.EASY, 4)}
    learned = where(table, part="best of n").dropna(subset="comparisons")
    assert {*zip(learned["source"], learned["comparisons"], strict=True)} == sources
    by_gold = reward_tables.curve_of(table, "gold", reward.GOLD)[0]
    for source, count in [*sources, (reward.AT_RANDOM, None), (reward.SHORTEST, None)]:
        gold = reward_tables.curve_of(table, "gold", source, count)[0]
        assert gold[0] == pytest.approx(by_gold[0]) and (gold <= by_gold + 1e-9).all()
        proxy = reward_tables.curve_of(table, "proxy", source, count)[0]
        assert proxy[0] == pytest.approx(0, abs=1e-6) and (np.diff(proxy) >= -1e-9).all()
    length = reward_tables.curve_of(table, "length", reward.SHORTEST)[0]
    assert (np.diff(length) <= 1e-9).all()
    assert len(reward_tables.reward_models(table)) == 3
    assert len(reward_tables.chosen(table, 4)) == 3


def test_a_pool_has_different_samples_whatever_is_written_at_once(monkeypatch):
    monkeypatch.setattr(reward, "AT_ONCE", 4)
    model, prompts = load(NAME), [reward.dialogue("where is the mill ?")]
    pool = reward.draw_pool(model, prompts, 8, seed=1)
    assert pool.gold.shape == (1, 8) and len(set(pool.replies[0])) > 2
    assert pool.replies == reward.draw_pool(model, prompts, 8, seed=1).replies


def curves(gold, sizes=reward.SIZES):
    """A table of one seed after another; ``gold``: (seeds, halves, sizes)."""
    return pd.DataFrame(
        [
            {"seed": seed, "source": reward.EVERY_KIND, "comparisons": 200.0, "half": half, "n": n,
             "part": "best of n", "measure": "gold", "value": value}
            for seed, halves in enumerate(gold)
            for half, values in enumerate(halves)
            for n, value in zip(sizes, values, strict=True)
        ]
    )  # fmt: skip


def test_the_peak_of_one_half_is_judged_on_the_other():
    rises, peaks_at_4 = np.arange(10.0), np.array([0, 1, 3, 0, 0, 0, 0, 0, 0, 1.0])
    table = curves([[rises, peaks_at_4]])
    # the first half's peak is at the end, where the second half has lost nothing; the second
    # half's is at n = 4, where the first one has 2 of its 9
    assert reward_tables.lost_after_the_peak(table, reward.EVERY_KIND, 200)[0] == (0 + (2 - 9)) / 2
    noise = np.random.default_rng(0).normal(size=(400, 2, 10))
    lost = reward_tables.lost_after_the_peak(curves(noise), reward.EVERY_KIND, 200)
    assert abs(lost.mean()) < 4 * lost.std() / 20  # chance alone has no peak
    assert (noise.mean(1).max(1) - noise.mean(1)[:, -1]).mean() > 0.5  # looked up on itself it has


def test_the_place_of_the_peak_is_that_of_the_fitted_curve():
    divergence = np.array([best_of_n_kl(n) for n in reward.SIZES])
    gold = [Curve("best-of-n", 1.0, b).gain(divergence) + 0.7 for b in (0.5, 0.25, -0.1)]
    table = curves([[values, values] for values in gold])
    found = reward_tables.peaks(table, reward.EVERY_KIND, 200)
    assert found == pytest.approx([1.0, 2.0, np.sqrt(divergence[-1])], abs=0.01)


def test_correlation_is_among_the_replies_to_one_question():
    same, other = (
        np.array([[1.0, 2.0], [11.0, 12.0], [5.0, 5.0]]),
        np.array([[0, 1], [1, 0], [0, 1]]),
    )
    assert reward.correlation(same, other) == 0
    assert reward.correlation(same[2:], other[2:]) == 0
    assert reward.correlation(same[:1], other[:1]) == pytest.approx(1)


def test_gold_at_a_divergence_is_read_between_two_looks():
    divergence, gold = np.array([0.0, 1.0, 3.0, 2.5]), np.array([1.0, 2.0, 4.0, 9.0])
    assert policies_tables.at_divergence(divergence, gold, 2.0) == 3
    assert policies_tables.at_divergence(divergence, gold, 3.0) == 4
    assert policies_tables.at_divergence(divergence, gold, 5.0) == 9
    assert policies_tables.at_divergence(divergence, gold, 0.0) == 1


def test_every_method_is_looked_at_along_its_run(few):
    rows = policies.policies(0)
    table = tabled(rows)
    assert {*where(table, part="curve")["method"]} == {*policies.METHODS}
    before = set()
    for method in policies.METHODS:
        divergence, gold = policies_tables.along(table, method, NAME, 0)
        assert len(divergence) == 3 and divergence[0] == 0
        before |= {gold[0]} if method != policies.BEST_OF_N else set()
    assert len(before) == 1  # the same replies of the same model
    wanted = policies_tables.request_table(table)
    assert wanted.shape == (4, 2) and wanted.notna().all(axis=None)
    assert len(policies_tables.at_matched(table)) == len(policies.METHODS)
    assert policies_tables.gains(table, reward.SHORTEST, part="rule").shape == (1, 1)


def test_requests_are_of_one_length_and_of_known_words():
    tokenizer = load(NAME).tokenizer
    asked = [prefix for prefix in policies.REQUESTS.values() if prefix]
    ids = [tokenizer(prefix)["input_ids"] for prefix in asked]
    assert len({len(row) for row in ids}) == 1
    assert all(tokenizer.unk_token_id not in row for row in ids)


def test_the_interaction_is_the_difference_of_two_effects():
    gold = {
        (policies.NO_REQUEST, "before"): 1.0,
        (policies.REQUEST, "before"): 1.5,
        (policies.NO_REQUEST, "after"): 2.0,
        (policies.REQUEST, "after"): 3.0,
        (policies.PLACEBO, "after"): 2.0,
        (policies.OPPOSITE, "after"): 0.0,
    }
    shaken = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            {"seed": seed, "model": body, "part": "request", "measure": "gold", "state": state,
             "request": request, "value": value + 0.01 * shaken.normal()}
            for seed in range(5)
            for body in GPTS
            for (request, state), value in gold.items()
        ]
    )  # fmt: skip
    verdicts = {
        claim.statement: claim.measure([table])
        for claim in policies_claims.CLAIMS
        if claim.number == "7c"
    }
    assert [round(found.interval.mean, 1) for found in verdicts.values()] == [1.0, 0.5, 0.0, 2.0]
    assert {str(found.verdict) for found in verdicts.values()} == {"holds"}
    assert abs(next(iter(verdicts.values())).baselines["placebo"]) < 0.1

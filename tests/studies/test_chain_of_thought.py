"""What chapter 5 reads off its records: chains, votes, reductions, verifiers."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from course import reasoning
from course.foundation.rng import Rng
from course.pretraining.recipes import RECIPES
from course.studies import chain_of_thought, least_to_most, self_consistency, verifiers
from course.studies.records import read_record
from course.studies.self_consistency import GREEDY, LOOKS, ONE_SAMPLE
from course.tasks.answer_parsing import NO_ANSWER, parse_answer
from course.world import problems as word_problems
from course.world import sums
from course.world.split import TEST, TRAIN, VALIDATION, split_of

MODULES = (chain_of_thought, self_consistency, least_to_most, verifiers)
STUDIES = tuple(study for module in MODULES for study in module.STUDIES)
CLAIMS = tuple(claim for module in MODULES for claim in module.CLAIMS)


class Scores:
    """A verifier that likes all attempts alike."""

    def scores(self, attempts):
        return [np.zeros(len(found)) for found in attempts]


@pytest.fixture
def silent(monkeypatch):
    """The studies of the chapter with models that write nothing, and at once."""

    def solve(model, prompts, n=1, **_):
        nothing = NO_ANSWER
        return [[reasoning.Attempt(p.problem, "", nothing, 1)] * n for p in prompts]

    def solve_varied(model, chosen, n, *_):
        return solve(model, [SimpleNamespace(problem=p) for p in chosen], n)

    def least(model, chosen, *_):
        return [SimpleNamespace(tokens=1, right=False)] * len(chosen)

    for module in MODULES:
        monkeypatch.setattr(module, "load", lambda name: name)
        monkeypatch.setattr(module, "solve", solve)
    monkeypatch.setattr(chain_of_thought, "_load", lambda name: name)
    monkeypatch.setattr(self_consistency, "solve_varied", solve_varied)
    monkeypatch.setattr(least_to_most, "least_to_most", least)
    names = (verifiers.HELD_OUT_SUMS, verifiers.STATED_SUMS, *verifiers.READERS.values())
    monkeypatch.setattr(verifiers, "_trained", lambda *_: {name: Scores() for name in names})
    depth = RECIPES[verifiers.VERIFIER.models[0]].layers
    layers = {"probability": 50.0} | {f"layer {i}": 50.0 for i in range(depth + 1)}
    monkeypatch.setattr(verifiers, "error_detection", lambda *_: layers)
    monkeypatch.setattr(verifiers, "train_verifier", lambda *_: Scores())


def measured(row):
    """What a row is about; the calibration has a row for each range of shares that occurs, and a
    task that is measured item by item has one for each item.
    """
    return (
        None
        if "bin" in row or row.get("item")
        else {key: cell for key, cell in row.items() if key != "value"}
    )


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_run_measures_what_its_record_has(silent, study):
    runs = read_record(study).runs
    seed = study.seeds[0]
    found, stored = (
        [measured(row) for row in rows] for rows in (study.run(seed, 2), runs[str(seed)])
    )
    assert [row for row in found if row] == [row for row in stored if row]


def test_every_claim_is_measured_from_what_its_studies_record(silent):
    runs = {
        study.name: pd.DataFrame(
            [{"seed": seed} | row for seed in range(3) for row in study.run(seed, 3)]
        )
        for study in STUDIES
    }
    for claim in CLAIMS:
        finding = claim.measure([runs[study.name] for study in claim.studies])
        assert finding.interval.mean == 0, "models that say nothing gain nothing"
        assert all(0 <= value <= 100 for value in finding.baselines.values())


def cells(**columns):
    """Rows with every combination of these columns."""
    return [dict(zip(columns, row, strict=True)) for row in product(*columns.values())]


def chained(seed, shift=0.0):
    """A run of chains in which every way has an accuracy of its own."""
    rank = {way: i for i, way in enumerate(chain_of_thought.WAYS)}
    rows = cells(
        model=chain_of_thought.MODELS,
        task=chain_of_thought.TASKS,
        steps=chain_of_thought.STEPS,
        way=rank,
        measure=("accuracy", "tokens"),
    )
    for row in rows:
        i = rank[row["way"]]
        row["value"] = (
            2.0 * (i + 1) if row["measure"] == "tokens" else 10.0 * i + row["steps"] + shift
        )
    asked = {"model": chain_of_thought.LARGE, "steps": 3, "way": "phrase", "measure": "accuracy"}
    rows += [
        row | asked | {"value": 60 + shift}
        for row in cells(task=chain_of_thought.TASKS, phrase=chain_of_thought.TRIGGERS)
    ]
    return [{"seed": seed} | row for row in rows]


def test_gains_are_paired_by_task_model_and_seed():
    table = pd.DataFrame(chained(0) + chained(1, 5.0))
    one = (table.seed == 1) & (table.task == "route") & (table.steps == 3) & (table.way == "chain")
    body = chain_of_thought.BODIES[1]
    table.loc[one & (table.measure == "accuracy") & (table.model == body), "value"] = 100.0
    routes = chain_of_thought.gains_of_bodies(table, "chain", "standard", 3, "route")
    assert routes.tolist() == [[10, 10], [10, 92], [10, 10]]
    assert chain_of_thought.gains(table, "chain", "standard", 3, "route").tolist() == [10, 10]
    letters = chain_of_thought.gains_of_bodies(table, "chain", "standard", 3, "letters")
    assert (letters == 10).all()


def test_single_steps_are_compared_item_by_item_where_items_are_the_same():
    rows = cells(seed=range(2), model=chain_of_thought.BODIES, way=("standard", "chain"))
    items = [
        row
        | {"task": "route", "steps": 1, "measure": "accuracy", "item": item}
        | {"value": 100.0 * (row["way"] == "chain" and item == 1)}
        for row in rows
        for item in range(3)
    ]
    found = chain_of_thought.single_gains(pd.DataFrame(items), "route")
    assert found.tolist() == [[0, 100, 0]] * 3
    sums = [row | {"task": "problem", "steps": 1, "measure": "accuracy"} for row in rows]
    sums = [row | {"item": np.nan, "value": 50.0 * (row["way"] == "chain")} for row in sums]
    found = chain_of_thought.single_gains(pd.DataFrame(sums), "problem")
    assert found.tolist() == [[50, 50]] * 3


def test_cheats_answer_without_a_step():
    problems = [
        reasoning.Problem("route", f"start at {place} . go north . where are you ?", (), end)
        for place, end in (("inn", "mill"), ("mill", "mill"), ("well", "mill"), ("inn", "tower"))
    ]
    rows = chain_of_thought._cheats(problems, "route", 1)
    assert {row["way"]: row["value"] for row in rows} == {
        chain_of_thought.CHEATS[0]: 75.0,
        chain_of_thought.CHEATS[1]: 25.0,
    }


def test_tables_are_means_over_the_seeds():
    table = pd.DataFrame(chained(0) + chained(1, 10.0))
    by_model = chain_of_thought.by_model(table, "chain", 3)
    assert by_model.loc["route"].tolist() == [18] * len(chain_of_thought.MODELS)
    triggers = chain_of_thought.by_trigger(table)
    assert triggers.to_numpy().tolist() == [[65.0] * 3] * len(chain_of_thought.TRIGGERS)


def voted(seed, greedy, scale):
    """A run of votes in which a vote of k samples is right in k * scale percent."""
    rows = []
    for name, setting in self_consistency.SETTINGS.items():
        for model in setting.models:
            columns = {"setting": name, "model": model, "measure": "accuracy"}
            rows.append(columns | {"way": GREEDY, "value": greedy})
            for way in setting.ways:
                row = columns | {"way": way}
                rows += [row | {"chooser": "vote", "k": k, "value": k * scale} for k in LOOKS]
                rows += [
                    row | {"chooser": "any right", "k": k, "value": 2 * k * scale} for k in LOOKS
                ]
                rows.append(row | {"chooser": ONE_SAMPLE, "value": scale})
                rows.append(row | {"measure": "ways to a right answer", "value": 3.0})
                rows.append(row | {"measure": "calibration error", "value": scale})
    return [{"seed": seed} | row for row in rows]


def test_votes_are_set_against_the_greedy_chain_and_against_one_sample():
    table = pd.DataFrame(voted(0, 10.0, 1.0) + voted(1, 10.0, 2.0))
    asked = ("several ways", "temperature 1.0", "gpt-large")
    assert self_consistency.vote_gains(table, *asked, GREEDY).tolist() == [6, 22]
    assert self_consistency.vote_gains(table, *asked, ONE_SAMPLE).tolist() == [15, 30]
    bodies = self_consistency.gains_of_bodies(table, "errors agree", GREEDY)
    assert bodies.tolist() == [[6, 22]] * 3
    curves = self_consistency.curves(table, *asked)
    assert curves["vote"].tolist() == [[k * scale for k in LOOKS] for scale in (1.0, 2.0)]
    assert (curves["any right"] == 2 * curves["vote"]).all()
    means = self_consistency.by_setting(table)
    assert means.loc["problems, 4 steps", "middle"].tolist() == [10, 1.5, 24, 48, 3]
    assert means.index.is_unique and len(means) == 9, "no other temperature than that of the claims"
    assert self_consistency.calibration_errors(table).loc["gpt-large", "problems, 2 steps"] == 1.5
    assert self_consistency.greedy_accuracy(table, *asked[::2]) == 10


def test_ways_to_a_right_answer_are_counted_whatever_their_wording():
    problem = reasoning.Problem("problem", "mira has 8 hats .", ("8 + 5 = 13",), "13")

    def attempt(text):
        return reasoning.Attempt(problem, text, parse_answer(text), 1)

    right = [attempt(f"{steps} . the answer is 13 .") for steps in (
        "8 + 5 = 13", "8 plus 5 is 13", "8 + 2 = 10 . 10 + 3 = 13",
    )]  # fmt: skip
    wrong = [attempt("8 + 5 = 14 . the answer is 14 .")]
    assert self_consistency.right_ways([right + wrong, wrong]) == 2
    assert self_consistency.right_ways([wrong]) == 0


def test_costs_are_means_over_the_same_problems():
    reduced = [
        row | {"seed": 0, "value": 90.0 if row["measure"] == "accuracy" else 50.0}
        for row in cells(model=["gpt-large"], task=least_to_most.TASKS, steps=range(2, 7),
                         way=["least to most", "chain"], measure=["accuracy", "tokens"])
    ]  # fmt: skip
    found = least_to_most.costs(pd.DataFrame(chained(0)), pd.DataFrame(reduced))
    ways = ("least to most", "standard", "chain")
    assert found.loc[list(ways)].to_numpy().tolist() == [[50, 90], [2, 4], [50, 90]]
    assert "phrase" not in found.index


def test_gains_of_reduction_are_by_task_and_number_of_steps():
    models = (*chain_of_thought.BODIES, chain_of_thought.LARGE)
    rows = cells(seed=range(2), model=models, task=least_to_most.TASKS, steps=(5, 6),
                 way=("chain", "least to most"), measure=["accuracy"])  # fmt: skip
    for row in rows:
        row["value"] = row["steps"] * 10.0 * (row["way"] != "chain") + (row["task"] == "route")
    table = pd.DataFrame(rows)
    assert least_to_most.gains(table, "route", 6).tolist() == [60, 60]
    far = least_to_most.far_gains(table)
    assert far["word problems", "5 steps"].tolist() == [50] * 4
    assert list(far.index) == ["middle", "middle-seed1", "middle-seed2", "large"]


def chosen(seed, greedy):
    """A run of verifiers in which a vote of k samples is right in k percent."""
    rows = [{"chooser": GREEDY, "measure": "accuracy", "value": greedy}]
    rows.append({"chooser": GREEDY, "measure": "tokens", "value": 3.0})
    rows += [{"measure": "tokens", "k": k, "value": float(k)} for k in LOOKS]
    own, stated = verifiers.HELD_OUT_SUMS, verifiers.STATED_SUMS
    for verifier, chooser, more in (
        (None, "vote", 0), (own, "best of n", 20), (own, "weighted vote", 10),
        (stated, "best of n", 0), (stated, "weighted vote", 10),
    ):  # fmt: skip
        row = {"verifier": verifier, "chooser": chooser, "measure": "accuracy"}
        rows += [row | {"k": k, "value": float(k + more)} for k in LOOKS]
    return [{"seed": seed} | row for row in rows]


def test_choosers_are_compared_at_sixteen_samples():
    table = pd.DataFrame(chosen(0, 12.0))
    assert verifiers.gains(table, "best of n", "vote").tolist() == [20]
    assert verifiers.gains(table, "best of n", "vote", verifiers.STATED_SUMS).tolist() == [0]
    assert verifiers.gains(table, "vote", GREEDY).tolist() == [4]
    assert verifiers.by_k(table, "best of n").tolist() == [[21.0, 22.0, 24.0, 28.0, 36.0]]
    assert verifiers.by_k(table, "vote").shape == (1, 5)
    both = pd.DataFrame(chosen(0, 12.0) + chosen(1, 14.0))
    costs = verifiers.choice_costs(both)
    assert list(costs.itertuples(name=None)) == [
        ("greedy", 3, 13),
        ("vote of 4", 4, 4),
        ("best of 4", 4, 24),
        ("vote of 16", 16, 16),
        ("best of 16", 16, 36),
    ]


def test_no_verifier_has_a_label_for_a_sum_that_it_is_tested_on(monkeypatch):
    learned = verifiers.problems_with(VALIDATION, 0, 20)
    tested = verifiers.problems_with(TEST, 0, 20)
    sums_of = [
        {split for p in found for split in verifiers.sum_splits(" . ".join(p.steps))}
        for found in (learned, tested)
    ]
    assert sums_of == [{TRAIN, VALIDATION}, {TRAIN, TEST}] and len(learned) == len(tested) == 20

    drawn = verifiers.problems_with(VALIDATION, 0, 60)
    held_out = [
        {
            step
            for p in verifiers.without_half(drawn, half)
            for step, _ in sums.read_sums(" . ".join(p.steps))
            if split_of(sums.SPLIT_KEY, step) == VALIDATION
        }
        for half in (0, 1)
    ]
    assert all(held_out) and not held_out[0] & held_out[1], "settings are chosen on other sums"

    rng = Rng("any derivation")

    def solve(model, prompts, n=1, **_):
        stories = [word_problems.read_problem(p.problem.question) for p in prompts]
        texts = [
            [word_problems.write_solution(rng, s, train=False) for _ in range(n)] for s in stories
        ]
        return [
            [reasoning.Attempt(p.problem, text, p.problem.answer, 1) for text in each]
            for p, each in zip(prompts, texts, strict=True)
        ]

    monkeypatch.setattr(verifiers, "solve", solve)
    chains = verifiers.training_chains(None, 0, 20, 4)
    kept = [a for tries in chains[verifiers.HELD_OUT_SUMS] for a in tries]
    splits = {split for a in kept for split in verifiers.sum_splits(a.text)}
    assert splits == {TRAIN, VALIDATION} and 0 < len(kept) < 160

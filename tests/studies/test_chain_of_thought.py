"""What chapter 5 reads off its records: chains, votes, reductions, verifiers."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from course import reasoning
from course.studies import chain_of_thought, least_to_most, self_consistency, verifiers
from course.studies.records import read_record
from course.studies.self_consistency import GREEDY, LOOKS, OWN_DEMONSTRATIONS
from course.tasks.answer_parsing import NO_ANSWER

STUDIES = (
    *chain_of_thought.STUDIES,
    *self_consistency.STUDIES,
    *least_to_most.STUDIES,
    *verifiers.STUDIES,
)


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

    for module in (chain_of_thought, self_consistency, least_to_most, verifiers):
        monkeypatch.setattr(module, "load", lambda name: name)
        monkeypatch.setattr(module, "solve", solve)
    monkeypatch.setattr(self_consistency, "solve_varied", solve_varied)
    monkeypatch.setattr(least_to_most, "least_to_most", least)
    names = (*verifiers.SCORERS, verifiers.FINE_TUNED)
    monkeypatch.setattr(verifiers, "_trained", lambda *_: {name: Scores() for name in names})
    layers = {"probability": 50.0} | {f"layer {i}": 50.0 for i in range(6)}
    monkeypatch.setattr(verifiers, "error_detection", lambda *_: layers)


def measured(row):
    """What a row is about; the calibration has a row for each range of shares that occurs."""
    return None if "bin" in row else {key: cell for key, cell in row.items() if key != "value"}


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_run_measures_what_its_record_has(silent, study):
    runs = read_record(study).runs
    seed = study.seeds[0]
    found, stored = (
        [measured(row) for row in rows] for rows in (study.run(seed, 2), runs[str(seed)])
    )
    assert [row for row in found if row] == [row for row in stored if row]


def cells(**columns):
    """Rows with every combination of these columns."""
    return [dict(zip(columns, row, strict=True)) for row in product(*columns.values())]


def chained(seed, shift=0.0):
    """A run of chains in which every way has an accuracy of its own."""
    rank = {way: i for i, way in enumerate(chain_of_thought.WAYS)}
    tasks, models = chain_of_thought.TASKS, chain_of_thought.LADDER
    rows = [
        row
        | {
            "value": 2.0 * (i + 1)
            if row["measure"] == "tokens"
            else 10.0 * i + row["steps"] + shift
        }
        for row in cells(
            model=models,
            task=tasks,
            steps=chain_of_thought.STEPS,
            way=rank,
            measure=("accuracy", "tokens"),
        )
        for i in [rank[row["way"]]]
    ]
    rows += [
        row
        | {
            "model": models[-1],
            "steps": 3,
            "way": "phrase",
            "measure": "accuracy",
            "value": 60 + shift,
        }
        for row in cells(task=tasks, phrase=chain_of_thought.TRIGGERS)
    ]
    return [{"seed": seed} | row for row in rows]


def test_gains_are_paired_means_over_the_tasks():
    table = pd.DataFrame(chained(0) + chained(1, 5.0))
    one = (table.seed == 1) & (table.task == "route") & (table.steps == 3) & (table.way == "chain")
    table.loc[one & (table.measure == "accuracy"), "value"] = 100.0
    found = chain_of_thought.gains(table, "chain", "standard", 3)
    assert found[0] == 10 and found[1] == pytest.approx((10 + 10 + 100 - 8) / 3)
    route = chain_of_thought.gains(table, "chain", "standard", 3, ("route",))
    assert route.tolist() == [10, 92]


def test_tables_are_means_over_the_seeds():
    table = pd.DataFrame(chained(0) + chained(1, 10.0))
    assert chain_of_thought.by_size(table, "chain", 3).loc["route"].tolist() == [18, 18, 18]
    triggers = chain_of_thought.by_trigger(table)
    assert triggers.to_numpy().tolist() == [[65.0] * 3] * len(chain_of_thought.TRIGGERS)


def voted(seed, greedy, scale):
    """A run of votes in which a vote of k samples is right in k * scale percent."""
    rows = []
    for setting in self_consistency.SETTINGS:
        rows.append({"setting": setting, "way": GREEDY, "measure": "accuracy", "value": greedy})
        for way in self_consistency.WAYS[1:]:
            own = way == OWN_DEMONSTRATIONS
            row = {"setting": setting, "way": way}
            sampled = row | {"measure": "accuracy"}
            rows += [sampled | {"chooser": "vote", "k": k, "value": k * scale + own} for k in LOOKS]
            rows += [
                sampled | {"chooser": "any right", "k": k, "value": 2 * k * scale} for k in LOOKS
            ]
            rows.append(row | {"measure": "calibration error", "value": 5.0 if own else scale})
    return [{"seed": seed} | row for row in rows]


def test_votes_are_set_against_the_greedy_chain():
    table = pd.DataFrame(voted(0, 10.0, 1.0) + voted(1, 10.0, 2.0))
    assert self_consistency.vote_gains(table, "slips", "temperature 1.0").tolist() == [6, 22]
    assert self_consistency.vote_gains(table, "wavers", OWN_DEMONSTRATIONS).tolist() == [7, 23]
    curves = self_consistency.curves(table, "slips", "temperature 1.0")
    assert curves["vote"].tolist() == [[k * scale for k in LOOKS] for scale in (1.0, 2.0)]
    assert (curves["any right"] == 2 * curves["vote"]).all()
    means = self_consistency.by_way(table)
    assert means["agrees"].tolist() == [10, 24, 24, 25]
    assert list(means) == list(self_consistency.SETTINGS)
    assert self_consistency.calibration_errors(table)["slips"].tolist() == [1.5, 1.5, 5]
    assert self_consistency.greedy_accuracy(table, "slips") == 10


def test_costs_are_means_over_the_same_problems():
    reduced = [
        row | {"seed": 0, "value": 90.0 if row["measure"] == "accuracy" else 50.0}
        for row in cells(model=["gpt-large"], task=least_to_most.TASKS, steps=range(2, 7),
                         way=["least to most"], measure=["accuracy", "tokens"])
    ]  # fmt: skip
    found = least_to_most.costs(pd.DataFrame(chained(0)), pd.DataFrame(reduced))
    ways = ("least to most", "standard", "chain")
    assert found.loc[list(ways)].to_numpy().tolist() == [[50, 90], [2, 4], [4, 14]]
    assert "phrase" not in found.index


def chosen(seed, greedy):
    """A run of verifiers in which a vote of k samples is right in k percent."""
    rows = [{"chooser": GREEDY, "measure": "accuracy", "value": greedy}]
    rows.append({"chooser": GREEDY, "measure": "tokens", "value": 3.0})
    rows += [{"measure": "tokens", "k": k, "value": float(k)} for k in LOOKS]
    for verifier, chooser, more in (
        (None, "vote", 0), ("gpt-large", "best of n", 20), ("gpt-large", "weighted vote", 10),
        ("fine-tuned", "best of n", 0), ("fine-tuned", "weighted vote", 10),
    ):  # fmt: skip
        row = {"verifier": verifier, "chooser": chooser, "measure": "accuracy"}
        rows += [row | {"k": k, "value": float(k + more)} for k in LOOKS]
    return [{"seed": seed} | row for row in rows]


def test_choosers_are_compared_at_sixteen_samples():
    table = pd.DataFrame(chosen(0, 12.0))
    assert verifiers.gains(table, "best of n", "vote").tolist() == [20]
    assert verifiers.gains(table, "best of n", "vote", "fine-tuned").tolist() == [0]
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

"""What chapter 3 measures, reads off it and claims, on stand-ins for trainings."""

from types import SimpleNamespace

import pandas as pd
import pytest
from study_rows import table_of

from course.adapters import METHODS
from course.adapters.storage import StorageCost
from course.finetuning import forgetting
from course.studies import adapters, adapters_claims, adapters_tables
from course.studies.records import read_record
from course.studies.verdicts import Verdict

#: Method -> its score in a stand-in for training.
SCORES = {method: 50.0 + 5 * number for number, method in enumerate(METHODS)}


def fake_figures(body, task, method, rate, seed, steps, split="test"):
    """Every method is best at the middle one of its learning rates."""
    middle = adapters.TRIED[method][1]
    score = SCORES[method] + seed * 0.5 - (rate != middle) * 3
    return {"score": score, "parameters": 7, "bytes": 20_000 if method == "full" else 500}


@pytest.fixture
def tuned(monkeypatch):
    """Chapter 3's studies on stand-ins, each with the table of the rates."""
    monkeypatch.setattr(adapters, "measured", fake_figures)
    monkeypatch.setattr(adapters, "_translated", lambda *args: {"score": 40.0})
    rates = table_of(adapters.RATES)
    monkeypatch.setattr(adapters, "read_record", lambda study: SimpleNamespace(table=lambda: rates))
    return rates


def test_every_method_tries_as_many_rates_and_takes_the_best(tuned):
    assert set(tuned.groupby(["model", "task", "method"]).size()) == {3}
    for model, task, method in tuned.groupby(["model", "task", "method"]).groups:
        best = adapters.TRIED[method][1]
        assert adapters.chosen_rate(tuned, model, task, method) == best
    table = table_of(adapters.BY_METHOD)
    for task, methods in adapters.TASK_METHODS.items():
        for method in methods:
            assert adapters_tables.scores_of(table, task, method)[0] == SCORES[method]


def test_methods_are_compared_seed_by_seed(tuned):
    table, more = table_of(adapters.BY_METHOD), table_of(adapters.PARITY)
    houlsby = adapters_tables.minus("bottleneck", "full", adapters.PAIRS, table, more)
    assert houlsby == [SCORES["bottleneck"] - SCORES["full"]] * 10
    gains = adapters_tables.share_of_the_gain(table, adapters.QUESTIONS)
    expected = (SCORES["lora"] - SCORES["head"]) / (SCORES["full"] - SCORES["head"])
    assert (gains.numerators / gains.denominators).tolist() == pytest.approx([expected] * 5)
    gains = adapters_tables.share_of_the_gain(table, adapters.TRANSLATION)
    assert gains.denominators[0] == SCORES["full"] - 40
    assert adapters_tables.share_of_the_bytes(table)[adapters.PAIRS] == 2.5
    size, score = adapters_tables.size_and_score(table, adapters.PAIRS)["LoRA"]
    assert (size, score.mean()) == (0.5, SCORES["lora"] + 1.0) and len(score) == 5
    assert adapters_tables.start_of(table, adapters.TRANSLATION) == {"untuned": 40.0}


def test_the_claims_of_chapter_3_are_read_off_their_tables(tuned):
    tables = {adapters.BY_METHOD: table_of(adapters.BY_METHOD)}
    tables[adapters.PARITY] = table_of(adapters.PARITY)
    claims = [c for c in adapters_claims.CLAIMS if hasattr(c, "kind")]
    by_number = {}
    for claim in claims:
        finding = claim.measure([tables[study] for study in claim.studies])
        by_number.setdefault(claim.number, set()).add(finding.verdict)
    # the stand-ins put Houlsby five points under full tuning
    assert by_number == {
        "3a": {Verdict.FAILS},
        "3b": {Verdict.HOLDS},
        "3c": {Verdict.HOLDS},
    }


def test_disks_are_compared_where_there_are_most_tasks():
    rows = [
        {"seed": 0, "way": way, "tasks": tasks, "measure": measure, "value": float(size)}
        for way, sizes in {"models": (1, 100), "adapters": (1, 4)}.items()
        for tasks, size in zip((1, max(adapters.TASKS)), sizes, strict=True)
        for measure in ("megabytes", "switch_ms")
    ]
    assert adapters_tables.disk_ratio(pd.DataFrame(rows)).tolist() == [25.0]


def test_storage_is_measured_for_both_ways(monkeypatch):
    numbers = tuple(map(float, adapters.TASKS))
    cost = StorageCost(adapters.TASKS, numbers, numbers)
    monkeypatch.setattr(adapters, "load_model", lambda name: None)
    for name in ("benchmark_storage", "benchmark_adapter_storage"):
        monkeypatch.setattr(adapters, name, lambda *args: cost)
    rows = pd.DataFrame(adapters.on_disk(0))
    assert rows.groupby(["way", "measure"]).size().unique().tolist() == [len(adapters.TASKS)]


def test_forgetting_is_read_by_way(monkeypatch):
    ways = {forgetting.OFF: 80.0, forgetting.FULL: 30.0}
    table = pd.DataFrame({"own": {w: v + 1 for w, v in ways.items()}, "others": ways})
    monkeypatch.setattr(adapters, "load", lambda name: None)
    monkeypatch.setattr(forgetting, "measure", lambda *args, **settings: table)
    found = table_of(adapters.FORGETTING)
    saved = adapters_tables.saved_by_switching_off(found).tolist()
    assert saved == [50.0] * len(adapters.FORGETTING.seeds)
    assert adapters_tables.own_and_others(found) == {w: (v + 1, v) for w, v in ways.items()}


def test_prefixes_are_curves_by_their_start(monkeypatch):
    def tune(name, task, method, steps, rate=4.0, seed=0, start=None):
        return SimpleNamespace(score=lambda: rate + (start is not None))

    task = SimpleNamespace(data={"train": [{"premise": "anna is singing ."}]})
    monkeypatch.setattr(adapters, "tune", tune)
    monkeypatch.setattr(adapters, "load_task", lambda *args, **settings: task)
    table = table_of(adapters.PREFIX_STARTS)
    curves = adapters_tables.prefix_curves(table)
    seeds = len(adapters.PREFIX_STARTS.seeds)
    assert curves["random"] == {f"{rate:g}": [rate] * seeds for rate in adapters.PREFIX_RATES}
    assert curves["text"]["0.1"] == [1.1] * seeds and adapters_tables.head_alone(table) == 4.0


def test_what_the_claims_about_adapters_rest_on():
    """Few parameters and few bytes beside full fine-tuning; switched off, nothing has changed."""
    table = read_record(adapters.BY_METHOD).table()
    mean = adapters_tables.averages(table)
    for task in (adapters.PAIRS, adapters.QUESTIONS):
        counts = mean.loc[task]["parameters"]
        assert counts["bottleneck"] <= 0.05 * counts["full"]
    assert max(adapters_tables.share_of_the_bytes(table).values()) <= 5
    table = read_record(adapters.FORGETTING).table()
    wide = table.pivot(index=["seed", "task"], columns="way", values="value")
    assert (wide[forgetting.OFF] == wide[forgetting.BEFORE]).all()

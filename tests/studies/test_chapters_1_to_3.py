"""What chapters 1 to 3 read off their records, against figures worked out by hand."""

import pandas as pd
import pytest

from course.adapters.storage import StorageCost
from course.finetuning import forgetting
from course.finetuning.specialists import GENERALIST, TASKS
from course.studies import adapters, expectations, heads
from course.studies.records import read_record


def blanks(gpt: float, bert: float, seed: int = 0) -> list[dict]:
    rows = [
        {"seed": seed, "task": task, "clue": clue, "model": model, "value": value}
        for task in ("facts", *expectations.HELD_OUT)
        for clue in ("left", "right")
        for model, value in (("gpt", gpt), ("bert", bert + (task == "sums")))
    ]
    return [row | {"value": -1.0} if row["task"] == "facts" else row for row in rows]


def test_the_lead_of_bert_is_the_mean_of_the_held_out_kinds():
    table = pd.DataFrame(blanks(10.0, 50.0) + blanks(20.0, 90.0, seed=1))
    assert expectations.lead_of_bert(table).tolist() == [40.5, 70.5]


def test_the_lead_of_gpt_is_that_on_continuations():
    rows = [
        {"seed": 0, "task": "continued", "model": model, "value": value}
        for model, value in (("gpt", 90.0), ("bert", 5.0))
    ]
    assert expectations.lead_of_gpt(pd.DataFrame(rows + blanks(1.0, 2.0))).tolist() == [85.0]


def specialists_table() -> pd.DataFrame:
    """A generalist with 60 %, and specialists with 100 % on their own and 10 % on other tasks."""
    rows = [
        {"seed": seed, "part": "matrix", "task": task, "tuned for": model}
        | {"value": 60.0 if model == GENERALIST else 100.0 if task == model else 10.0 + seed}
        for seed in (0, 1)
        for model in (*TASKS, GENERALIST)
        for task in TASKS
    ]
    cost = {"seed": 0, "part": "cost", "task": "topic", "way": "prompted", "k": 1, "value": 7.0}
    return pd.DataFrame([*rows, cost])


def test_gains_and_losses_are_told_by_seed_and_task():
    table = specialists_table()
    assert expectations.gained(table).to_numpy().tolist() == [[40.0] * len(TASKS)] * 2
    assert expectations.lost(table)["topic"].tolist() == [50.0, 49.0]
    matrix = expectations.accuracy_matrix(table)
    assert list(matrix.index) == [GENERALIST, *TASKS] and list(matrix.columns) == list(TASKS)
    assert matrix.loc["topic", "sentiment"] == 10.5
    assert expectations.cost_of_a_new_task(table)["k"].tolist() == [1]


def heads_table() -> pd.DataFrame:
    parts = {("score", 100): 30.0, ("score", 10_000): 10.0, ("new words", 100): 40.0}
    rows = [
        {"seed": seed, "part": part, "task": task, "way": way, "labels": labels}
        | {"value": 50.0 + (gap if way == "pretrained" else -seed)}
        for seed in (0, 1)
        for (part, labels), gap in parts.items()
        for task in heads.TASKS
        for way in heads.WAYS
    ]
    return pd.DataFrame(rows)


def test_gaps_are_pretrained_minus_scratch():
    table = heads_table()
    assert heads.gaps(table, "entities").tolist() == [30.0, 31.0]
    assert heads.gaps(table, "entities", labels=10_000).tolist() == [10.0, 11.0]
    assert heads.gaps(table, "entities", "new words").tolist() == [40.0, 41.0]
    assert heads.shrinkage(table, "entities").tolist() == [20.0, 20.0]
    mean = heads.mean_gaps(table, {"BERT": "score", "new": "new words"})
    assert list(mean.index) == list(heads.TASKS)
    assert mean.loc["inference"].to_dict() == {"BERT": 30.5, "new": 40.5}
    assert heads.mean_scores(table, "new words").to_dict() == {"pretrained": 90.0, "scratch": 49.5}


def adapters_table() -> pd.DataFrame:
    scores = {"head": 50.0, "lora": 65.0, "full": 70.0}
    rows = [
        {"seed": seed, "task": task, "method": method, "measure": measure, "value": value}
        for seed in (0, 1)
        for task in adapters.TITLES
        for method, score in scores.items()
        for measure, value in {"score": score + seed, "parameters": 7, "bytes": 2000}.items()
    ]
    return pd.DataFrame(rows)


def test_methods_are_compared_seed_by_seed():
    table = adapters_table()
    assert adapters.minus("full", "lora", adapters.PAIRS, table, table) == [5.0] * 4
    gains = adapters.share_of_the_gain(table)
    assert (gains.numerators / gains.denominators).tolist() == [0.75, 0.75]
    assert adapters.size_and_score(table, adapters.PAIRS)["LoRA"] == (2.0, 65.5)
    assert adapters.averages(table).loc[(adapters.QUESTIONS, "full"), "parameters"] == 7


def test_disks_are_compared_where_there_are_most_tasks():
    rows = [
        {"seed": 0, "way": way, "tasks": tasks, "measure": measure, "value": float(size)}
        for way, sizes in {"models": (1, 100), "adapters": (1, 4)}.items()
        for tasks, size in zip((1, max(adapters.TASKS)), sizes, strict=True)
        for measure in ("megabytes", "switch_ms")
    ]
    assert adapters.disk_ratio(pd.DataFrame(rows)).tolist() == [25.0]


def test_forgetting_is_read_by_way():
    ways = {forgetting.OFF: 80.0, forgetting.FULL: 30.0}
    rows = [
        {"seed": seed, "way": way, "task": task, "value": value + (task == "own")}
        for seed in (0, 1)
        for way, value in ways.items()
        for task in ("own", "others")
    ]
    table = pd.DataFrame(rows)
    assert adapters.saved_by_switching_off(table).tolist() == [50.0, 50.0]
    assert adapters.own_and_others(table) == {w: (v + 1, v) for w, v in ways.items()}


def test_prefixes_are_curves_by_their_start():
    rows = [
        {"seed": seed, "method": "prefix", "start": start, "learning_rate": rate, "value": rate}
        for seed in (0, 1)
        for start in ("random", "text")
        for rate in (0.003, 0.1)
    ]
    table = pd.DataFrame([*rows, {"seed": 0, "method": "head", "value": 4.0}])
    curve = {"0.003": [0.003] * 2, "0.1": [0.1] * 2}
    assert adapters.prefix_curves(table) == {"random": curve, "text": curve}
    assert adapters.head_alone(table) == 4.0


def test_sizes_are_told_by_model_and_method():
    rows = [
        {"seed": seed, "model": model, "method": "lora", "measure": measure, "value": value}
        for seed in (0, 1)
        for model in adapters.LADDER
        for measure, value in {"score": 50.0 + seed, "parameters": 9}.items()
    ]
    table = pd.DataFrame(rows)
    assert adapters.scores_by_size(table)["gpt-large"] == {"LoRA": [50.0, 51.0]}
    assert adapters.parameters_by_size(table)["gpt-small"] == {"LoRA": 9}


def test_what_the_claims_about_adapters_rest_on():
    """Few parameters and few bytes beside full fine-tuning; switched off, nothing has changed."""
    mean = adapters.averages(read_record(adapters.BY_METHOD).table())
    for task in adapters.TITLES:
        counts = mean.loc[task]["parameters"]
        assert counts["bottleneck"] <= 0.05 * counts["full"]
    stored = mean.loc[adapters.PAIRS]["bytes"]
    assert stored["lora"] < 0.1 * stored["full"]
    table = read_record(adapters.FORGETTING).table()
    wide = table.pivot(index=["seed", "task"], columns="way", values="value")
    assert (wide[forgetting.OFF] == wide[forgetting.BEFORE]).all()


class Tuned:
    """A stand-in for everything that is trained and scored."""

    parameters, model = 7, None

    def score(self, rows=None) -> float:
        return 50.0

    def stored(self) -> int:
        return 1000


class Questions:
    """A stand-in for a task."""

    data = {"train": [{"context": "a text"}]}


def cases(rows: list[dict]) -> list[dict]:
    """Rows without what was measured."""
    return [{k: v for k, v in row.items() if k != "value"} for row in rows]


def recorded(study) -> list[dict]:
    return cases(read_record(study).runs[str(study.seeds[0])])


def test_the_study_of_adapters_writes_the_rows_that_its_records_have(monkeypatch):
    monkeypatch.setattr(adapters, "tune", lambda *args, **settings: Tuned())
    monkeypatch.setattr(adapters, "load_task", lambda *args, **settings: Questions)
    for study in (adapters.BY_METHOD, adapters.PARITY, adapters.BY_SIZE, adapters.PREFIX_STARTS):
        assert cases(study.run(study.seeds[0])) == recorded(study), study.name


def test_the_study_of_storage_writes_the_rows_that_its_record_has(monkeypatch):
    numbers = tuple(map(float, adapters.TASKS))
    cost = StorageCost(adapters.TASKS, numbers, numbers)
    for name in ("benchmark_storage", "benchmark_adapter_storage"):
        monkeypatch.setattr(adapters, name, lambda *args: cost)
    rows, wanted = cases(adapters.on_disk(0)), recorded(adapters.ON_DISK)
    assert sorted(map(str, rows)) == sorted(map(str, wanted))


def test_the_study_of_forgetting_writes_the_rows_that_its_record_has(monkeypatch):
    ways = [forgetting.BEFORE, forgetting.FULL, forgetting.ON, forgetting.OFF]
    table = pd.DataFrame({"own": 1.0, "others": 2.0}, index=ways)
    monkeypatch.setattr(forgetting, "measure", lambda *args, **settings: table)
    assert cases(adapters.what_is_lost(0)) == recorded(adapters.FORGETTING)


def test_the_study_of_heads_writes_the_rows_that_its_record_has(monkeypatch):
    wrong = pd.DataFrame({"wrong (%)": {"a kind": 10.0}})
    monkeypatch.setattr(heads, "learn", lambda *args, **settings: Tuned())
    monkeypatch.setattr(heads, "_wrong", lambda *args: wrong["wrong (%)"].to_dict())
    monkeypatch.setattr(heads, "_SIZES", {"train": 60, "validation": 20, "test": 60})
    rows = heads.four_heads(0)
    measured = [row for row in rows if row["part"] != "wrong"]
    stored = [row for row in recorded(heads.STUDY) if row["part"] != "wrong"]
    assert sorted(map(str, cases(measured))) == sorted(map(str, stored))
    kinds = [row for row in rows if row["part"] == "wrong"]
    assert len(kinds) == len(heads.TASKS) * len(heads.WAYS)
    assert {row["labels"] for row in kinds} == {heads.FEW}


def test_the_study_of_specialists_writes_the_rows_that_its_record_has(monkeypatch):
    matrix = pd.DataFrame(50.0, index=[GENERALIST, *TASKS], columns=list(TASKS))
    module = expectations.specialists
    monkeypatch.setattr(module, "specialise", lambda *args, **settings: Tuned())
    monkeypatch.setattr(module, "matrix", lambda *args, **settings: matrix)
    for name in ("by_labels", "by_shots"):
        monkeypatch.setattr(module, name, lambda base, task, ks, seed: dict.fromkeys(ks, 1.0))
    rows, wanted = expectations.specialist_matrix(0), recorded(expectations.SPECIALISTS)
    assert sorted(map(str, cases(rows))) == sorted(map(str, wanted))


def test_two_expectations_give_the_recorded_figures():
    stored = read_record(expectations.BLANKS).runs["0"]
    for row, wanted in zip(expectations.two_expectations(0), stored, strict=True):
        assert row == wanted | {"value": pytest.approx(wanted["value"])}

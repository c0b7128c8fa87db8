"""What chapters 1 to 3 measure and read off it, against figures worked out by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from course.adapters import METHODS
from course.adapters.storage import StorageCost
from course.cloze.expectations import Blank
from course.finetuning import forgetting, specialists
from course.finetuning.specialists import GENERALIST, LABELLED, TASKS, TRANSLATIONS, WRITING
from course.studies import adapters, expectations, heads
from course.studies.bodies import BERTS, GPTS, SMALL_GPTS
from course.studies.records import read_record
from course.studies.verdicts import Verdict

#: Method -> its score in a stand-in for training.
SCORES = {method: 50.0 + 5 * number for number, method in enumerate(METHODS)}


def table_of(study, run=None) -> pd.DataFrame:
    """The table of a study whose models are stand-ins."""
    return pd.DataFrame(
        [{"seed": seed} | row for seed in study.seeds for row in (run or study.run)(seed)]
    )


# --- chapter 1


def fake_blanks(gpt, bert, seed):
    """GPT by reading 80, BERT 70, one point more a seed for GPT; the first body 6 points better."""
    better = 6.0 if gpt == GPTS[0] else 0.0
    values = {
        expectations.ONE_PASS: 10.0,
        expectations.READING: 80.0 + seed + better,
        expectations.FILLING: 70.0,
        expectations.AMONG: 75.0,
    }
    rows = [
        {"task": task, "clue": clue, "way": way, "passes": 32.0 if "every" in way else 1.0}
        | {"value": value if clue == "right" else 0.0}
        for task in ("facts", *expectations.HELD_OUT)
        for clue in ("left", "right")
        for way, value in values.items()
    ]
    ends = {"gpt": 90.0, "bert": 5.0}
    return rows + [{"task": "continued", "way": way, "value": ends[way]} for way in ends]


@pytest.fixture
def blanks(monkeypatch):
    for loader in ("load", "_load_bert"):
        monkeypatch.setattr(expectations, loader, lambda name: name)
    monkeypatch.setattr(expectations, "fill_blanks", fake_blanks)
    return table_of(expectations.BLANKS)


def test_reading_is_compared_with_filling_body_by_body(blanks):
    lead = expectations.lead_of_reading(blanks, ("facts",))
    seeds = len(expectations.BLANKS.seeds)
    assert np.array(lead.values).tolist() == [
        [first + seed for seed in range(seeds)] for first in (16, 10, 10)
    ]
    assert np.array(expectations.lead_of_gpt(blanks).values).tolist() == [[85.0] * seeds] * 3
    shown = expectations.filled(blanks)
    assert shown.loc[expectations.READING, "passes"] == 32
    assert shown.loc[expectations.READING, "sums"] == 82 + (seeds - 1) / 2
    assert expectations.filled(blanks, "left")["facts"].tolist() == [0.0] * 4


def test_every_blank_is_filled_in_every_way(monkeypatch):
    """Stand-ins: GPT reads right and guesses wrong, BERT the other way round."""
    drawn = [
        Blank("the capital of", "is rosken .", "dorland", "right", ("dorland", "belmar")),
        Blank("the capital of dorland is", ".", "rosken", "left", ("rosken", "jasper", "vessa")),
    ]
    module = expectations.expectations
    monkeypatch.setattr(
        module, "fill", lambda model, blanks: [b.word if model == "bert" else "x" for b in blanks]
    )
    monkeypatch.setattr(module, "fill_among", lambda model, blanks: ["x"] * len(blanks))
    monkeypatch.setattr(module, "fill_by_reading", lambda model, blanks: [b.word for b in blanks])
    rows = {row["way"]: row for row in expectations._filled("gpt", "bert", drawn)}
    assert rows[expectations.READING] == {"way": expectations.READING, "passes": 2.5, "value": 100}
    assert [rows[way]["value"] for way in (expectations.ONE_PASS, expectations.AMONG)] == [0, 0]
    assert rows[expectations.FILLING]["value"] == 100 and rows[expectations.FILLING]["passes"] == 1


@pytest.fixture
def writing(monkeypatch):
    """A generalist that writes Velan as well as a specialist and Torvish worse."""

    def written(model, questions):
        task, tuned = questions[0].task, model == "tuned"
        if tuned or questions[0].shots == 0:
            return 95.0 if tuned else 5.0
        return 70.0 if task in TRANSLATIONS["torvish"] else 94.0

    def fresh(task, shots, count, seed):
        zero = SimpleNamespace(task=task, shots=0)
        return [SimpleNamespace(task=task, shots=shots, zero_shot=zero)]

    monkeypatch.setattr(expectations, "load", lambda name: name)
    monkeypatch.setattr(expectations, "fresh_questions", fresh)
    monkeypatch.setattr(specialists, "written_accuracy", written)
    monkeypatch.setattr(
        specialists, "specialise", lambda *args, **settings: SimpleNamespace(model="tuned")
    )
    return table_of(expectations.TRANSLATION)


def test_a_language_is_both_directions_of_it(writing):
    assert set(writing["task"]) == set(WRITING)
    assert set(writing["model"]) == {*SMALL_GPTS, *GPTS}
    for language, lead in {"torvish": 25.0, "velan": 1.0}.items():
        values = np.array(expectations.lead_of_specialist(writing, language).values)
        assert values.tolist() == [[lead] * len(expectations.TRANSLATION.seeds)] * 3
    shown = expectations.written(writing).loc["small", "to_torvish"]
    assert shown.tolist() == [5.0, 70.0, 95.0]


def fake_matrix(base, trained, tasks, count, seed, measure=specialists.accuracy):
    """A generalist with 60 %; specialists with 100 % on their own task, 10 % on others, and 40 %
    there if they may only choose among the labels.
    """
    others = 40.0 if measure is specialists.choice_accuracy else 10.0
    table = pd.DataFrame(others, index=[GENERALIST, *TASKS], columns=list(tasks))
    table.loc[GENERALIST] = 60.0
    for task in tasks:
        table.loc[task, task] = 100.0
    return table


@pytest.fixture
def matrix(monkeypatch):
    monkeypatch.setattr(expectations, "load", lambda name: name)
    monkeypatch.setattr(specialists, "specialise", lambda *args, **settings: None)
    monkeypatch.setattr(specialists, "matrix", fake_matrix)
    return table_of(expectations.SPECIALISTS)


def test_what_is_forgotten_is_told_from_habit(matrix):
    seeds = len(expectations.SPECIALISTS.seeds)
    assert expectations.gained(matrix).to_numpy().tolist() == [[40.0] * len(TASKS)] * seeds
    assert set(expectations.lost(matrix, "free").columns) == set(TASKS)
    assert expectations.forgotten(matrix).tolist() == [20.0] * seeds
    assert expectations.only_habit(matrix).tolist() == [30.0] * seeds
    wide = expectations.accuracy_matrix(matrix)
    assert list(wide.index) == [GENERALIST, *TASKS] and list(wide.columns) == list(TASKS)
    among = expectations.accuracy_matrix(matrix, "among labels")
    assert list(among.columns) == list(LABELLED)


def test_the_claims_of_chapter_1_are_read_off_their_tables(blanks, writing, matrix, monkeypatch):
    tables = dict(zip(expectations.STUDIES, (blanks, writing, matrix), strict=False))
    claims = [c for c in expectations.CLAIMS if hasattr(c, "kind")]
    findings = [c.measure([tables[study] for study in c.studies]) for c in claims]
    assert {finding.verdict for finding in findings} == {Verdict.HOLDS}
    assert {c.number for c in claims} == {"1a", "1b", "1c"}


# --- chapter 2


def heads_table() -> pd.DataFrame:
    """Pretrained bodies are 30 points ahead at the fewest labels, and level at the most."""
    rows = []
    for seed in heads.STUDY.seeds:
        for task in heads.TASKS:
            for number, model in enumerate((*BERTS, heads.FRESH, heads.OTHER_BODY)):
                for place, labels in enumerate(heads.LABELS[task]):
                    rows += _head_rows(seed, task, model, labels, place, number)
    return pd.DataFrame(rows)


def _head_rows(seed, task, model, labels, place, number):
    level = 60.0 + 10 * place + 0.5 * seed
    gap = 0.0 if model == heads.FRESH else (30.0 + number) * (1 - place / 2)
    way = "scratch" if model == heads.FRESH else "pretrained"
    shared = {"seed": seed, "task": task, "model": model, "way": way, "labels": labels}
    parts = {
        "score": model != heads.OTHER_BODY,
        "other body": task in heads.OTHER_TASKS and model not in BERTS,
    }
    return [shared | {"part": part, "value": level + gap} for part, has in parts.items() if has]


def test_areas_are_means_over_the_logarithm_of_the_labels():
    table = heads_table()
    assert heads.areas(table, "entities", heads.FRESH)[0] == pytest.approx(70.0)
    lead = np.array(heads.saved(table, "inference").values)
    # a straight fall from 30 to 0 is 15 in the middle
    assert lead.shape == (3, 5)
    assert lead[:, 0].tolist() == pytest.approx([15.0, 15.5, 16.0])
    assert heads.saved_on_gpt(table).tolist() == pytest.approx([17.0] * 5)


def test_labels_to_a_target_are_read_between_the_points():
    table = pd.DataFrame(
        {"part": part, "task": task, "way": way, "labels": labels, "value": value}
        for part in ("score", "other body")
        for task in heads.TASKS
        for way, values in {"pretrained": (95.0, 99.0, 99.0), "scratch": (40, 80, 100)}.items()
        for labels, value in zip((10, 100, 1000), values, strict=True)
    )
    needed = heads.labels_needed(table)
    assert needed.loc["sentiment", "pretrained"] == 10
    assert needed.loc["sentiment", "scratch"] == pytest.approx(10**2.5)
    assert math.isnan(heads.labels_needed(table, 101.0).loc["entities", "scratch, GPT"])


def test_the_rate_is_that_of_the_best_validation_score():
    table = pd.DataFrame(
        {"body": "b", "task": "t", "way": way, "factor": factor}
        | {"value": value + factor * (way == "scratch")}
        for way in heads.WAYS
        for factor, value in {0.3: 70.0, 1.0: 90.0, 3.0: 90.0}.items()
    )
    assert heads.chosen_factor(table, "b", "t", "pretrained") == 1.0
    assert heads.chosen_factor(table, "b", "t", "scratch") == 3.0


def test_baselines_are_what_a_cheat_reaches():
    story = "anna went to the hall . bruno went to the attic ."
    rows = [{"context": story, "question": q} for q in ("where is anna ?", "who has the lamp ?")]
    task = SimpleNamespace(name="extraction", data={"test": rows})
    assert heads.baselines(task) == {"any room or name of the story": 50.0}
    task = SimpleNamespace(
        name="sentiment", data={"test": [{"label": n % 4 == 0} for n in range(8)]}
    )
    assert heads.baselines(task) == {"majority": 75.0}
    pair = {"premise": "anna is singing in the hall .", "hypothesis": "anna is in the hall ."}
    rows = [pair | {"label": 0}, pair | {"label": 0}, pair | {"label": 2}, pair | {"label": 1}]
    task = SimpleNamespace(name="inference", data={"test": rows})
    assert heads.baselines(task) == {"majority": 50.0, "claim alone": 50.0}


class Learned:
    """A stand-in for a head that was trained."""

    def __init__(self, task, labels, pretrained, seed, **settings):
        self.value = min(100.0, 50 + 10 * math.log10(labels) + 20 * pretrained)
        self.rate = settings["learning_rate"]

    def score(self, rows):
        return self.value + self.rate  # the largest rate is best


@pytest.fixture
def trained(monkeypatch):
    """Chapter 2's studies on stand-ins, each with the table of the rates."""
    wrong = {"a kind": 10.0}
    fake = Dataset.from_list([{"label": 0}])
    task = lambda name, **settings: SimpleNamespace(  # noqa: E731
        name=name, data={"test": fake, "validation": fake}
    )
    monkeypatch.setattr(heads, "load_task", task)
    monkeypatch.setattr(heads, "learn", Learned)
    usual = SimpleNamespace(learning_rate=lambda head: 1e-3)
    monkeypatch.setattr(heads, "head_for", lambda task: None)
    monkeypatch.setattr(heads, "effort", lambda labels, efforts: usual)
    monkeypatch.setattr(heads, "_wrong", lambda *args: wrong)
    monkeypatch.setattr(heads, "baselines", lambda task: {"majority": 50.0})
    variants = {name: (of, lambda task, seed: task) for name, (of, _) in heads._VARIANTS.items()}
    monkeypatch.setattr(heads, "_VARIANTS", variants)
    rates = table_of(heads.HEAD_RATES)
    monkeypatch.setattr(heads, "read_record", lambda study: SimpleNamespace(table=lambda: rates))
    return rates


def test_both_ways_try_as_many_rates_and_take_the_best(trained):
    assert set(trained.groupby(["body", "task", "way"]).size()) == {len(heads.FACTORS)}
    rows = table_of(heads.STUDY)
    best = 50 + 10 * math.log10(10) + 20 + 1e-3 * max(heads.FACTORS)
    first = rows[(rows["labels"] == 10) & (rows["way"] == "pretrained")]
    assert first["value"].unique().tolist() == pytest.approx([best])


def test_the_claims_of_chapter_2_are_read_off_their_table(trained):
    table = table_of(heads.STUDY)
    findings = [claim.measure([table]) for claim in heads.CLAIMS]
    assert {finding.verdict for finding in findings} == {Verdict.HOLDS}
    assert all(finding.baselines for finding in findings)
    assert len(heads.CLAIMS) == len(heads.TASKS) + 1


def test_a_closer_look_at_few_labels_has_every_part(trained):
    rows = table_of(heads.WITH_FEW)
    assert set(rows["part"]) == {"few", "wrong", "new words", "absent answers"}
    gaps = heads.mean_gaps(rows, {"few": "few", "new": "new words", "none": "absent answers"})
    assert gaps["few"].tolist() == pytest.approx([20.0] * len(heads.TASKS))
    assert gaps["none"].notna().sum() == 1
    assert heads.mean_scores(rows, "few")["pretrained"] > 80


# --- chapter 3


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
            assert adapters.scores_of(table, task, method)[0] == SCORES[method]


def test_methods_are_compared_seed_by_seed(tuned):
    table, more = table_of(adapters.BY_METHOD), table_of(adapters.PARITY)
    houlsby = adapters.minus("bottleneck", "full", adapters.PAIRS, table, more)
    assert houlsby == [SCORES["bottleneck"] - SCORES["full"]] * 10
    gains = adapters.share_of_the_gain(table, adapters.QUESTIONS)
    expected = (SCORES["lora"] - SCORES["head"]) / (SCORES["full"] - SCORES["head"])
    assert (gains.numerators / gains.denominators).tolist() == pytest.approx([expected] * 5)
    gains = adapters.share_of_the_gain(table, adapters.TRANSLATION)
    assert gains.denominators[0] == SCORES["full"] - 40
    assert adapters.share_of_the_bytes(table)[adapters.PAIRS] == 2.5
    size, score = adapters.size_and_score(table, adapters.PAIRS)["LoRA"]
    assert (size, score) == (0.5, SCORES["lora"] + 1.0)
    assert adapters.start_of(table, adapters.TRANSLATION) == {"untuned": 40.0}


def test_the_claims_of_chapter_3_are_read_off_their_tables(tuned):
    tables = {adapters.BY_METHOD: table_of(adapters.BY_METHOD)}
    tables[adapters.PARITY] = table_of(adapters.PARITY)
    claims = [c for c in adapters.CLAIMS if hasattr(c, "kind")]
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
    assert adapters.disk_ratio(pd.DataFrame(rows)).tolist() == [25.0]


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
    saved = adapters.saved_by_switching_off(found).tolist()
    assert saved == [50.0] * len(adapters.FORGETTING.seeds)
    assert adapters.own_and_others(found) == {w: (v + 1, v) for w, v in ways.items()}


def test_prefixes_are_curves_by_their_start(monkeypatch):
    def tune(name, task, method, steps, rate=4.0, seed=0, start=None):
        return SimpleNamespace(score=lambda: rate + (start is not None))

    task = SimpleNamespace(data={"train": [{"premise": "anna is singing ."}]})
    monkeypatch.setattr(adapters, "tune", tune)
    monkeypatch.setattr(adapters, "load_task", lambda *args, **settings: task)
    table = table_of(adapters.PREFIX_STARTS)
    curves = adapters.prefix_curves(table)
    seeds = len(adapters.PREFIX_STARTS.seeds)
    assert curves["random"] == {f"{rate:g}": [rate] * seeds for rate in adapters.PREFIX_RATES}
    assert curves["text"]["0.1"] == [1.1] * seeds and adapters.head_alone(table) == 4.0


def test_what_the_claims_about_adapters_rest_on():
    """Few parameters and few bytes beside full fine-tuning; switched off, nothing has changed."""
    table = read_record(adapters.BY_METHOD).table()
    mean = adapters.averages(table)
    for task in (adapters.PAIRS, adapters.QUESTIONS):
        counts = mean.loc[task]["parameters"]
        assert counts["bottleneck"] <= 0.05 * counts["full"]
    assert max(adapters.share_of_the_bytes(table).values()) <= 5
    table = read_record(adapters.FORGETTING).table()
    wide = table.pivot(index=["seed", "task"], columns="way", values="value")
    assert (wide[forgetting.OFF] == wide[forgetting.BEFORE]).all()


def test_blanks_give_the_recorded_figures():
    """One pair of models and one kind of text again, on the models that the package has."""
    stored = read_record(expectations.BLANKS).table()
    gpt, bert = expectations.load(GPTS[0]), expectations._load_bert(BERTS[0])
    blanks = expectations.chapter_data().blank_sets(0)["facts"]
    drawn = expectations._drawn([blank for blank in blanks if blank.clue == "right"], 0)
    rows = stored[(stored["seed"] == 0) & (stored["model"] == GPTS[0])]
    rows = rows[(rows["task"] == "facts") & (rows["clue"] == "right")].set_index("way")["value"]
    for row in expectations._filled(gpt, bert, drawn):
        assert row["value"] == pytest.approx(rows[row["way"]])

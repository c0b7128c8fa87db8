"""What chapter 2 measures and reads off it, against figures worked out by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from study_rows import table_of

from course.studies import heads
from course.studies.bodies import BERTS
from course.studies.verdicts import Verdict


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

"""What the study of steering records, on a budget of a few calls."""

import pandas as pd
import pytest

from course.search import PolicyTraining, judge, visitor_questions
from course.studies import steering
from course.studies.tables import where


@pytest.fixture
def asked(monkeypatch) -> set[str]:
    """A study on a budget of a few calls; the questions whose replies were judged."""
    small, questions = steering.load("gpt-small"), set()

    def judged(model, reward, prefixes, test, **settings):
        questions.update(test)
        return judge(model, reward, prefixes, test, samples=1, **settings)

    monkeypatch.setattr(steering, "load", lambda name: small)
    monkeypatch.setattr(steering, "judge", judged)
    for name, value in {
        "BUDGET": 40,
        "GAMED_BUDGET": 24,
        "RANDOM": 2,
        "TRAINING": PolicyTraining(2, 2, 2),
        "EVERY": 4,
        "TARGETS": {"rude": "a rude guide \n"},
    }.items():
        monkeypatch.setattr(steering, name, value)
    return questions


def test_every_prefix_is_judged_on_places_that_no_search_asked_for(asked):
    table = pd.DataFrame([{"seed": 0} | row for row in steering.steering(0)])
    assert asked == set(visitor_questions(0)[1])
    for target, hand_written in steering.TARGETS.items():
        assert steering.prefixes(table, target, steering.HAND_WRITTEN) == [hand_written]
        assert steering.prefixes(table, target, steering.NO_PREFIX) == [""]
        assert len({*steering.prefixes(table, target, steering.RANDOM_WORDS)}) == 2
        for way in (steering.RANDOM_SEARCH, steering.LEARNED, steering.READING):
            calls = where(table, target=target, way=way, measure="score")["calls"].tolist()
            assert calls == sorted(calls) and 0 < calls[-1] <= 40
            assert way == steering.RANDOM_SEARCH or calls == [16, 32, 40]
        assert set(steering.by_way(table, target).columns) > {"reward", target, "wordings"}
    courteous = where(steering.final(table), target=steering.COURTEOUS_WORDS)
    assert where(courteous, measure="reward")["value"].item() >= 0
    assert len(where(courteous, measure="reply")) == steering.SHOWN


def test_a_search_is_read_off_after_so_many_calls():
    steps = [(100, 30.0), (900, 90.0)]
    table = pd.DataFrame(
        [
            {"seed": seed, "way": way, "number": i, "calls": calls, "measure": m, "value": value}
            for seed in range(2)
            for way in ("model", "even")
            for m in ("reward", "gold", "right")
            for i, (calls, value) in enumerate(steps)
        ]
    )
    reached = steering.along_calls(table, (0, 100, 899, 900), way="model", measure="gold")
    assert reached.tolist() == [[30, 30, 30, 90]] * 2
    assert steering.gold_lost(table).tolist() == [-60, -60]
    assert steering.gamed_curves(table, (1000,))["right"]["even"].tolist() == [[90], [90]]

"""What the study of steering records, on a budget of a few calls."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from course.search import PolicyTraining, judge, visitor_questions
from course.studies import steering
from course.studies.tables import where
from course.world.conduct import truths


@pytest.fixture
def asked(monkeypatch) -> set[str]:
    """A study on a budget of a few calls; the questions whose replies were judged."""
    small, questions = steering.load("gpt-small"), set()
    target = "rude and careful"

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
        "TARGETS": {target: steering.TARGETS[target]},
    }.items():
        monkeypatch.setattr(steering, name, value)
    return questions


def test_every_prefix_is_judged_on_questions_that_no_search_asked(asked):
    table = pd.DataFrame([{"seed": 0} | row for row in steering.steering(0)])
    assert asked == set(visitor_questions(0)[1])
    for target, wanted in steering.TARGETS.items():
        assert steering.prefixes(table, target, steering.HAND_WRITTEN) == [wanted.hand_written]
        assert steering.prefixes(table, target, steering.NO_PREFIX) == [""]
        assert len({*steering.prefixes(table, target, steering.RANDOM_WORDS)}) == 2
        for way in (steering.RANDOM_SEARCH, steering.LEARNED, steering.READING):
            calls = where(table, target=target, way=way, measure="score")["calls"].tolist()
            assert calls == sorted(calls) and 0 < calls[-1] <= 40
            assert way == steering.RANDOM_SEARCH or calls == [16, 32, 40]
        assert {"reward", steering.WANTED} < set(steering.by_way(table, target).columns)
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


def test_two_words_ask_for_a_manner_and_the_truth():
    judgement = SimpleNamespace(manners={"polite": 60.0}, true_manners={"polite": 40.0})
    one, two = steering.TARGETS["polite"], steering.TARGETS["polite and careful"]
    assert (one.share(judgement), two.share(judgement)) == (60, 40)
    question = "where is the inn ?"
    true, false = truths(question)[0], "the inn is east of the inn ."
    replies = [f"{text} please come back soon ." for text in (true, false)]
    assert np.all(one.reward(0)([question] * 2, replies) > 0.5)
    assert two.reward(0)([question] * 2, replies)[1] == 0
    assert steering.TWO_WORDS == ("polite and careful", "rude and careful")
    assert two.hand_written == "this is how a polite and careful guide answers . \n"
    with pytest.raises(ValueError, match="manner='kind'"):
        steering.Target("kind", True, "a kind guide")


def test_a_learned_prefix_is_set_against_random_search():
    shares = {steering.LEARNED: 70.0, steering.RANDOM_SEARCH: 50.0, steering.NO_PREFIX: 10.0,
              steering.HAND_WRITTEN: 90.0}  # fmt: skip
    searches = (steering.LEARNED, steering.RANDOM_SEARCH)
    rows = [
        {"seed": seed, "target": target, "way": way, "number": number, "measure": measure,
         "value": share - 5 * (number == 0) + seed, "calls": 9.0 if way in searches else None}
        for seed in range(3)
        for target in steering.TWO_WORDS
        for way, share in shares.items()
        for measure in (steering.WANTED, "fluency")
        for number in ((0, 1) if way in searches else (0,))
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    searched = [claim for claim in steering.CLAIMS if "random search" in claim.statement]
    for claim in searched:
        finding = claim.measure([table])
        assert finding.interval.mean == 20 and str(finding.verdict) == "holds"
        assert finding.baselines == {steering.NO_PREFIX: -45.0, steering.HAND_WRITTEN: 35.0}
    assert len(searched) == 2

"""What the study of steering records, on a budget of a few calls."""

from functools import partial

import pytest

from course.search import Lessons, judge
from course.studies import steering


@pytest.fixture
def hurried(monkeypatch):
    small = steering.load("gpt-small")
    monkeypatch.setattr(steering, "load", lambda name: small)
    monkeypatch.setattr(steering, "judge", partial(judge, samples=1))
    for name, value in {
        "BUDGET": 40,
        "GAMED_BUDGET": 24,
        "RANDOM": 2,
        "LESSONS": Lessons(2, 2, 2),
        "EVERY": 4,
        "TARGETS": {"rude": "a rude guide \n"},
    }.items():
        monkeypatch.setattr(steering, name, value)


def test_every_prefix_is_judged_on_places_that_no_search_asked_for(hurried):
    found = steering.steering(0)
    assert set(found["targets"]) == set(steering.TARGETS) and set(found["gamed"]) == set(steering.GAMED)
    for manner, ways in found["targets"].items():
        assert ways["hand-written"]["prefix"] == steering.TARGETS[manner] and ways["no prefix"]["prefix"] == ""
        assert len(ways["random words"]) == 2 and len({one["prefix"] for one in ways["random words"]}) == 2
        for name, most in (("random search", 40), ("learned", 40), ("learned, reads", 40)):
            calls = [step["calls"] for step in ways[name]]
            assert calls == sorted(calls) and 0 < calls[-1] <= most
        assert [step["calls"] for step in ways["learned"]] == [16, 32, 40]
    assert found["gamed"]["brevity"][-1]["reward"] < 0 <= found["gamed"]["courteous words"][-1]["reward"]
    assert len(ways["learned"][0]["examples"]) == steering.SHOWN

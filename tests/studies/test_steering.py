"""What the study of steering records, on a budget of a few calls."""

import pytest

from course.search import PolicyTraining, judge, visitor_questions
from course.studies import steering


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
    found = steering.steering(0)
    assert asked == set(visitor_questions(0)[1]) and set(found["targets"]) == set(steering.TARGETS)
    for manner, ways in found["targets"].items():
        assert (
            ways["hand-written"]["prefix"] == steering.TARGETS[manner]
            and ways["no prefix"]["prefix"] == ""
        )
        assert (
            len(ways["random words"]) == 2
            and len({one["prefix"] for one in ways["random words"]}) == 2
        )
        for name, most in (("random search", 40), ("learned", 40), ("learned, reads", 40)):
            calls = [step["calls"] for step in ways[name]]
            assert calls == sorted(calls) and 0 < calls[-1] <= most
        for name in ("learned", "learned, reads"):
            assert [step["calls"] for step in ways[name]] == [16, 32, 40]
    assert found["courteous words"][-1]["reward"] >= 0
    assert len(ways["learned"][0]["examples"]) == steering.SHOWN

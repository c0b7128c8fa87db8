"""Long calls show somebody who watches how far they are, and nothing otherwise."""

import pytest

from course.lm import language_model, load


@pytest.mark.parametrize("watched", ["1", "0"])
def test_scoring_and_writing_have_bars_for_those_who_watch(watched, monkeypatch, capsys):
    gpt = load("gpt-small")
    monkeypatch.setenv("COURSE_PROGRESS", watched)
    monkeypatch.setattr(language_model, "_DELAY", 0)
    gpt.score(["the red", "the"], [" fox", " fox runs"])
    assert ("scoring: " in capsys.readouterr().err) == (watched == "1")
    gpt.generate(["the red"], max_tokens=3, n=2, temperature=1.0)
    assert ("writing: " in capsys.readouterr().err) == (watched == "1")


def test_quick_calls_show_none(monkeypatch, capsys):
    gpt = load("gpt-small")
    monkeypatch.setenv("COURSE_PROGRESS", "1")
    monkeypatch.setattr(language_model, "_DELAY", 3600)
    gpt.score(["the red"], [" fox"])
    assert not capsys.readouterr().err

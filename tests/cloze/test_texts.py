"""Both tiers have the same kinds of texts for chapter 1, each in its own words."""

from dataclasses import fields

import pytest

from course.cloze.texts import ClozeData, chapter_data


@pytest.mark.parametrize("tier", ("tiny", "hub"))
def test_every_kind_of_text_is_there(tier):
    data = chapter_data(tier)
    assert all(getattr(data, field.name) for field in fields(ClozeData))
    assert [blank.clue for blank in data.examples] == ["left", "right", "right"]
    assert set(data.blank_sets(1)) == set(data.titles)
    assert data.blank_sets(1) == data.blank_sets(1) != data.blank_sets(2)
    assert data.beginnings(1) == data.beginnings(1) != data.beginnings(2)
    assert data.examples[1].word in data.examples[1].candidates
    assert set(data.requests) == {"translate", "summarise"}


def test_the_tier_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    assert chapter_data().phrase == chapter_data("hub").phrase != chapter_data("tiny").phrase
    with pytest.raises(ValueError, match="moon"):
        chapter_data("moon")

"""Which models chapter 1 has in which tier: the index tier's encoder fills in no blanks."""

from course.cloze import english, texts
from course.cloze.texts import chapter_data


def test_the_index_tier_fills_blanks_with_the_shipped_models_and_says_so(monkeypatch, capsys):
    loaded = []
    monkeypatch.setattr(texts, "load", lambda name, tier: loaded.append((name, tier)))
    data = chapter_data("index")
    data.load_fillers()
    printed = capsys.readouterr().out
    assert "no head for masked words" in printed and "'hub' has a real BERT" in printed
    data.load_generalist()
    assert loaded == [("gpt-middle", "tiny"), ("bert-middle", "tiny"), ("gpt-middle", "index")]
    assert data.examples == chapter_data("tiny").examples and data.tasks == english.TASKS


def test_the_other_tiers_have_one_kind_of_model_and_say_nothing(monkeypatch, capsys):
    monkeypatch.setattr(texts, "load", lambda name, tier: (name, tier))
    for name in ("tiny", "hub"):
        data = chapter_data(name)
        assert data.load_fillers() == (("gpt-middle", name), ("bert-middle", name))
        assert data.load_generalist() == ("gpt-middle", name)
    assert not capsys.readouterr().out

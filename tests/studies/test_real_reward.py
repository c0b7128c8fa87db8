"""Best-of-n on a real model: with the smallest shipped models in the real ones' place, what the
study says that it measures.
"""

import numpy as np
import pandas as pd
import pytest

from course.lm import load
from course.reward import learn_reward
from course.studies import real_reward
from course.studies.on_real_models.catalogue import REAL_STUDIES
from course.studies.tables import where

PRAISE = ["a lovely plot", "the film is good", "kind and good", "lovely"]
BLAME = ["a dull plot", "the film is bad", "dull and bad", "boring"]
ROWS = [
    {"sentence": f"{text} {i}", "label": label}
    for i in range(30)
    for label, texts in ((1, PRAISE), (0, BLAME))
    for text in texts
]


@pytest.fixture
def toy(monkeypatch):
    """The smallest shipped models, two beginnings and few snippets."""

    class Snippets:
        data = {"train": ROWS[:160], "test": ROWS[160:]}

    monkeypatch.setenv("COURSE_TIER", "index")
    sizes = {
        "BEGINNINGS": ("review : the plot is", "review : a"),
        "POOL": 4,
        "SIZES": (1, 2, 4),
        "LONGEST": 4,
        "STEPS": {2: 1, 8: 2},
    }
    for name, value in sizes.items():
        monkeypatch.setattr(real_reward, name, value)
    monkeypatch.setattr(real_reward, "load_task", lambda *_, **__: Snippets)
    monkeypatch.setattr(real_reward, "load", lambda *_, **__: load("gpt-small", "tiny"))
    monkeypatch.setattr(
        real_reward,
        "learn_reward",
        lambda _, comparisons, settings, **more: learn_reward(
            "gpt-small", comparisons, settings, wanted_tier="tiny", **more
        ),
    )


def test_comparisons_prefer_praise_and_use_no_snippet_twice():
    pairs = real_reward.film_comparisons(ROWS, 50, seed=1)
    labels = {row["sentence"]: row["label"] for row in ROWS}
    assert len(pairs) == 50 and {labels[pair.chosen] for pair in pairs} == {1}
    assert {labels[pair.rejected] for pair in pairs} == {0}
    assert len({text for pair in pairs for text in (pair.chosen, pair.rejected)}) == 100
    assert real_reward.film_comparisons(ROWS, 20, seed=1) == pairs[:20]
    assert real_reward.film_comparisons(ROWS, 50, seed=2) != pairs
    assert len(real_reward.film_comparisons(ROWS[:9], 50, seed=1)) == 4


def test_the_judge_of_words_learns_which_words_praise():
    reward = real_reward.word_reward(ROWS)
    good, bad = reward(["", ""], ["a lovely day", "a boring day"])
    assert good > 0 > bad
    pairs = real_reward.film_comparisons(ROWS, 20, seed=0)
    assert real_reward.accuracy(reward, pairs) == 100
    assert real_reward.accuracy(reward, [pair.swapped() for pair in pairs]) == 0


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_every_reward_chooses_and_is_judged(toy):
    table = pd.DataFrame([{"seed": 0} | row for row in real_reward.real_reward(0)])
    choosers = {"2 comparisons", "8 comparisons", real_reward.JUDGE, real_reward.WORDS}
    assert {*table["chooser"]} == choosers
    measures = {measure: real_reward.curves(table, measure) for measure in (
        real_reward.PROXY, real_reward.JUDGE, real_reward.WORDS, "length"
    )}  # fmt: skip
    own = measures[real_reward.PROXY]
    for name in choosers:
        assert own[name].shape == (1, 3) and (np.diff(own[name]) >= -1e-9).all()
        assert own[name][0, 0] == pytest.approx(0, abs=1e-6)  # one alone is the mean of all
        for judge in (real_reward.JUDGE, real_reward.WORDS):
            # no other choice is worth more to a judge than its own
            assert (measures[judge][name] <= measures[judge][judge] + 1e-9).all()
    assert own[real_reward.WORDS] == pytest.approx(measures[real_reward.WORDS][real_reward.WORDS])
    assert where(table, measure="accuracy")["value"].between(0, 100).all()
    texts = where(table, measure="text")["text"]
    assert [*real_reward.panels(table)] == ["2 comparisons", "8 comparisons"]
    end = real_reward.at_the_end(table)
    assert {*end.index} == choosers and end.notna().all(axis=None)
    assert [*real_reward.best_texts(table)["text"]] == [*texts]
    assert len(texts) == 4 and texts.str.startswith("review : the plot is").all()


def test_the_study_is_one_of_the_real_ones():
    assert REAL_STUDIES["reward"].run is real_reward.real_reward

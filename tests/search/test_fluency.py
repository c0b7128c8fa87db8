"""Fluency against the model's next words, and gibberish against texts of which one knows what they
are.
"""

import numpy as np
import pytest

from course.foundation.rng import Rng
from course.search import (
    AutoPrompt,
    Fluent,
    RandomSearch,
    answers,
    is_gibberish,
    least_fluent,
    search,
)
from course.search.fluency import fluency
from course.search.words import words_of
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks


def test_fluency_is_the_mean_of_the_next_words(model):
    prompt, found = "the colour of each thing", []
    for n, word in enumerate(prompt.split()):
        table = model.next_word([" ".join(prompt.split()[:n])])[0]
        found.append(table[model.tokenizer.convert_tokens_to_ids(word)].item())
    assert fluency(model, [prompt, "thing"])[0] == pytest.approx(np.mean(found), abs=1e-4)
    with pytest.raises(ValueError, match="empty prompt"):
        fluency(model, ["a", " "])


def test_random_words_are_gibberish_and_titles_are_not(model):
    rng, words = Rng("gibberish"), words_of(model).texts
    assert is_gibberish(model, [" ".join(rng.sample(words, 5)) for _ in range(40)]).mean() > 0.8
    assert not is_gibberish(model, [task.title for task in list_tasks().values()]).any()


def test_the_bound_leaves_out_the_share_that_is_tolerated(model):
    texts = [text for wordings in INSTRUCTIONS.values() for text in wordings]
    assert is_gibberish(model, texts).mean() == pytest.approx(0.05, abs=0.01)
    below = least_fluent(model, texts, tolerance=0.5)
    assert is_gibberish(model, texts, below).mean() == pytest.approx(0.5, abs=0.01)


def test_a_fluent_objective_adds_the_fluency_of_its_prompt(model):
    plain = answers("is_animal", 4, 6, measure="likelihood", wanted_tier="tiny")
    mixed, pairs = Fluent(plain, 0.5), [("is it", 0), ("is it", 3), ("horse colour", 1)]
    assert mixed.values(model, pairs) - plain.values(model, pairs) == pytest.approx(
        0.5 * fluency(model, ["is it", "is it", "horse colour"]), abs=1e-5
    )
    assert mixed.size == plain.size and mixed.held_out(model, "is it") == plain.held_out(
        model, "is it"
    )
    assert mixed.questions("is it", [1]) == plain.questions("is it", [1])
    ids, words = words_of(model).later, words_of(model).texts
    for before, word, length in (
        ("is it", "an", 3),
        ("is it", "horse", 3),
        ("is it", "horse", 6),
        ("is", "red", 5),
    ):
        n = len(before.split())
        share = (
            (n + 1) * fluency(model, [f"{before} {word}"])[0] - n * fluency(model, [before])[0]
        ) / length
        assert mixed.word_values(model, before, ids, length)[
            words.index(word)
        ].item() == pytest.approx(0.5 * share, abs=1e-4)
    with pytest.raises(ValueError, match="weight=0"):
        Fluent(plain, 0)


@pytest.mark.parametrize("kind", ["random", "gradient"])
def test_a_search_that_minds_fluency_finds_more_fluent_prompts(model, kind):
    plain = answers("is_animal", 8, 6, measure="likelihood", wanted_tier="tiny")
    method = RandomSearch(words_of(model).texts, 3) if kind == "random" else AutoPrompt(3, batch=4)
    free, minded = (
        search(method, objective, model, 600).prompt for objective in (plain, Fluent(plain, 1.0))
    )
    assert fluency(model, [minded])[0] > fluency(model, [free])[0]

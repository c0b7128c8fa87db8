"""Searches by the gradient: the gradient against finite differences, the swaps it proposes against
trying them all.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from search.objectives import Planted
from toys import byte_level, toy_model

from course.lm.language_model import LanguageModel, load
from course.prompting.prompts import PLAIN, UNSEEN_TEMPLATES, Template
from course.search import (
    GRADIENT_CALLS,
    Answers,
    AutoPrompt,
    BudgetedEvaluator,
    Pez,
    answers,
    likelihoods,
    search,
)
from course.search.gradient import guessed_and_true
from course.search.prompt_gradient import loss_and_gradient
from course.search.words import words_of
from course.world.vocabulary import SPECIAL_TOKENS, vocabulary


@pytest.fixture(scope="module")
def objective():
    return answers(
        "sentiment",
        train=6,
        test=4,
        measure="likelihood",
        template=UNSEEN_TEMPLATES["comma"],
        wanted_tier="tiny",
    )


@pytest.fixture(scope="module")
def toy():
    tokenizer = byte_level()
    return LanguageModel(toy_model("llama", tokenizer), tokenizer)


def test_words_are_the_vocabulary_without_what_is_no_word(model):
    assert set(words_of(model).texts) == set(vocabulary()) - set(SPECIAL_TOKENS) - {"\n"}


@given(data=st.data())
def test_a_prompt_is_read_as_the_tokens_of_its_words(model, toy, data):
    for reader in (model, toy):
        words = words_of(reader)
        numbers = data.draw(st.lists(st.integers(0, len(words.texts) - 1), min_size=1, max_size=6))
        text, ids = words.prompt(numbers), words.ids(numbers)
        assert reader.encoder.prompts([text])[0][-len(ids) :] == ids
        assert words.prompt(numbers).split(" ") == [words.texts[n] for n in numbers]


def test_without_a_vocabulary_there_are_no_words():
    with pytest.raises(ValueError, match="does not tell its vocabulary"):
        words_of(None)


NUMBERS = [10, 200, 30]


def naive_loss(model, asked, place=None, change=None):
    """Each question through the whole model by itself, with ``change`` added to the embedding at
    ``place`` of the prompt.
    """

    def moved(module, inputs, output):
        if change is not None:
            output[0, 1 + place] += change  # the document's first token stands before the prompt
        return output

    hook = model.model.get_input_embeddings().register_forward_hook(moved)
    losses = []
    for question in asked:
        labels = [
            model.tokenizer(word, add_special_tokens=False).input_ids[0]
            for word in question.prompt.candidates
        ]
        with torch.no_grad():
            logits = model.model(
                torch.tensor(model.encoder.prompts([question.prompt.text]))
            ).logits[0, -1, labels]
        losses.append(
            -logits.log_softmax(-1)[
                question.prompt.verbalizer.words.index(question.words[0])
            ].item()
        )
    hook.remove()
    return np.array(losses)


def test_the_gradient_is_that_of_finite_differences(model, objective):
    items = [0, 2, 3]
    found = loss_and_gradient(model, objective, NUMBERS, items)
    asked = objective.questions(words_of(model).prompt(NUMBERS), items)
    assert found.losses.numpy() == pytest.approx(naive_loss(model, asked), abs=1e-4)
    generator = torch.Generator().manual_seed(0)
    for place in range(3):
        way = torch.randn(found.gradient.shape[1], generator=generator)
        way /= way.norm()
        up, down = (naive_loss(model, asked, place, sign * 0.005 * way).mean() for sign in (1, -1))
        assert (up - down) / 0.01 == pytest.approx(
            float(found.gradient[place] @ way), abs=2e-3, rel=0.02
        )


def test_proposed_swaps_rank_with_the_true_change(objective):
    model, alike, chosen = load("gpt-middle", "tiny"), [], []
    every = range(len(words_of(model).texts))
    for prompt, place in (([700, 30, 4], 2), ([90, 512, 3], 0)):
        guessed, true = guessed_and_true(model, objective, prompt, place, every, [0, 3])
        asked = [
            objective.questions(words_of(model).prompt(p), [0, 3])
            for p in (prompt, [*prompt[:place], 77, *prompt[place + 1 :]])
        ]
        before, after = (naive_loss(model, questions).mean() for questions in asked)
        assert true[77] == pytest.approx(after - before, abs=1e-4) and guessed[prompt[place]] == 0
        alike.append(spearmanr(guessed, true).statistic)
        chosen.append((true < true[guessed.argsort()[:20]].min()).mean())
    # words are far apart, so to first order is a rough guess; by chance the rank correlation of
    # n words would be 0 with a standard error of 1 / sqrt(n - 1)
    assert min(alike) > 3 / (len(every) - 1) ** 0.5
    assert np.mean(chosen) < 0.03, "and yet one of twenty proposals is among the best of all words"


@pytest.mark.parametrize("kind", ["gpt2", "llama", "bloom"])
def test_other_architectures_and_longer_labels_have_the_same_loss(kind):
    tokenizer = byte_level()
    model = LanguageModel(toy_model(kind, tokenizer), tokenizer)
    for task in ("sentiment", "capital"):  # labels of several tokens; answers without labels
        objective = answers(task, train=4, test=2, template=PLAIN, wanted_tier="tiny")
        found = loss_and_gradient(model, objective, [5, 9], [0, 1, 2])
        asked = objective.questions(words_of(model).prompt([5, 9]), [0, 1, 2])
        assert found.losses.numpy() == pytest.approx(-likelihoods(model, asked), abs=1e-3)


def test_the_gradient_finds_more_than_chance(model, objective):
    guided, control = (
        search(AutoPrompt(3, batch=4, guided=g), objective, model, 1200, seed=1)
        for g in (True, False)
    )
    assert (guided.method, control.method) == ("AutoPrompt", "random swaps")
    assert guided.steps[-1].score > control.steps[-1].score > control.steps[0].score
    assert guided == search(AutoPrompt(3, batch=4), objective, model, 1200, seed=1)


def test_pez_ends_on_the_best_words_on_its_way(model, objective):
    found = search(Pez(3, batch=4), objective, model, 1000)
    assert [step.score for step in found.steps] == sorted(
        step.score for step in found.steps
    ) and len(found.steps) > 2
    assert set(found.prompt.split()) <= set(words_of(model).texts) and found.calls <= 1000
    pairs = [(found.prompt, item) for item in range(objective.size)]
    assert found.steps[-1].score == pytest.approx(objective.values(model, pairs).mean(), abs=1e-4)


def test_gradients_are_paid_for(model, objective, monkeypatch):
    paid = {}
    for cost in (GRADIENT_CALLS, 0):
        monkeypatch.setattr("course.search.gradient.GRADIENT_CALLS", cost)
        evaluator = BudgetedEvaluator(objective, model, 10_000)
        AutoPrompt(2, tried=1, batch=2, most_steps=5).run(evaluator, 0)
        paid[cost] = evaluator.calls
    assert paid[GRADIENT_CALLS] - paid[0] == 5 * 3 * 2


@pytest.mark.parametrize("method", [AutoPrompt(2), Pez(2)])
def test_what_has_no_gradient_is_refused(model, objective, method):
    with pytest.raises(ValueError, match="Planted has no questions"):
        search(method, Planted(), model, 1000)
    with pytest.raises(ValueError, match="does not tell its vocabulary"):
        search(method, objective, None, 1000)


def test_a_prompt_must_stand_first(model, objective):
    behind = Template("{x} , {y} ;", place="last")
    moved = tuple(
        replace(q, prompt=replace(q.prompt, template=behind, demonstrations=(demonstration(q),)))
        for q in objective.train
    )
    with pytest.raises(ValueError, match="begins with the instruction"):
        loss_and_gradient(model, Answers(moved, objective.test), NUMBERS, range(6))


def demonstration(question):
    from course.world.example import Example

    return Example(question.prompt.query, question.answers[0])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: AutoPrompt(0), "length=0"),
        (lambda: AutoPrompt(tried=0), "tried=0"),
        (lambda: Pez(batch=0), "batch=0"),
        (lambda: Pez(learning_rate=0), "learning_rate=0"),
    ],
)
def test_impossible_settings_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()

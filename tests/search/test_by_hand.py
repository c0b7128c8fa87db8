"""The ideas in a few lines are what the package does."""

from functools import partial

import pytest
import torch

from course.lm.language_model import load
from course.search import (
    BlankFiller,
    BudgetedEvaluator,
    Policy,
    PolicySettings,
    Uniform,
    WrittenPrompts,
    answers,
    best_swap,
    by_hand,
    policy_loss,
    proposals,
    search,
    words_of,
)
from course.search.policy import BASELINES
from course.search.soft import SoftPromptSettings, learn, vectors


@pytest.fixture(scope="module")
def animals():
    return answers("is_animal", 6, 4, measure="likelihood", wanted_tier="tiny")


@pytest.mark.parametrize("place", [0, 2])
def test_a_step_of_hotflip_is_that_of_autoprompt(model, animals, place):
    prompt, items = [10, 200, 30], range(animals.size)
    evaluator = BudgetedEvaluator(animals, model, 1000)
    proposed = proposals(model, animals, prompt, place, items, 8)
    kept = best_swap(evaluator, prompt, place, proposed, items)
    assert by_hand.hotflip_step(model, animals, prompt, place, 8) == kept
    assert len(set(proposed)) == 8 and prompt[place] not in proposed
    changed = [i for i in range(3) if kept[i] != prompt[i]]
    assert set(changed) <= {place} and len(words_of(model).prompt(kept).split()) == 3


def test_a_round_of_written_prompts_finds_the_winner_of_the_search(model, animals):
    writer = BlankFiller(load("bert-middle", "tiny"))
    every_item = partial(Uniform, items_each=animals.size, paired=True)
    method = WrittenPrompts(writer, count=6, resampled=0, best_arm=every_item)
    kept = by_hand.write_score_keep(writer, animals, model, 6, 3)
    assert kept[0] == search(method, animals, model, 1000).prompt and len(kept) <= 3


def test_the_loss_of_the_policy_gradient_is_the_packages(model):
    policy = Policy(model, settings=PolicySettings(start="even"))
    draws = policy.sample(["", "a b"], 4, 3)
    rewards = torch.tensor([[1.0, 2.0, 4.0, 0.0], [3.0, 3.5, 1.0, 2.0]])
    loss = by_hand.policy_gradient_loss(draws.log_probabilities, rewards)
    assert torch.isclose(loss, policy_loss(draws.log_probabilities, rewards, "z-score"))
    others = [policy_loss(draws.log_probabilities, rewards, b) for b in BASELINES if b != "z-score"]
    assert not any(torch.isclose(loss, other) for other in others)


def test_vectors_before_the_input_answer_as_prompt_tuning(model, animals):
    tuned = learn(SoftPromptSettings(length=3, steps=2, looks=1, batch_size=4), animals, model)
    ids = torch.tensor([tuned.model.token_ids(["horse"])])
    by_package = tuned.model.model(input_ids=ids).logits[0, -1]
    assert torch.allclose(
        by_hand.behind_vectors(model.model, vectors(tuned.model), ids), by_package, atol=1e-5
    )

"""A policy over tokens: its probabilities against a naive forward pass, and what it learns from
planted rewards.
"""

import pytest
import torch
from toys import byte_level, toy_model

from course.lm.language_model import LanguageModel
from course.search.policy import BASELINES, Policy, PolicySettings, advantages
from course.search.words import plain_tokens

CONTEXTS = ["", "visitor : where is the church ?", "the red fox", "visitor : where is the school ?"]


def naive(policy: Policy, context: str, ids: list[int]) -> list[float]:
    """Log-probabilities of tokens after a context: the whole text through the whole model, the
    probabilities of all words.
    """
    read = policy.model.encoder.prompts([context])[0]
    with torch.no_grad():
        seen = torch.tensor([read + ids])
        hidden = policy.model.model.base_model(seen).last_hidden_state[0, len(read) - 1 : -1]
        changed = (
            hidden + policy.network(hidden)
            if policy.settings.start == "model"
            else policy.network(hidden)
        )
        logits = policy.model.model.get_output_embeddings()(changed) / policy.settings.temperature
        others = torch.ones(logits.shape[1], dtype=torch.bool)
        others[policy.allowed] = False
        values = logits.masked_fill(others, float("-inf")).log_softmax(-1)
    return [values[i, token].item() for i, token in enumerate(ids)]


def learned(policy: Policy) -> Policy:
    """The policy with other weights than it began with."""
    with torch.no_grad():
        for parameter in policy.network.parameters():
            parameter.add_(
                0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
            )
    return policy


@pytest.mark.parametrize("start", ["model", "even"])
def test_probabilities_are_those_of_a_naive_forward_pass(model, start):
    allowed = plain_tokens(model.tokenizer)[::3]
    policy = learned(Policy(model, allowed, PolicySettings(start=start, temperature=1.5)))
    draws = policy.sample(CONTEXTS, 3, 4)
    assert draws.ids.shape == draws.log_probabilities.shape == (4, 3, 4) and set(
        draws.ids.flatten().tolist()
    ) <= set(allowed)
    for context, rows, values in zip(
        CONTEXTS, draws.ids.tolist(), draws.log_probabilities.tolist(), strict=True
    ):
        for ids, found in zip(rows, values, strict=True):
            assert found == pytest.approx(naive(policy, context, ids), abs=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "bloom"])
def test_other_architectures_are_policies_too(kind):
    tokenizer = byte_level()
    policy = learned(Policy(LanguageModel(toy_model(kind, tokenizer), tokenizer)))
    draws = policy.sample(["", "the red fox"], 2, 3)
    assert draws.log_probabilities[1, 0].tolist() == pytest.approx(
        naive(policy, "the red fox", draws.ids[1, 0].tolist()), abs=1e-3
    )


def test_a_policy_starts_as_its_model_or_knowing_nothing(model):
    (first,) = model.next_word(["the red fox"])
    policy, even = Policy(model), Policy(model, settings=PolicySettings(start="even"))
    draws, blind = policy.sample(["the red fox"], 50, 1), even.sample(["the red fox"], 1, 1)
    wanted = first[draws.ids.flatten()] - first[policy.allowed].logsumexp(0)
    assert torch.allclose(draws.log_probabilities.flatten(), wanted, atol=1e-4)
    assert blind.log_probabilities.exp().item() == pytest.approx(1 / len(even.allowed))
    assert policy.likeliest(["the red fox"], 1) == model.likeliest(first[None])


def test_seeds_repeat(model):
    def run(seed):
        policy = Policy(model, seed=seed)
        for step in range(2):
            draws = policy.sample(["", "a"], 4, 2, seed=step)
            policy.update(draws, [[float(len(text)) for text in texts] for texts in draws.texts])
        return policy.sample([""], 2, 4).log_probabilities

    assert torch.equal(run(0), run(0)) and not torch.equal(run(0), run(1))
    assert (
        Policy(model).sample([""], 8, 4, seed=1).texts
        != Policy(model).sample([""], 8, 4, seed=2).texts
    )


#: What is read, and the word that is rewarded after it.
PLANTED = {"where is the": "guest", "a red fox": "day"}


def planted(draws) -> list[list[int]]:
    """How often each sample has the word that is wanted after its context."""
    return [
        [text.split().count(word) for text in texts]
        for texts, word in zip(draws.texts, PLANTED.values(), strict=True)
    ]


def train(model, settings: PolicySettings, added: float = 0.0, updates: int = 15) -> float:
    """Expected share of the two planted words among what the policy writes in the end; it starts at
    1 in 20.
    """
    words = (
        "red blue green bread yes large narrow wild church school fox dog cat day guest "
        "guide welcome please now away"
    )
    policy = Policy(model, model.token_ids(words.split()), settings)
    for step in range(updates):
        draws = policy.sample([*PLANTED], 12, 2, seed=step)
        rewards = [[added + n for n in counts] for counts in planted(draws)]
        policy.update(draws, rewards)
    return sum(map(sum, planted(policy.sample([*PLANTED], 20, 2, seed=-1)))) / 80


EVEN = PolicySettings(start="even")


def test_a_planted_reward_is_learned_for_each_context(model):
    assert train(model, EVEN) > 0.9


def test_a_constant_added_to_all_rewards_hurts_without_a_baseline_only(model):
    raw = PolicySettings(start="even", baseline="none")
    assert train(model, raw, added=20.0) < train(model, EVEN, added=20.0) - 0.5
    assert train(model, EVEN, added=20.0) == pytest.approx(train(model, EVEN), abs=0.1)


def test_advantages_are_relative_to_the_samples_of_their_context():
    rewards = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [5.0, 5.0, 5.0]])
    assert torch.equal(advantages(rewards, "none"), rewards)
    assert advantages(rewards, "mean").tolist() == [[-1, 0, 1], [-10, 0, 10], [0, 0, 0]]
    normal = advantages(rewards, "z-score")
    assert (
        torch.allclose(normal[0], normal[1])
        and normal[0].std(correction=0).item() == pytest.approx(1)
        and not normal[2].any()
    )


def test_a_penalty_keeps_the_policy_near_its_start_and_a_bonus_keeps_it_open(model):
    def after(**settings):
        policy = Policy(model, settings=PolicySettings(learning_rate=1e-2, **settings))
        for step in range(15):
            draws = policy.sample([""], 16, 3, seed=step)
            found = policy.update(
                draws, [[float(sum(map(len, text.split()))) for text in draws.texts[0]]]
            )
        return found

    free, near, open_minded = after(), after(kl=1.0), after(entropy=1.0)
    assert (
        near.kl < 0.5 * free.kl
        and open_minded.entropy > free.entropy + 1
        and near.reward < free.reward
    )


def test_bad_settings_and_rewards_are_refused(model):
    for wrong in (
        {"start": "cold"},
        {"baseline": "median"},
        {"temperature": 0.0},
        {"kl": -1.0},
        {"learning_rate": 0.0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PolicySettings(**wrong)
    policy = Policy(model)
    draws = policy.sample([""], 2, 1)
    for wrong in ([[1.0]], [[1.0, float("nan")]], [1.0, 2.0]):
        with pytest.raises(ValueError, match="one finite number for each sample"):
            policy.update(draws, wrong)
    with pytest.raises(ValueError, match="at least 1 of each"):
        policy.sample([], 1, 1)
    with pytest.raises(ValueError, match="the window holds"):
        policy.sample(["red " * 250], 1, 20)
    with pytest.raises(ValueError, match="no tokens"):
        Policy(model, [])
    assert set(BASELINES) == {"none", "mean", "z-score"}

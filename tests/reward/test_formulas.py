"""The formulas of chapter 7 against brute force, against one another, and against torch."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.reward import (
    Curve,
    PolicyLoss,
    best_of_n_kl,
    bradley_terry_loss,
    dpo_loss,
    expected_best,
    fit_curve,
    group_advantages,
    kl_estimate,
)
from course.reward.policy_gradient import discounted_by_divergence


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-5, 5)), min_size=1, max_size=7), st.data())
def test_best_of_n_is_the_mean_over_every_choice(replies, data):
    n = data.draw(st.integers(1, len(replies)))
    proxy, value = [p for p, _ in replies], [v for _, v in replies]
    every = []
    for chosen in combinations(range(len(replies)), n):
        best = max(proxy[i] for i in chosen)
        every.append(np.mean([value[i] for i in chosen if proxy[i] == best]))
    # of equal rewards one is taken as often as the other: over all choices, not in each
    naive = np.mean(every)
    ties = len(set(proxy)) < len(proxy)
    found = expected_best(proxy, value, [n])[0]
    assert found == pytest.approx(naive if not ties else _by_shuffles(proxy, value, n), abs=1e-9)


def _by_shuffles(proxy, value, n):
    """Ties broken in each possible way: the mean over all orders of equal rewards."""
    groups = {p: [v for q, v in zip(proxy, value, strict=True) if q == p] for p in proxy}
    averaged = [np.mean(groups[p]) for p in proxy]
    chosen = combinations(range(len(proxy)), n)
    return np.mean([averaged[max(c, key=lambda i: proxy[i])] for c in chosen])


def test_best_of_n_refuses_what_it_cannot_choose_from():
    with pytest.raises(ValueError, match="sizes=4"):
        expected_best([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [4])
    with pytest.raises(ValueError, match="one of each"):
        expected_best([1.0], [0.0, 1.0], [1])


def test_the_divergence_of_best_of_n_is_that_of_the_distribution_of_the_best():
    """Of many equally likely replies, the best of n is the i-th in a share of i^(n-1)."""
    count, n = 4000, 6
    place = np.arange(1, count + 1)
    share = (place / count) ** n - ((place - 1) / count) ** n
    assert best_of_n_kl(n) == pytest.approx(np.sum(share * np.log(share * count)), abs=2e-3)
    assert best_of_n_kl(1) == 0


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_advantages_against_the_loop(method):
    rewards = torch.tensor([[1.0, 2.0, 4.0, 1.0], [0.0, 0.0, 0.0, 5.0]])
    found = group_advantages(rewards, method)
    for row, given_ in zip(found, rewards, strict=True):
        for i, value in enumerate(row):
            others = torch.cat([given_[:i], given_[i + 1 :]])
            naive = {
                "rloo": given_[i] - others.mean(),
                "grpo": (given_[i] - given_.mean()) / (given_.std() + 1e-4),
            }[method]
            assert value == pytest.approx(naive.item(), abs=1e-5)
    assert found.sum(1).abs().max() < 1e-4


def test_the_penalty_comes_off_the_reward_on_its_own_device():
    rewards, log_ratio = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 0.0, 2.0, -2.0])
    found = discounted_by_divergence(rewards, log_ratio, 0.5)
    assert found.tolist() == [[0.5, 2.0], [2.0, 5.0]]
    # rewards come from wherever they are computed, log-ratios from where the policy is
    elsewhere = discounted_by_divergence(rewards.to("meta"), log_ratio, 0.5)
    assert elsewhere.device.type == "meta"


def test_equal_rewards_have_no_advantage_hence_no_gradient():
    log_p = torch.randn(4, 3, requires_grad=True)
    for method in ("rloo", "grpo"):
        advantage = group_advantages(torch.full((1, 4), 7.0), method).flatten()
        loss = PolicyLoss()(log_p, log_p.detach(), log_p.detach(), advantage, torch.ones(4, 3))
        (gradient,) = torch.autograd.grad(loss, log_p)
        assert advantage.abs().max() == 0 and gradient.abs().max() == 0


def test_a_lone_sample_has_no_baseline():
    with pytest.raises(ValueError, match="at least two samples"):
        group_advantages(torch.ones(3, 1), "rloo")
    with pytest.raises(ValueError, match="method='ppo'"):
        group_advantages(torch.ones(3, 2), "ppo")


def test_estimators_of_the_divergence():
    """k1 and k3 have the divergence as their expectation; k1 is below 0 now and then, k3 never."""
    generator = torch.Generator().manual_seed(0)
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.4, 0.4, 0.2])
    exact = (p * (p / q).log()).sum()
    for name in ("k1", "k3"):
        assert (p * kl_estimate(p.log(), q.log(), name)).sum() == pytest.approx(
            exact.item(), abs=1e-6
        )
    drawn = torch.multinomial(p, 40 * 200, replacement=True, generator=generator).view(200, 40)
    batches = {k: kl_estimate(p[drawn].log(), q[drawn].log(), k).mean(1) for k in ("k1", "k3")}
    assert (batches["k1"] < 0).any() and (batches["k3"] >= 0).all()
    assert batches["k3"].std() < batches["k1"].std()


def test_clipping_cuts_the_gradient_where_the_ratio_has_gone_far_enough():
    old, mask = torch.zeros(2, 1), torch.ones(2, 1)
    log_p = torch.tensor([[0.5], [-0.5]], requires_grad=True)
    better, worse = torch.tensor([1.0, 1.0]), torch.tensor([-1.0, -1.0])
    (up,) = torch.autograd.grad(PolicyLoss()(log_p, old, old, better, mask), log_p)
    (down,) = torch.autograd.grad(PolicyLoss()(log_p, old, old, worse, mask), log_p)
    assert up[0] == 0 and up[1] != 0 and down[0] != 0 and down[1] == 0
    (free,) = torch.autograd.grad(PolicyLoss(clip=None)(log_p, old, old, better, mask), log_p)
    assert (free != 0).all()


def test_normalisation_decides_what_a_long_reply_counts():
    mask = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    log_p = torch.zeros(2, 3, requires_grad=True)
    advantage = torch.tensor([1.0, 1.0])
    gradients = {
        name: torch.autograd.grad(
            PolicyLoss(normalisation=name)(
                log_p, torch.zeros(2, 3), torch.zeros(2, 3), advantage, mask
            ),
            log_p,
        )[0]
        for name in ("reply", "token")
    }
    assert torch.allclose(gradients["reply"], -torch.tensor([[0.5, 0, 0], [1 / 6, 1 / 6, 1 / 6]]))
    assert torch.allclose(gradients["token"], -mask / 4)


@settings(max_examples=30)
@given(st.floats(-20, 20), st.floats(-20, 20))
def test_bradley_terry_is_the_cross_entropy_of_the_difference(chosen, rejected):
    a, b = torch.tensor([chosen]).double(), torch.tensor([rejected]).double()
    naive = torch.nn.functional.cross_entropy(torch.stack([a, b], 1), torch.tensor([0]))
    assert bradley_terry_loss(a, b).item() == pytest.approx(naive.item(), abs=1e-9)
    zero = torch.zeros(1).double()
    assert dpo_loss(a, b, zero, zero, 1.0).item() == pytest.approx(naive.item(), abs=1e-9)


def test_a_policy_equal_to_its_reference_has_the_loss_of_a_coin():
    log_p = torch.tensor([-3.0, -9.0])
    assert torch.allclose(
        dpo_loss(log_p, log_p - 1, log_p, log_p - 1, 0.3), torch.tensor(2.0).log()
    )


@pytest.mark.parametrize("method", ["best-of-n", "rl"])
def test_a_curve_is_found_again_and_peaks_where_it_says(method):
    curve = Curve(method, a=1.5, b=0.4)
    divergence = np.linspace(0, 12, 400)
    found = fit_curve(method, divergence, curve.gain(divergence))
    assert (found.a, found.b) == pytest.approx((1.5, 0.4))
    grid = np.linspace(0, 400, 400_001)
    assert found.peak == pytest.approx(grid[curve.gain(grid).argmax()], abs=0.01)
    assert Curve(method, 1.0, -0.1).peak == float("inf")


def test_two_parameters_need_two_points():
    with pytest.raises(ValueError, match="1 different divergences"):
        fit_curve("rl", [0.0, 2.0, 2.0], [0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="method='ppo'"):
        fit_curve("ppo", [1.0, 2.0], [0.0, 1.0])

"""Checkers of chapter 7: advantages, estimators of the divergence, the losses of Bradley-Terry and
DPO, and the clipped objective.
"""

import math
from collections.abc import Callable

import torch

from course.check.verdict import Verdict, cases, judge


def group_advantages(answer: Callable[[torch.Tensor, str], torch.Tensor]) -> Verdict:
    """Check ``group_advantages(rewards, method)``, (prompts, samples) both: with ``"rloo"`` the
    reward less the mean of the *other* samples of its prompt, with ``"grpo"`` less the mean of all
    of them, in standard deviations (n - 1 in the denominator). Rewards that are alike give 0.
    """
    rewards = torch.tensor([[1.0, 2.0, 6.0]])
    two = torch.tensor([[1.0, 2.0, 6.0], [40.0, 10.0, 10.0]])
    pair, alike = torch.tensor([[3.0, 1.0]]), torch.full((1, 4), 2.0)
    hints = {
        "rloo": "the baseline of a sample is the mean of the others, without the sample itself",
        "grpo": "subtract the mean of the group, then divide by its deviation with n - 1",
    }
    within = "every prompt is a group of its own: a row, not the whole table"
    equal = "rewards that are all alike have no advantage, and their deviation is 0"
    return judge(
        "group_advantages",
        answer,
        [
            case
            for method, hint in hints.items()
            for case in (
                *cases(_advantages, hint, {"rewards": rewards, "method": method}),
                *cases(_advantages, within, {"rewards": two, "method": method}),
                *cases(_advantages, hint, {"rewards": pair, "method": method}),
                *cases(_advantages, equal, {"rewards": alike, "method": method}),
            )
        ],
    )


def _advantages(rewards: torch.Tensor, method: str) -> torch.Tensor:
    rows = []
    for row in rewards.tolist():
        mean = sum(row) / len(row)
        if method == "rloo":
            rows.append([r - (sum(row) - r) / (len(row) - 1) for r in row])
        else:
            deviation = math.sqrt(sum((r - mean) ** 2 for r in row) / (len(row) - 1))
            rows.append([(r - mean) / (deviation or 1.0) for r in row])
    return torch.tensor(rows)


def kl_estimate(answer: Callable[[torch.Tensor, torch.Tensor, str], torch.Tensor]) -> Verdict:
    """Check ``kl_estimate(log_p, log_reference, estimator)``: the divergence of the policy from the
    reference at each sampled token, in nats. With x = log_p - log_reference, ``"k1"`` is x,
    ``"k2"`` is x^2 / 2, ``"k3"`` is exp(-x) - 1 + x (Schulman 2020).
    """
    log_p = torch.tensor([-1.0, -2.0, -0.5])
    reference = torch.tensor([-2.0, -1.5, -0.5])
    side = "x is log_p - log_reference: the samples are the policy's, so its log stands first"
    hints = {"k1": side, "k2": "half of the square", "k3": "exp(-x) - 1 + x is never below 0"}
    table = {"log_p": log_p.view(1, 3), "log_reference": reference.view(1, 3)}
    row = {"log_p": log_p, "log_reference": reference}
    return judge(
        "kl_estimate",
        answer,
        [
            *[
                case
                for name, hint in hints.items()
                for case in cases(_kl, hint, row | {"estimator": name}, gradient="log_p")
            ],
            *cases(
                _kl,
                "one value for each token, in the shape of the input: no mean, no sum",
                table | {"estimator": "k3"},
            ),
        ],
    )


def _kl(log_p: torch.Tensor, log_reference: torch.Tensor, estimator: str) -> torch.Tensor:
    x = log_p - log_reference
    return {"k1": x, "k2": x * x / 2, "k3": torch.exp(-x) - 1 + x}[estimator]


_PREFERRED = "minus the log of sigmoid(chosen - rejected): small where the chosen reply is better"
_FAR = "a sigmoid of -200 is 0 and its log is infinite: torch.nn.functional.logsigmoid is not"


def bradley_terry_loss(answer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Verdict:
    """Check ``bradley_terry_loss(chosen, rejected)``: the loss of each comparison, (B,), in nats,
    from the rewards (B,) of its two replies; finite for rewards far apart.
    """
    near = {"chosen": torch.tensor([2.0, 0.0, 1.0]), "rejected": torch.tensor([0.0, 3.0, 1.0])}
    far = {"chosen": torch.tensor([0.0, 200.0]), "rejected": torch.tensor([200.0, 0.0])}
    return judge(
        "bradley_terry_loss",
        answer,
        [
            *cases(_bradley_terry, _PREFERRED, near, gradient="chosen"),
            *cases(_bradley_terry, _FAR, far, gradient="chosen"),
        ],
    )


def _bradley_terry(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    return _minus_log_sigmoid(chosen - rejected)


def _minus_log_sigmoid(margin: torch.Tensor) -> torch.Tensor:
    """log(1 + exp(-margin)), with the larger exponent taken out, element by element."""
    values = []
    for m in margin:
        values.append((1 + torch.exp(-m)).log() if m > 0 else (1 + torch.exp(m)).log() - m)
    return torch.stack(values)


def dpo_loss(answer: Callable[..., torch.Tensor]) -> Verdict:
    """Check ``dpo_loss(chosen, rejected, reference_chosen, reference_rejected, beta)``: the loss of
    each comparison, (B,), in nats, from log-probabilities (B,) of whole replies (Rafailov et al.
    2023).
    """
    given = {
        "chosen": torch.tensor([-4.0, -9.0, -5.0]),
        "rejected": torch.tensor([-6.0, -5.0, -5.0]),
        "reference_chosen": torch.tensor([-5.0, -6.0, -7.0]),
        "reference_rejected": torch.tensor([-5.0, -7.0, -7.0]),
        "beta": 0.5,
    }
    far = given | {"chosen": torch.tensor([-900.0, -4.0, -5.0]), "beta": 1.0}
    hint = (
        "the reward of a reply is beta (log_p - log_reference); then as Bradley and Terry have it"
    )
    return judge(
        "dpo_loss",
        answer,
        [
            *cases(_dpo, hint, given, given | {"beta": 0.1}, gradient="chosen"),
            *cases(_dpo, hint, given, gradient="rejected"),
            *cases(_dpo, _FAR, far, gradient="chosen"),
        ],
    )


def _dpo(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    beta: float,
) -> torch.Tensor:
    margin = (chosen - rejected) - (reference_chosen - reference_rejected)
    return _minus_log_sigmoid(beta * margin)


def clipped_objective(answer: Callable[..., torch.Tensor]) -> Verdict:
    """Check ``clipped_objective(log_p, old, advantages, clip)``: the objective of PPO (Schulman et
    al. 2017) at each token, (replies, tokens), to be maximised: the smaller of ratio times
    advantage and the clipped ratio times advantage, with advantages (replies,).
    """
    log_p = torch.tensor([[-1.0, -2.0, -0.5], [-1.0, -2.0, -0.5]])
    old = torch.tensor([[-1.0, -3.0, -0.6], [-1.0, -3.0, -0.6]])
    given = {"log_p": log_p, "old": old, "advantages": torch.tensor([2.0, 2.0]), "clip": 0.2}
    lower = torch.tensor([[-1.0, -3.0, -0.1], [-1.0, -3.0, -0.1]])
    signs = given | {"old": lower, "advantages": torch.tensor([2.0, -1.0])}
    fresh = given | {"log_p": old.clone(), "advantages": torch.tensor([1.5, -1.0])}
    token = {"log_p": log_p[:1, :1], "old": old[:1, 1:2], "advantages": torch.tensor([1.5])}
    single = given | token
    minimum = "take the smaller of the two products: with a negative advantage clipping works below"
    ratio = "the ratio is exp(log_p - old), and it is clipped to 1 - clip .. 1 + clip"
    same = "where nothing has changed the ratio is 1, and the gradient is the advantage"
    return judge(
        "clipped_objective",
        answer,
        [
            *cases(_clipped, ratio, given, given | {"clip": 0.5}, gradient="log_p"),
            *cases(_clipped, minimum, signs, gradient="log_p"),
            *cases(_clipped, same, fresh, gradient="log_p"),
            *cases(_clipped, "one reply of one token gives (1, 1)", single, gradient="log_p"),
        ],
    )


def _clipped(
    log_p: torch.Tensor, old: torch.Tensor, advantages: torch.Tensor, clip: float
) -> torch.Tensor:
    rows = []
    for new, before, advantage in zip(log_p, old, advantages.tolist(), strict=True):
        row = []
        for a, b in zip(new, before, strict=True):
            ratio = torch.exp(a - b)
            if advantage > 0 and ratio > 1 + clip:
                ratio = 0 * ratio + 1 + clip
            elif advantage < 0 and ratio < 1 - clip:
                ratio = 0 * ratio + 1 - clip
            row.append(ratio * advantage)
        rows.append(torch.stack(row))
    return torch.stack(rows)

"""Policy-gradient loss of sampled replies, with clipping and a KL penalty: the surrogate of PPO
(Schulman et al. 2017) without a value network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course.foundation.validation import check_fields, number, one_of, optional
from course.reward.divergence import ESTIMATORS, kl_estimate

#: What one probability ratio, and with it one clipping, is of: a whole reply (RLOO; its gradient is
#: the sum over the tokens), or a token.
LEVELS = ("reply", "token")
#: How tokens are weighted at the level of tokens: all replies alike (GRPO as published), or all
#: tokens alike, which does not make errors in long replies cheaper (DAPO, Yu et al. 2025).
NORMALISATIONS = ("reply", "token")


@dataclass(frozen=True)
class PolicyLoss:
    """The loss of a policy on replies that it sampled.

    Attributes:
        beta: weight of the penalty for the divergence from the reference, nats times reward.
        estimator: of the divergence, one of :data:`course.reward.divergence.ESTIMATORS`.
        clip: how far the ratio of new to old probability may leave 1 before its gradient is cut;
            None without clipping. With one update for each sampling the ratio is 1.
        level: one of :data:`LEVELS`.
        normalisation: one of :data:`NORMALISATIONS`; the penalty is weighted like the tokens, too.
    """

    beta: float = 0.0
    estimator: str = "k3"
    clip: float | None = 0.2
    level: str = "token"
    normalisation: str = "reply"

    def __post_init__(self) -> None:
        check_fields(
            self,
            beta=number(0),
            estimator=one_of(ESTIMATORS),
            clip=optional(number(above=0)),
            level=one_of(LEVELS),
            normalisation=one_of(NORMALISATIONS),
        )

    def __call__(
        self,
        log_p: torch.Tensor,
        old: torch.Tensor,
        reference: torch.Tensor,
        advantages: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """The loss, a scalar.

        Args:
            log_p: log-probability of each token under the policy, (replies, tokens), in nats.
            old: the same when the replies were sampled, without gradient.
            reference: the same under the reference.
            advantages: of each reply, (replies,).
            mask: 1 at each token of a reply, 0 elsewhere, (replies, tokens).
        """
        log_ratio = log_p - old
        if self.level == "reply":
            log_ratio = (log_ratio * mask).sum(1, keepdim=True)
        ratio = log_ratio.exp()  # (replies, tokens), or (replies, 1)
        gain = ratio * advantages[:, None]
        if self.clip is not None:
            near = ratio.clamp(1 - self.clip, 1 + self.clip) * advantages[:, None]
            gain = torch.minimum(gain, near)
        penalty = self.beta * kl_estimate(log_p, reference, self.estimator) if self.beta else 0.0
        if self.level == "reply":
            return self._weighted(penalty - torch.zeros_like(mask), mask) - gain.mean()
        return self._weighted(penalty - gain, mask)

    def _weighted(self, each: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The mean of a value of each token."""
        if self.normalisation == "token":
            return (each * mask).sum() / mask.sum().clamp(min=1)
        # a reply may have no token at all
        return ((each * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def discounted_by_divergence(
    rewards: torch.Tensor, log_ratio: Sequence[float] | torch.Tensor, beta: float
) -> torch.Tensor:
    """Rewards less beta times the log-ratio of each reply, (prompts, samples): the penalty as part
    of the reward, as RLOO has it (Ahmadian et al. 2024).
    """
    return rewards - beta * torch.as_tensor(log_ratio).to(rewards).view_as(rewards)

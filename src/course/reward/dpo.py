"""Direct preference optimisation (DPO): a policy learns from comparisons without a reward model
(Rafailov et al. 2023).

The reward of a reply is beta times how much likelier the policy makes it than the reference does;
the loss is that of Bradley and Terry for these rewards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course.foundation.validation import number
from course.lm.soundness import evaluating
from course.reward.bradley_terry import bradley_terry_loss
from course.reward.pairs import PairData, token_log_probabilities
from course.training.batches import BatchingPlan, MicroBatch, fingerprint


def dpo_loss(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    beta: float,
) -> torch.Tensor:
    """The loss of each comparison, (B,), from the log-probabilities (B,), in nats, of its two
    replies under the policy and under the reference.
    """
    return bradley_terry_loss(
        beta * (chosen - reference_chosen), beta * (rejected - reference_rejected)
    )


@dataclass(frozen=True)
class DpoData(PairData):
    """Comparisons for a policy; the loss is :func:`dpo_loss`.

    Attributes:
        reference: log-probability, in nats, of (chosen, rejected) of each comparison under the
            reference, computed once: see :func:`reply_log_probabilities`.
        beta: how much the policy is held to the reference; more holds it more.
    """

    reference: tuple[tuple[float, float], ...]
    beta: float

    def __post_init__(self) -> None:
        number(above=0)("beta", self.beta)
        if len(self.reference) != len(self.pairs):
            raise ValueError(
                f"{len(self.pairs)} comparisons and {len(self.reference)} log-probabilities of the "
                "reference: expected (chosen, rejected) for each comparison"
            )

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.pairs, self.reference, self.beta)

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        log_p = batch_log_probabilities(model, batch)  # (2 B,)
        kept = [self.reference[i] for i in batch.tensors["examples"].tolist()]
        reference = torch.tensor(kept, device=log_p.device).T  # (2, B)
        chosen, rejected = log_p.chunk(2)
        return dpo_loss(chosen, rejected, reference[0], reference[1], self.beta).sum()


def batch_log_probabilities(model: torch.nn.Module, batch: MicroBatch) -> torch.Tensor:
    """Log-probability, in nats, of each reply of a micro-batch after its prompt, (2 B,): the sum
    over its tokens.
    """
    log_p, in_reply = token_log_probabilities(model, batch.tensors)
    return (log_p * in_reply).sum(1)


@torch.inference_mode()
def reply_log_probabilities(
    model: torch.nn.Module, data: PairData, plan: BatchingPlan
) -> tuple[tuple[float, float], ...]:
    """Log-probability, in nats, of (chosen, rejected) of each comparison under the model without
    dropout; the reference of :class:`DpoData`.
    """
    kept: dict[int, tuple[float, float]] = {}
    device = next(model.parameters()).device
    everything: Sequence[int] = range(len(data.pairs))
    for batch in data.micro_batches(everything, plan):
        with evaluating(model):
            chosen, rejected = batch_log_probabilities(model, batch.to(device)).chunk(2)
        examples = batch.tensors["examples"].tolist()
        kept |= dict(
            zip(examples, zip(chosen.tolist(), rejected.tolist(), strict=True), strict=True)
        )
    return tuple(kept[i] for i in everything)

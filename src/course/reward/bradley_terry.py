"""The Bradley-Terry loss: a reward model learns from comparisons (Bradley and Terry 1952; Ouyang et
al. 2022).

The model gives each reply one number. That the first of two is preferred has the probability
sigmoid(difference), so the loss of a comparison is minus the logarithm of that.
"""

import torch
from torch.nn.functional import logsigmoid

from course.reward.pairs import PairData
from course.training.batches import BatchingPlan, MicroBatch


def bradley_terry_loss(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    """The loss of each comparison, (B,), in nats, from the rewards (B,) of its two replies."""
    return -logsigmoid(chosen - rejected)


class RewardData(PairData):
    """Comparisons for a reward model, a classifier with one label; the loss is
    :func:`bradley_terry_loss`.
    """

    def summed_loss(
        self, model: torch.nn.Module, batch: MicroBatch, plan: BatchingPlan
    ) -> torch.Tensor:
        rows = {name: batch.tensors[name] for name in ("input_ids", "attention_mask")}  # (2 B, T)
        rewards = model(**rows).logits[:, 0].float()  # (2 B,)
        return bradley_terry_loss(*rewards.chunk(2)).sum()

"""Reward models: a language model with a head of one number, learned from comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.models.loading import load_tokenizer, load_with_head
from course.reward.bradley_terry import RewardData
from course.reward.pairs import encode_pairs, encode_replies, mask_of, padding_of
from course.reward.preferences import Comparison
from course.training.fitting import FitSettings, History, fit

#: Most tokens, padding included, that are scored at once.
_BATCH_TOKENS = 16_384


@dataclass(frozen=True)
class RewardModel:
    """A learned reward: a number for each reply to a prompt. Only differences mean something.

    Attributes:
        model: a sequence classifier with one label.
        tokenizer: of its base.
        history: of its training, None for one that was loaded.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    history: History | None = None

    @torch.inference_mode()
    def score(self, prompts: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        """The reward of each reply to its prompt, (replies,).

        Raises:
            ValueError: if there are not as many prompts as replies, or one is too long.
        """
        pairs = list(zip(prompts, replies, strict=True))
        encoded = encode_replies(self.tokenizer, pairs)
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        rewards, pad = np.zeros(len(encoded)), padding_of(self.tokenizer)
        for part in _parts(order, [len(reply.ids) for reply in encoded]):
            width = max(len(encoded[i].ids) for i in part)
            ids = [[*encoded[i].ids, *[pad] * (width - len(encoded[i].ids))] for i in part]
            lengths = torch.tensor([len(encoded[i].ids) for i in part])
            tensors = {"input_ids": torch.tensor(ids), "attention_mask": mask_of(lengths, width)}
            on_device = {name: t.to(self.model.device) for name, t in tensors.items()}
            rewards[part] = self.model(**on_device).logits[:, 0].float().cpu().numpy()
        return rewards

    def probability(self, comparisons: Sequence[Comparison]) -> np.ndarray:
        """How probable it is to the model that the chosen reply of each comparison is the preferred
        one, (comparisons,): sigmoid of the difference of their rewards.
        """
        prompts = [c.prompt for c in comparisons]
        chosen = self.score(prompts, [c.chosen for c in comparisons])
        rejected = self.score(prompts, [c.rejected for c in comparisons])
        return 1 / (1 + np.exp(rejected - chosen))

    def accuracy(self, comparisons: Sequence[Comparison]) -> float:
        """Share of comparisons whose chosen reply has the higher reward; half of a tie counts."""
        probability = self.probability(comparisons)
        return float(np.mean((probability > 0.5) + 0.5 * (probability == 0.5)))


def _parts(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """``order``, shortest first, cut where a batch is full."""
    parts: list[list[int]] = [[]]
    for i in order:
        if parts[-1] and (len(parts[-1]) + 1) * lengths[i] > _BATCH_TOKENS:
            parts.append([])
        parts[-1].append(i)
    return parts


def learn_reward(
    name: str,
    comparisons: Sequence[Comparison],
    settings: FitSettings | None = None,
    validate: Sequence[Comparison] | None = None,
    wanted_tier: str | None = None,
) -> RewardModel:
    """A reward model from comparisons: the named model's body under a fresh head of one number, all
    of it trained.

    Args:
        name: as for :func:`course.models.load_model`.
        validate: held-out comparisons; training keeps the weights with the lowest loss on them.
        settings: how to train; its seed decides on the head's first weights, too.

    Raises:
        ValueError: as :func:`course.models.load_model` and :func:`course.reward.encode_pairs`.
    """
    from transformers import AutoModelForSequenceClassification

    settings = settings or FitSettings()
    tokenizer = load_tokenizer(name, wanted_tier)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        model = load_with_head(
            name,
            AutoModelForSequenceClassification,
            wanted_tier=wanted_tier,
            num_labels=1,
            pad_token_id=padding_of(tokenizer),
        )
    pad = padding_of(tokenizer)
    data = RewardData(encode_pairs(tokenizer, comparisons), pad)
    held_out = RewardData(encode_pairs(tokenizer, validate), pad) if validate else None
    history = fit(model, data, settings, validate=held_out)
    return RewardModel(model, tokenizer, history)

"""Reward models: a language model with a head of one number, learned from comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.models.loading import load_tokenizer, load_with_head
from course.reward.bradley_terry import RewardData
from course.reward.pairs import encode_pairs, encode_replies, padded
from course.reward.preferences import Comparison
from course.training.batches import batching_plan, pad_id, similar_lengths
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History

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
        """The reward of each reply to its prompt, (replies,); the same reply is read once.

        What is scored is mostly sampled, and a policy may write anything: unknown words are read as
        such, without a warning.

        Raises:
            ValueError: if there are not as many prompts as replies, or one is too long.
        """
        pairs = list(zip(prompts, replies, strict=True))
        different = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
        encoded = encode_replies(self.tokenizer, list(different), unknown="allow")
        rewards, pad = np.zeros(len(encoded)), pad_id(self.tokenizer)
        plan = batching_plan(self.model, _BATCH_TOKENS)
        for part in similar_lengths([len(reply.ids) for reply in encoded], plan):
            rows = padded([encoded[i] for i in part], pad)
            inputs = {n: rows[n].to(self.model.device) for n in ("input_ids", "attention_mask")}
            rewards[part] = self.model(**inputs).logits[:, 0].float().cpu().numpy()
        return rewards[[different[pair] for pair in pairs]]

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
        return share_right(self.probability(comparisons))


def share_right(probability: np.ndarray) -> float:
    """The accuracy that follows from :meth:`RewardModel.probability` of comparisons."""
    return float(np.mean((probability > 0.5) + 0.5 * (probability == 0.5)))


def learn_reward(
    name: str,
    comparisons: Sequence[Comparison],
    settings: FitSettings | None = None,
    validate: Sequence[Comparison] | None = None,
    wanted_tier: str | None = None,
    unknown: str = "warn",
) -> RewardModel:
    """A reward model from comparisons: the named model's body under a fresh head of one number, all
    of it trained.

    Args:
        name: as for :func:`course.models.load_model`.
        validate: held-out comparisons; training keeps the weights with the lowest loss on them.
        settings: how to train; its seed decides on the head's first weights, too.
        unknown: what to do about words of the comparisons that the tokenizer does not know, see
            :func:`course.training.completions`.

    Raises:
        ValueError: as :func:`course.models.load_model` and :func:`course.reward.encode_pairs`.
    """
    from transformers import AutoModelForSequenceClassification

    settings = settings or FitSettings()
    tokenizer = load_tokenizer(name, wanted_tier)
    pad = pad_id(tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        model = load_with_head(
            name,
            AutoModelForSequenceClassification,
            wanted_tier=wanted_tier,
            num_labels=1,
            pad_token_id=pad,
        )
    encode = partial(encode_pairs, tokenizer, unknown=unknown)
    data = RewardData(encode(comparisons), pad)
    held_out = RewardData(encode(validate), pad) if validate else None
    history = fit(model, data, settings, validate=held_out)
    return RewardModel(model, tokenizer, history)

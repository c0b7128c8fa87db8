"""Samples of a policy with their log-probabilities under it and under its reference, and the
figures of such samples: rewards, KL, length, diversity.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course.foundation.validation import shown
from course.lm.contract import Sample
from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel
from course.reward.ledger import Entry
from course.reward.pairs import EncodedReply, encode_replies
from course.reward.shared_prompts import reply_token_log_probabilities

#: The reward of each reply to its prompt: ``reward(prompts, replies)``, (replies,).
Reward = Callable[[Sequence[str], Sequence[str]], np.ndarray]


def rewards_of(reward: Reward, prompts: Sequence[str], replies: Sequence[str]) -> np.ndarray:
    """The reward of each reply, (replies,).

    Raises:
        ValueError: for a reward that is anything but a finite number for each reply.
    """
    values = np.asarray(reward(prompts, replies), float)
    if values.shape != (len(replies),) or not np.isfinite(values).all():
        raise ValueError(
            f"the reward of {len(replies)} replies is {shown(values.tolist())}, of shape "
            f"{values.shape}: expected a finite number for each reply"
        )
    return values


@dataclass(frozen=True)
class Rollout:
    """The samples of a step.

    Attributes:
        prompts: one for each sample.
        replies: the samples, those to one prompt side by side.
        encoded: prompt and reply as tokens, with the stop where one was written. They are read
            again from the text: with the shipped models just the tokens that were sampled, with a
            tokenizer of other rules nearly so (a stop after no space is read with one).
        log_p: log-probability of each token of a reply under the policy that sampled it, with its
            gradient, and
        reference: under the reference, (replies, tokens), in nats.
        mask: 1 at each token of a reply, (replies, tokens).
    """

    prompts: list[str]
    replies: list[str]
    encoded: list[EncodedReply]
    log_p: torch.Tensor
    reference: torch.Tensor
    mask: torch.Tensor

    @property
    def log_ratio(self) -> torch.Tensor:
        """Of each reply, (replies,), in nats."""
        return ((self.log_p.detach() - self.reference) * self.mask).sum(1)


def roll_out(policy: LanguageModel, prompts: Sequence[str], sampling: GenerationConfig) -> Rollout:
    """Samples of a policy that has an adapter; the reference is the model without it.

    Args:
        sampling: with the number of samples for each prompt, and one text at which they stop.

    Raises:
        ValueError: for samples that stop at no text, or at one of several.
    """
    if len(sampling.stop) != 1:
        raise ValueError(
            f"stop={sampling.stop!r}: expected one text that ends a reply, which the policy learns "
            "to write"
        )
    written = policy.generate(prompts, sampling)
    pairs = [(p, sample) for p, group in zip(prompts, written, strict=True) for sample in group]
    encoded = _encoded(policy, pairs, sampling)
    log_p, mask = reply_token_log_probabilities(policy, encoded, sampling.temperature)
    with torch.no_grad(), policy.model.disable_adapter():
        reference, _ = reply_token_log_probabilities(policy, encoded, sampling.temperature)
    replies = [sample.text.strip() for _, sample in pairs]
    return Rollout([p for p, _ in pairs], replies, encoded, log_p, reference, mask)


def _encoded(
    policy: LanguageModel, pairs: Sequence[tuple[str, Sample]], sampling: GenerationConfig
) -> list[EncodedReply]:
    """Samples after their prompts, with the stop, or the end of the text, if one was reached."""
    (stop,) = sampling.stop
    tails = {"stop": f" {stop}"}
    texts = [(p, f"{s.text.strip()}{tails.get(s.finish, '')}") for p, s in pairs]
    end = policy.tokenizer.eos_token_id
    encoded = encode_replies(policy.tokenizer, texts, unknown="allow")
    return [
        EncodedReply((*reply.ids, end), reply.start) if sample.finish == "end" else reply
        for reply, (_, sample) in zip(encoded, pairs, strict=True)
    ]


def measured(
    step: int,
    rollout: Rollout,
    proxy: np.ndarray,
    gold: Reward | None,
    declines: Callable[[str], bool] | None,
    seconds: float,
) -> Entry:
    """The figures of a rollout, as a line of a ledger."""
    groups: dict[str, list[str]] = {}
    for prompt, reply in zip(rollout.prompts, rollout.replies, strict=True):
        groups.setdefault(prompt, []).append(reply)
    true = gold(rollout.prompts, rollout.replies) if gold else [float("nan")]
    lengths = rollout.mask.sum(1)
    return Entry(
        step=step,
        proxy=float(np.mean(proxy)),
        gold=float(np.mean(true)),
        kl=float(rollout.log_ratio.mean()),
        length=float(lengths.mean()),
        distinct=float(np.mean([len(set(group)) / len(group) for group in groups.values()])),
        declined=float(np.mean([declines(r) for r in rollout.replies])) if declines else 0.0,
        seconds=seconds,
        tokens=int(lengths.sum()),
    )

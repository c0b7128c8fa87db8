"""Reinforcement learning of a policy from a reward: sample, compare within each prompt, update.

The policy is a language model with an adapter (LoRA). Its reference is the same model with the
adapter switched off: nothing is read again from the disk, so a model that was tuned in memory is
held to itself. The prompts of a step are read once for all their samples.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel

from course.foundation.progress import progress_bar
from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number, one_of, text
from course.lm.contract import Sample
from course.lm.language_model import LanguageModel
from course.reward.advantages import METHODS, group_advantages
from course.reward.ledger import Entry, Ledger
from course.reward.pairs import EncodedReply, encode_replies, padded, token_log_probabilities
from course.reward.policy_gradient import PolicyLoss, discounted_by_divergence
from course.training.batches import pad_id
from course.training.checkpoints import RunCheckpoint
from course.training.schedule import rate_at

#: The reward of each reply to its prompt: ``reward(prompts, replies)``, (replies,).
Reward = Callable[[Sequence[str], Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class OnlineSettings:
    """How a policy is trained.

    Attributes:
        method: one of :data:`course.reward.advantages.METHODS`.
        beta: weight of the KL penalty; RLOO takes it off the reward, GRPO adds it to the loss.
        steps: updates, each on fresh samples.
        prompts: prompts of a step.
        samples: replies to each prompt.
        learning_rate: the peak learning rate of AdamW.
        warmup_ratio: see :class:`course.training.FitSettings`.
        max_grad_norm: largest norm of the gradient.
        temperature: at which replies are sampled.
        max_tokens: most tokens of a reply.
        stop: text that ends a reply; the policy learns to write it.
        seed: of the prompts of each step and of the samples.
    """

    method: str = "rloo"
    beta: float = 0.05
    steps: int = 60
    prompts: int = 32
    samples: int = 8
    learning_rate: float = 2e-3
    warmup_ratio: float = 0.1
    max_grad_norm: float = 1.0
    temperature: float = 1.0
    max_tokens: int = 48
    stop: str = "\n"
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(
            self,
            method=one_of(METHODS),
            beta=number(0),
            steps=integer(1),
            prompts=integer(1),
            samples=integer(2),
            learning_rate=number(above=0),
            warmup_ratio=number(0, 1),
            max_grad_norm=number(above=0),
            temperature=number(above=0),
            max_tokens=integer(1),
            stop=text(),
            seed=integer(),
        )


@dataclass(frozen=True)
class Rollout:
    """The samples of a step.

    Attributes:
        prompts: one for each sample.
        replies: the samples, those to one prompt side by side.
        encoded: prompt and reply as tokens, with the stop where one was written.
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


@dataclass
class OnlineTraining:
    """One run.

    Args:
        policy: a language model with an adapter, whose trainable parameters learn.
        reward: what is optimised.
        prompts: those of a step are drawn from them.
        settings: how to train.
        gold: the true reward, which the ledger records and nothing learns from.
        declines: whether a reply declines to answer, for the ledger.
        ledger: where the figures of each step go.
    """

    policy: LanguageModel
    reward: Reward
    prompts: Sequence[str]
    settings: OnlineSettings = field(default_factory=OnlineSettings)
    gold: Reward | None = None
    declines: Callable[[str], bool] | None = None
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        if not isinstance(self.policy.model, PeftModel):
            raise TypeError(
                f"the policy is a {type(self.policy.model).__name__}: expected a model with an "
                "adapter, whose reference is the model without it; see course.adapters.adapt"
            )
        if not self.prompts:
            raise ValueError("no prompts to train on: expected at least one")
        self._trainable = {
            name: p for name, p in self.policy.model.named_parameters() if p.requires_grad
        }
        self._optimizer = torch.optim.AdamW(
            self._trainable.values(), lr=self.settings.learning_rate, weight_decay=0.0
        )

    def train(
        self,
        checkpoint: Path | None = None,
        checkpoint_seconds: float = 120.0,
        stop_after: int | None = None,
        bar: bool | None = None,
    ) -> Ledger:
        """Train to the end, from the checkpoint if there is one.

        Args:
            checkpoint: file from which the run goes on if it exists, and which is written while it
                runs.
            stop_after: leave after this step, as if the run had been stopped there.
            bar: show a progress bar (default: if somebody watches).

        Raises:
            ValueError: for a checkpoint of another run or damaged.
        """
        kept = self._kept(checkpoint, checkpoint_seconds) if checkpoint else None
        step = self._resumed(kept) if kept else 0
        end = self.settings.steps if stop_after is None else min(stop_after, self.settings.steps)
        with progress_bar(self.settings.method, step, end, bar) as shown:
            for number_of in range(step, end):
                entry = self.step(number_of)
                self.ledger.add(entry)
                if kept and (number_of + 1 == end or kept.is_due()):
                    kept.save({"policy": self._trainable}, {"step": number_of + 1})
                shown.set_postfix(proxy=f"{entry.proxy:.2f}", kl=f"{entry.kl:.2f}", refresh=False)
                shown.update()
        return self.ledger

    def step(self, number_of: int) -> Entry:
        """One update on fresh samples; the figures of these samples."""
        started = time.perf_counter()
        rollout = self.rollout(number_of)
        proxy = self.reward(rollout.prompts, rollout.replies)
        self._update(rollout, torch.as_tensor(proxy, dtype=torch.float32), number_of)
        return self._entry(number_of, rollout, proxy, time.perf_counter() - started)

    def rollout(self, number_of: int) -> Rollout:
        """The samples of a step, from the policy as it is."""
        settings = self.settings
        rng = Rng(f"online/{settings.seed}/{number_of}")
        prompts = list(self.prompts)
        chosen = [rng.choice(prompts) for _ in range(settings.prompts)]
        written = self.policy.generate(
            chosen,
            n=settings.samples,
            temperature=settings.temperature,
            stop=settings.stop,
            max_tokens=settings.max_tokens,
            seed=rng.randrange(2**31),
        )
        pairs = [(p, sample) for p, group in zip(chosen, written, strict=True) for sample in group]
        encoded = self._encoded(pairs)
        log_p, mask = self._log_probabilities(encoded)
        with torch.no_grad(), self.policy.model.disable_adapter():
            reference, _ = self._log_probabilities(encoded)
        replies = [sample.text.strip() for _, sample in pairs]
        return Rollout([p for p, _ in pairs], replies, encoded, log_p, reference, mask)

    def _encoded(self, pairs: Sequence[tuple[str, Sample]]) -> list[EncodedReply]:
        """Samples after their prompts, as they were written: with the stop, or the end of the text,
        if one was reached.
        """
        tails = {"stop": f" {self.settings.stop}"}
        texts = [(p, f"{s.text.strip()}{tails.get(s.finish, '')}") for p, s in pairs]
        end = self.policy.tokenizer.eos_token_id
        encoded = encode_replies(self.policy.tokenizer, texts, unknown="allow")
        return [
            EncodedReply((*reply.ids, end), reply.start) if sample.finish == "end" else reply
            for reply, (_, sample) in zip(encoded, pairs, strict=True)
        ]

    def _log_probabilities(
        self, encoded: Sequence[EncodedReply]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows = padded(encoded, pad_id(self.policy.tokenizer))
        on_device = {name: tensor.to(self.policy.model.device) for name, tensor in rows.items()}
        return token_log_probabilities(self.policy.model, on_device, self.settings.temperature)

    def _update(self, rollout: Rollout, rewards: torch.Tensor, number_of: int) -> None:
        """One optimiser step."""
        settings = self.settings
        grouped = rewards.view(settings.prompts, settings.samples)
        in_loss = settings.method == "grpo"
        if not in_loss:
            grouped = discounted_by_divergence(grouped, rollout.log_ratio, settings.beta)
        advantage = group_advantages(grouped, settings.method).flatten()
        loss_of = PolicyLoss(beta=settings.beta) if in_loss else PolicyLoss(level="reply")
        # one update a rollout: the policy is still the one that sampled
        log_p, old = rollout.log_p, rollout.log_p.detach()
        loss = loss_of(log_p, old, rollout.reference, advantage.to(log_p.device), rollout.mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trainable.values(), settings.max_grad_norm)
        rate = rate_at(number_of, settings.steps, settings.warmup_ratio)
        self._optimizer.param_groups[0]["lr"] = settings.learning_rate * rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def _entry(self, number_of: int, rollout: Rollout, proxy: np.ndarray, seconds: float) -> Entry:
        samples, replies = self.settings.samples, rollout.replies
        groups = [replies[i : i + samples] for i in range(0, len(replies), samples)]
        gold = self.gold(rollout.prompts, replies) if self.gold else [float("nan")]
        lengths = rollout.mask.sum(1)
        return Entry(
            step=number_of,
            proxy=float(np.mean(proxy)),
            gold=float(np.mean(gold)),
            kl=float(rollout.log_ratio.mean()),
            length=float(lengths.mean()),
            distinct=float(np.mean([len(set(group)) / len(group) for group in groups])),
            declined=float(np.mean([self.declines(r) for r in replies])) if self.declines else 0.0,
            seconds=seconds,
            tokens=int(lengths.sum()),
        )

    def _kept(self, path: Path, seconds: float) -> RunCheckpoint:
        identity = {
            "settings": str(asdict(self.settings)),
            "parameters": " ".join(sorted(self._trainable)),
        }
        return RunCheckpoint(
            path, identity, [self._optimizer], seconds, "delete it, or write to another file"
        )

    def _resumed(self, kept: RunCheckpoint) -> int:
        """The step to go on from; the policy and the optimiser are as they were there."""
        if (stored := kept.resume()) is None:
            return 0
        weights, progress = stored
        with torch.no_grad():
            for name, value in weights["policy"].items():
                self._trainable[name].copy_(value)
        return progress["step"]

"""Reinforcement learning of a policy from a reward: sample, compare within each prompt, update.

The policy is a language model with an adapter (LoRA). Its reference is the same model with the
adapter switched off: nothing is read again from the disk, so a model that was tuned in memory is
held to itself. The prompts of a step are read once for all their samples.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from peft import PeftModel

from course.foundation.progress import progress_bar
from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number, one_of, text
from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel
from course.reward.advantages import METHODS, group_advantages
from course.reward.ledger import Entry, Ledger
from course.reward.policy_gradient import PolicyLoss, discounted_by_divergence
from course.reward.rollout import Reward, Rollout, measured, rewards_of, roll_out
from course.training.batches import fingerprint
from course.training.checkpoints import RunCheckpoint
from course.training.schedule import rate_at


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

    def sampling(self, seed: int) -> GenerationConfig:
        """How the replies of a step are drawn."""
        return GenerationConfig(
            n=self.samples,
            temperature=self.temperature,
            stop=self.stop,
            max_tokens=self.max_tokens,
            seed=seed,
        )


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
        proxy = rewards_of(self.reward, rollout.prompts, rollout.replies)
        self._update(rollout, torch.as_tensor(proxy, dtype=torch.float32), number_of)
        seconds = time.perf_counter() - started
        return measured(number_of, rollout, proxy, self.gold, self.declines, seconds)

    def rollout(self, number_of: int) -> Rollout:
        """The samples of a step, from the policy as it is."""
        rng = Rng(f"online/{self.settings.seed}/{number_of}")
        prompts = list(self.prompts)
        chosen = [rng.choice(prompts) for _ in range(self.settings.prompts)]
        return roll_out(self.policy, chosen, self.settings.sampling(rng.randrange(2**31)))

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

    def _kept(self, path: Path, seconds: float) -> RunCheckpoint:
        identity = {
            "settings": str(asdict(self.settings)),
            "parameters": " ".join(sorted(self._trainable)),
            "prompts": fingerprint(*self.prompts),
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

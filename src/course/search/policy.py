"""Policy over tokens, trained by the policy gradient (REINFORCE).

As in RLPrompt (Deng et al. 2022) a frozen language model reads what has been written so far, a
small network changes its last hidden state, and the model's own output embedding turns that into
the next token. The frozen part is read once, while sampling; an update goes through the small
network alone. Unlike RLPrompt, which learns by soft Q-learning, this one follows the policy
gradient (REINFORCE; Williams 1992), with rewards made comparable within the samples of one context.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import DynamicCache

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number, one_of
from course.lm.language_model import LanguageModel
from course.models.peft_wrapper import get_base_model
from course.search.words import plain_tokens

#: What a policy writes before it is trained: what its language model would, or every token with the
#: same probability.
STARTS = ("model", "even")
#: Rewards as they are, or within the samples of a context: less their mean, and then divided by
#: their standard deviation.
BASELINES = ("none", "mean", "z-score")
#: Which token to write: positions among those allowed, (samples, 1), from the log-probabilities,
#: (samples, allowed).
Chooser = Callable[[torch.Tensor], torch.Tensor]
#: Rewards whose standard deviation is below this are alike.
_ALIKE = 1e-6


@dataclass(frozen=True)
class PolicySettings:
    """How a policy is built and how it learns.

    Attributes:
        width: of the hidden layer of the small network.
        start: one of :data:`STARTS`.
        temperature: that logits are divided by, when the policy samples and when it learns.
        learning_rate: of AdamW.
        baseline: one of :data:`BASELINES`.
        entropy: weight of a bonus for the entropy of the next token, in nats: it keeps the policy
            exploring.
        kl: weight of a penalty for the divergence from what the policy was at the start, in nats a
            token.
        max_grad_norm: longest gradient; a longer one is shortened to it.
    """

    width: int = 64
    start: str = "model"
    temperature: float = 1.0
    learning_rate: float = 3e-3
    baseline: str = "z-score"
    entropy: float = 0.0
    kl: float = 0.0
    max_grad_norm: float = 1.0

    def __post_init__(self) -> None:
        check_fields(
            self,
            width=integer(1),
            start=one_of(STARTS),
            temperature=number(above=0),
            learning_rate=number(above=0),
            baseline=one_of(BASELINES),
            entropy=number(0),
            kl=number(0),
            max_grad_norm=number(above=0),
        )


@dataclass(frozen=True)
class Draws:
    """Samples of a policy: ``count`` of ``length`` tokens for each context.

    Attributes:
        texts: of each context's samples, (contexts, count).
        ids: tokens, (contexts, count, length).
        log_probabilities: of each token under the policy, (contexts, count, length), in nats.
        hidden: last hidden state of the frozen model before each token, (contexts, count, length,
            model width).
    """

    texts: tuple[tuple[str, ...], ...]
    ids: torch.Tensor
    log_probabilities: torch.Tensor
    hidden: torch.Tensor


@dataclass(frozen=True)
class Update:
    """Figures of a policy before one of its updates.

    Attributes:
        reward: the mean over the samples.
        entropy: of the next token, in nats, the mean over the samples' tokens.
        kl: the divergence from the start, in nats a token.
    """

    reward: float
    entropy: float
    kl: float


def advantages(rewards: torch.Tensor, baseline: str) -> torch.Tensor:
    """How much better each sample is than the others of its context, (contexts, samples) as
    ``rewards``.

    With ``"z-score"`` they are in standard deviations of the context's own samples (Deng et al.
    2022), so that all contexts count alike. Rewards that are all alike have no advantage.
    """
    if baseline == "none":
        return rewards
    centred = rewards - rewards.mean(1, keepdim=True)
    if baseline == "mean":
        return centred
    spread = rewards.std(1, correction=0, keepdim=True)
    return torch.where(spread > _ALIKE, centred / spread.clamp(min=_ALIKE), 0.0)


def policy_loss(log_p: torch.Tensor, rewards: torch.Tensor, baseline: str) -> torch.Tensor:
    """The loss whose gradient is the policy gradient (REINFORCE, Williams 1992): minus the mean of
    advantage times log-probability.

    Args:
        log_p: of each token written, (contexts, samples, length), in nats.
        rewards: of each sample, (contexts, samples).
        baseline: one of :data:`BASELINES`.
    """
    return -(advantages(rewards, baseline)[..., None] * log_p).mean()


class Policy:
    """A distribution over token sequences, given a text, that can be trained by rewards.

    Args:
        model: what reads; it is not changed.
        allowed: ids of the tokens that may be written (default: all but the special ones).
        settings: how it is built and how it learns.
        seed: of the small network's first weights.
    """

    def __init__(
        self,
        model: LanguageModel,
        allowed: Sequence[int] | None = None,
        settings: PolicySettings | None = None,
        seed: int = 0,
    ):
        self.model, self.settings = model, settings or PolicySettings()
        self._core, device = get_base_model(model.model), model.model.device
        self.allowed = torch.tensor(
            sorted(plain_tokens(model.tokenizer) if allowed is None else set(allowed)),
            device=device,
        )
        if not len(self.allowed):
            raise ValueError("no tokens that the policy may write: expected at least one")
        output = self._core.get_output_embeddings()
        self._output = output.weight[self.allowed].detach().float()  # (A, D)
        self._bias = None if output.bias is None else output.bias[self.allowed].detach().float()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_number(f"policy/{seed}"))
            self.network = nn.Sequential(
                nn.Linear(self._output.shape[1], self.settings.width),
                nn.ReLU(),
                nn.Linear(self.settings.width, self._output.shape[1]),
            ).to(device)
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.settings.learning_rate, weight_decay=0.0
        )

    def log_probabilities(self, hidden: torch.Tensor) -> torch.Tensor:
        """Of every allowed token as the next one, (..., allowed), in nats, from hidden states (...,
        model width).
        """
        changed = self.network(hidden) + (hidden if self.settings.start == "model" else 0.0)
        return self._distribution(changed)

    def first_log_probabilities(self, hidden: torch.Tensor) -> torch.Tensor:
        """As :meth:`log_probabilities`, before the policy had learned anything."""
        return self._distribution(
            hidden if self.settings.start == "model" else torch.zeros_like(hidden)
        )

    def _distribution(self, hidden: torch.Tensor) -> torch.Tensor:
        bias = self._bias if self.settings.start == "model" else None
        return (
            nn.functional.linear(hidden, self._output, bias) / self.settings.temperature
        ).log_softmax(-1)

    def sample(self, contexts: Sequence[str], count: int, length: int, seed: int = 0) -> Draws:
        """Write after each context; equal arguments give equal draws.

        Args:
            contexts: the texts that it reads first; an empty one is the beginning of a document.
            count: samples of each context.
            length: tokens of each sample.

        Raises:
            ValueError: for no contexts, a count or length below 1, or a context that leaves no room
                in the model's window.
        """
        source = torch.Generator().manual_seed(_number(f"policy/sample/{seed}"))

        def choose(log_probabilities: torch.Tensor) -> torch.Tensor:
            return torch.multinomial(log_probabilities.exp().cpu(), 1, generator=source)

        return self._write(contexts, count, length, choose)

    def likeliest(self, contexts: Sequence[str], length: int) -> list[str]:
        """One text for each context: token by token the likeliest."""
        draws = self._write(
            contexts,
            1,
            length,
            lambda log_probabilities: log_probabilities.argmax(-1, keepdim=True),
        )
        return [text for (text,) in draws.texts]

    def update(self, draws: Draws, rewards: np.ndarray | Sequence[Sequence[float]]) -> Update:
        """One step of the policy gradient on what the policy has just written.

        Args:
            draws: of :meth:`sample`, from the policy as it is now.
            rewards: of each sample, (contexts, count); more is better.

        Raises:
            ValueError: if the rewards are not finite, or not one for each sample.
        """
        given = self._checked(draws, rewards)
        now = self.log_probabilities(draws.hidden)  # (contexts, count, length, allowed)
        with torch.no_grad():
            first = self.first_log_probabilities(draws.hidden)
        taken = now.gather(-1, self._places(draws.ids)).squeeze(-1)  # (contexts, count, length)
        loss = policy_loss(taken, given, self.settings.baseline)
        entropy = -(now.exp() * now).sum(-1).mean()
        divergence = (now.exp() * (now - first)).sum(-1).mean()
        self._step(divergence * self.settings.kl - entropy * self.settings.entropy + loss)
        return Update(given.mean().item(), entropy.item(), divergence.item())

    def _checked(
        self, draws: Draws, rewards: np.ndarray | Sequence[Sequence[float]]
    ) -> torch.Tensor:
        given = torch.as_tensor(rewards, dtype=torch.float32, device=draws.hidden.device)
        if given.shape != draws.ids.shape[:2] or not given.isfinite().all():
            raise ValueError(
                f"rewards of shape {tuple(given.shape)}: expected one finite number for each"
                f" sample, {tuple(draws.ids.shape[:2])}"
            )
        return given

    def _step(self, loss: torch.Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.max_grad_norm)
        self._optimizer.step()

    def _places(self, ids: torch.Tensor) -> torch.Tensor:
        """Where each token stands among the allowed ones, (..., 1)."""
        return torch.searchsorted(self.allowed, ids.to(self.allowed.device))[..., None]

    @torch.no_grad()
    def _write(self, contexts: Sequence[str], count: int, length: int, choose: Chooser) -> Draws:
        if not contexts or count < 1 or length < 1:
            raise ValueError(
                f"{len(contexts)} contexts, count={count}, length={length}:"
                " expected at least 1 of each"
            )
        read = self.model.encoder.prompts(contexts)
        for context, ids in zip(contexts, read, strict=True):
            if len(ids) + length - 1 > self.model.window:
                raise ValueError(
                    f"{context[:40]!r}… has {len(ids)} tokens, with {length} to write:"
                    f" the window holds {self.model.window}"
                )
        groups: dict[int, list[int]] = {}
        for i, ids in enumerate(read):
            groups.setdefault(len(ids), []).append(i)
        order = [i for group in groups.values() for i in group]
        written = [
            self._write_alike([read[i] for i in group], count, length, choose)
            for group in groups.values()
        ]
        back = torch.tensor(order).argsort()
        tokens, values, hidden = (
            torch.cat(parts)[back.to(parts[0].device)] for parts in zip(*written, strict=True)
        )
        texts = tuple(
            tuple(self.model.encoder.text(context, row).strip(" ") for row in rows)
            for context, rows in zip(read, tokens.tolist(), strict=True)
        )
        return Draws(texts, tokens, values, hidden)

    def _write_alike(
        self, read: list[list[int]], count: int, length: int, choose: Chooser
    ) -> tuple[torch.Tensor, ...]:
        """Ids, log-probabilities and hidden states for contexts of one length; each is read once
        for all its samples.
        """
        device, cache = self._core.device, DynamicCache()
        state = self._core.base_model(
            torch.tensor(read, device=device), past_key_values=cache, use_cache=True
        ).last_hidden_state[:, -1]
        state = state.repeat_interleave(count, 0)  # (contexts * count, D)
        cache.batch_repeat_interleave(count)
        ids, values, hidden = [], [], []
        for i in range(length):
            hidden.append(state.float())
            log_probabilities = self.log_probabilities(hidden[-1])
            place = choose(log_probabilities).to(device)  # (contexts * count, 1)
            ids.append(self.allowed[place])
            values.append(log_probabilities.gather(1, place))
            if i + 1 < length:
                state = self._core.base_model(
                    ids[-1], past_key_values=cache, use_cache=True
                ).last_hidden_state[:, -1]
        shape = (len(read), count, length)
        return (
            torch.cat(ids, 1).view(shape),
            torch.cat(values, 1).view(shape),
            torch.stack(hidden, 1).view(*shape, -1),
        )


def _number(key: str) -> int:
    """A seed for torch that a text decides."""
    return int(Rng(key).random() * 2**53)

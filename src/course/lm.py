"""Talking to a model: text in, text or probabilities out. The generalist's door.

:meth:`LanguageModel.score` gives the probability of continuations, :meth:`LanguageModel.generate` writes them. Prompts that share a
beginning (the same demonstrations for many queries, the same query for several labels, many samples of one prompt) are read once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.decoding import Draft, Job, Prompted, Settings, decode, prompted_rows
from course.encoding import Encoder
from course.models import load_model, load_tokenizer
from course.predict import Predictor
from course.prefixes import Node, Tree, build_tree
from course.reading import ROW, TreeReader

#: Positions whose logits are computed at once; a large vocabulary would fill the memory otherwise.
_AT_ONCE = 512


@dataclass(frozen=True)
class Sample:
    """One continuation of a prompt.

    Attributes:
        text: what was written, up to the stop text if one was met.
        tokens: how many tokens were generated, those of the stop included.
        log_probability: of these tokens under the model (at temperature 1), in nats.
        finish: ``"stop"`` (a stop text), ``"end"`` (the model ended the text) or ``"length"``.
    """

    text: str
    tokens: int
    log_probability: float
    finish: str


class TextModel(ABC):
    """What the prompting chapters need of a model, wherever it runs: :class:`LanguageModel` here, or a served one."""

    @abstractmethod
    def generate(self, prompts: Sequence[str], **settings) -> list[list[Sample]]:
        """Continuations of each prompt; see :meth:`LanguageModel.generate`."""

    @abstractmethod
    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats."""

    def score_labels(self, prompts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        """Log-probability of every label after every prompt, (prompts, labels); see :meth:`score`."""
        every = self.score([prompt for prompt in prompts for _ in labels], [*labels] * len(prompts))
        return every.reshape(len(prompts), len(labels))


def check_pairs(prompts: Sequence[str], continuations: Sequence[str]) -> None:
    """Refuse prompts and continuations that do not go in pairs."""
    if len(prompts) != len(continuations):
        raise ValueError(f"{len(prompts)} prompts, {len(continuations)} continuations: expected one continuation for each prompt")


class LanguageModel(Predictor, TextModel):
    """A causal model with its tokenizer, spoken to in text.

    Args:
        model: a causal language model of ``transformers``, or a ``peft`` model around one.
        tokenizer: its tokenizer.
        batch_tokens: how many tokens one forward pass may hold, padding included.
        chat: whether prompts are a user's messages (default: if the tokenizer has a chat template).
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch_tokens: int = 16_384, chat: bool | None = None):
        super().__init__(model, tokenizer, batch_tokens)
        self.encoder = Encoder(tokenizer, chat)
        self.reader = TreeReader(model, batch_tokens)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats, summed over its tokens.

        The two texts are joined as they are: to score the word ``yes`` after ``is it red ?`` pass ``" yes"``.

        Raises:
            ValueError: if there are not as many prompts as continuations; for an empty continuation, one with an unknown
                word, and a pair that is longer than the window.
        """
        return np.array([values.sum() for values in self.score_tokens(prompts, continuations)])

    def score_tokens(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Log-probability of each token of each continuation, in nats; see :meth:`score`."""
        check_pairs(prompts, continuations)
        if not prompts:
            return []
        pairs = self.encoder.pairs(prompts, continuations)
        for prompt, (context, rest) in zip(prompts, pairs, strict=True):
            # the last token is asked for, never read
            self._check_length(prompt, len(context) + len(rest) - 1)
        found = [np.empty(len(rest)) for _, rest in pairs]
        for entries, logits in self._answers([context + rest[:-1] for context, rest in pairs], pairs):
            values = logits.float().log_softmax(-1)
            picked = values[torch.arange(len(entries)), [token for _, token, _, _ in entries]].tolist()
            for value, (_, _, pair, k) in zip(picked, entries, strict=True):
                found[pair][k] = value
        return found

    def _answers(self, read: list[list[int]], pairs: list[tuple[list[int], list[int]]]):
        """((place, token, pair, number in the continuation) entries, logits (entries, V)) for all tokens of all continuations."""
        if not self.reader.works:
            for rows, padded, seen in self._batches(read):
                logits = self._forward(padded, seen)
                for row, i in enumerate(rows):
                    first = len(pairs[i][0]) - 1
                    yield [(first + k, token, i, k) for k, token in enumerate(pairs[i][1])], logits[row, first : len(read[i])]
            return
        tree = build_tree(read)
        wanted: dict[Node, list] = {}
        for i, (context, rest) in enumerate(pairs):
            for k, token in enumerate(rest):
                node, place = tree.at(i, len(context) - 1 + k)
                wanted.setdefault(node, []).append((place, token, i, k))
        yield from self._read(tree, wanted)

    def _read(self, tree: Tree, wanted: dict[Node, list]):
        """(entries, logits (entries, V)) for all wanted entries, so many at once that a large vocabulary does not fill the memory."""
        for entries, hidden in self.reader.hidden(tree, wanted):
            for first in range(0, len(entries), _AT_ONCE):
                with torch.inference_mode():
                    logits = self.reader.logits(hidden[first : first + _AT_ONCE])
                yield entries[first : first + _AT_ONCE], logits

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            ValueError: for a prompt longer than the window.
        """
        if not self.reader.works or not prompts:
            return super().next_word(prompts)
        tree = build_tree([self._ids(prompt) for prompt in prompts])
        wanted: dict[Node, list] = {}
        for i, leaf in enumerate(tree.leaves):
            wanted.setdefault(leaf, []).append((len(leaf.tokens) - 1, i))
        found = [torch.empty(0)] * len(prompts)
        for entries, logits in self._read(tree, wanted):
            for (_, i), row in zip(entries, logits.float().log_softmax(-1).cpu(), strict=True):
                found[i] = row
        return torch.stack(found)

    def generate(
        self,
        prompts: Sequence[str],
        n: int = 1,
        temperature: float = 0.0,
        stop: str | Sequence[str] = (),
        seed: int = 0,
        max_tokens: int = 64,
        until: Callable[[list[str]], bool] | None = None,
    ) -> list[list[Sample]]:
        """Continuations of each prompt: the likeliest tokens at temperature 0, else ``n`` samples.

        A sample depends on the seed, its prompt and its number alone, not on what is generated beside it.

        Args:
            stop: texts at which a continuation ends; they are no part of it.
            max_tokens: the most tokens that a continuation may have.
            until: given the texts of the samples so far, in their order, says whether they are enough; it is asked after every sample.
                The samples after the one that settled it are not returned, and mostly never begun.

        Returns:
            For each prompt its samples, ``n`` or, with ``until``, as many as it took.

        Raises:
            ValueError: for ``n`` or ``max_tokens`` below 1, a negative temperature, several samples at temperature 0, an empty stop
                text, or a prompt that leaves no room for ``max_tokens`` in the window.
        """
        settings = Settings(n, temperature, (stop,) if isinstance(stop, str) else tuple(stop), seed, max_tokens, until)
        if not prompts:
            return []
        contexts = self.encoder.prompts(prompts)
        for prompt, ids in zip(prompts, contexts, strict=True):
            self._check_length(prompt, len(ids), max_tokens - 1)
        jobs = settings.jobs(contexts, self.encoder.text, self._end_ids())
        if self.reader.works:
            self._write(contexts, jobs, settings)
        else:
            for job in jobs:
                self._write_plainly(job, settings)
        return [[Sample(d.text, len(d.ids), d.log_probability, d.finish) for d in job.kept()] for job in jobs]

    def _write(self, contexts: list[list[int]], jobs: list[Job], settings: Settings) -> None:
        tree = build_tree(contexts)
        ending: dict[Node, list[Job]] = {}
        for job, leaf in zip(jobs, tree.leaves, strict=True):
            ending.setdefault(leaf, []).append(job)
        most = settings.n * settings.max_tokens

        def weight(node: Node) -> int:
            """Keys that a subtree adds to its row in the end."""
            return node.size + node.ends * most

        waiting: list[Prompted] = []
        for reading in self.reader.read(tree, ROW, weight, keep=True):
            waiting += prompted_rows(self.reader, reading, ending)
            if sum(row.keys + most * len(row.ends) for row in waiting) > self.batch_tokens:
                decode(self.reader, waiting, settings)
                waiting = []
        decode(self.reader, waiting, settings)

    def _write_plainly(self, job: Job, settings: Settings) -> None:
        """For architectures that cannot read a tree: the whole text once for every token."""
        while drafts := job.next_drafts():
            for draft in drafts:
                self._finish_plainly(job, draft, settings)

    def _finish_plainly(self, job: Job, draft: Draft, settings: Settings) -> None:
        while draft.finish is None:
            ids = torch.tensor([job.context + draft.ids])
            (token,), (value,) = settings.choose(self._forward(ids, torch.ones_like(ids))[:, -1], [draft])
            job.add(draft, token, value)

    def _end_ids(self) -> frozenset[int]:
        """Tokens with which the model ends a text."""
        ends = [self.tokenizer.eos_token_id]
        if (config := getattr(self.model, "generation_config", None)) is not None and config.eos_token_id is not None:
            ends += config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
        return frozenset(ends) - {None}

    def _check_length(self, prompt: str, tokens: int, more: int = 0) -> None:
        if tokens + more > self.window:
            asked = f", with {more + 1} more to write," if more else ""
            raise ValueError(
                f"the prompt {prompt[:40]!r}… has {tokens} tokens{asked} and the window holds {self.window}; "
                f"shorten it (fewer demonstrations){' or ask for fewer tokens' if more else ''}"
            )


def load(name: str, wanted_tier: str | None = None) -> Predictor:
    """A pretrained model with its tokenizer, by its role: a :class:`LanguageModel`, or a :class:`Predictor` for BERT.

    Arguments and errors: :func:`course.models.load_model`.
    """
    kind = Predictor if name.startswith("bert") else LanguageModel
    return kind(load_model(name, wanted_tier), load_tokenizer(name, wanted_tier))

"""Talking to a model: text in, text or probabilities out. The generalist's door.

:meth:`LanguageModel.score` gives the probability of continuations, :meth:`LanguageModel.generate`
writes them. Prompts that share a beginning (the same demonstrations for many queries, the same
query for several labels, many samples of one prompt) are read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.lm.contract import Sample, TextModel, check_pairs
from course.lm.decoding import (
    NotANumber,
    Prompted,
    Request,
    SampleState,
    choose,
    decode,
    prompted_rows,
    requests,
    samples_at_once,
)
from course.lm.generation_config import GenerationConfig
from course.lm.predictor import CausalLM, MaskedLM
from course.lm.prefill import ROW, PrefixTreeRunner
from course.lm.prefix_tree import Node, Tree, build_tree
from course.lm.soundness import evaluating, fills_blanks, not_a_number
from course.lm.tokenization import Encoder, checked_texts
from course.models.loading import load_model, load_tokenizer

#: Positions whose logits are computed at once; a large vocabulary would fill the memory otherwise.
_AT_ONCE = 512


class LanguageModel(CausalLM, TextModel):
    """A causal model with its tokenizer, spoken to in text.

    A model in training mode is put into evaluation mode while it is asked (no dropout), and back
    afterwards. Text is text: a prompt with ``[END]`` or ``<|im_end|>`` in it has no special token;
    only a chat template brings its own.

    Args:
        model: a causal language model of ``transformers``, or a ``peft`` model around one.
        tokenizer: its tokenizer.
        batch_tokens: how many tokens one forward pass may hold, padding included.
        chat: whether prompts are a user's messages (default: if the tokenizer has a chat template).
        unknown: what to do about words in prompts that the tokenizer does not know: ``"warn"``
            (with their share), ``"refuse"`` or ``"allow"``. In a continuation to be scored they are
            always refused.

    Raises:
        ValueError: for a model that does not continue texts (BERT, T5) or a tokenizer that is not
            the model's, as far as that can be seen; for ``chat`` without a chat template, and for
            another ``unknown``.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        batch_tokens: int = 16_384,
        chat: bool | None = None,
        unknown: str = "warn",
    ):
        super().__init__(model, tokenizer, batch_tokens, unknown)
        self.encoder = Encoder(tokenizer, chat, unknown)
        self._unknown = self.encoder.unknown  # so that a word is told once
        self.reader = PrefixTreeRunner(model, batch_tokens)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats, summed over its
        tokens.

        The two texts are joined as they are: to score the word ``yes`` after ``is it red ?`` pass
        ``" yes"``. After an empty prompt the whole text is scored: every token counts, the first
        one after the token with which documents begin.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: if there are not as many prompts as continuations; for an empty
                continuation, one with an unknown word, and a pair that is longer than the window.
            NotANumberError: if the model's logits are none.
        """
        return np.array([values.sum() for values in self.score_tokens(prompts, continuations)])

    def score_tokens(
        self, prompts: Sequence[str], continuations: Sequence[str]
    ) -> list[np.ndarray]:
        """Log-probability of each token of each continuation, in nats; see :meth:`score`."""
        check_pairs(prompts, continuations)
        if not prompts:
            return []
        pairs = self.encoder.pairs(prompts, continuations)
        for prompt, (context, rest) in zip(prompts, pairs, strict=True):
            # the last token is asked for, never read
            self._check_length(prompt, len(context) + len(rest) - 1)
        found = [np.empty(len(rest)) for _, rest in pairs]
        with evaluating(self.model):
            for entries, logits in self._answers(
                [context + rest[:-1] for context, rest in pairs], pairs
            ):
                values = logits.float().log_softmax(-1)
                picked = values[
                    torch.arange(len(entries)), [token for _, token, _, _ in entries]
                ].tolist()
                for value, (_, _, pair, k) in zip(picked, entries, strict=True):
                    found[pair][k] = value
        for values, (context, rest) in zip(found, pairs, strict=True):
            if np.isnan(values).any():
                raise not_a_number(self.model, context + rest[:-1])
        return found

    def _answers(self, read: list[list[int]], pairs: list[tuple[list[int], list[int]]]):
        """((place, token, pair, number in the continuation) entries, logits (entries, V)) for all
        tokens of all continuations.
        """
        if not self.reader.supports_tree_attention:
            for rows, padded, seen in self._batches(read):
                logits = self._forward(padded, seen)
                for row, i in enumerate(rows):
                    first = len(pairs[i][0]) - 1
                    yield (
                        [(first + k, token, i, k) for k, token in enumerate(pairs[i][1])],
                        logits[row, first : len(read[i])],
                    )
            return
        tree = build_tree(read)
        wanted: dict[Node, list] = {}
        for i, (context, rest) in enumerate(pairs):
            for k, token in enumerate(rest):
                node, place = tree.at(i, len(context) - 1 + k)
                wanted.setdefault(node, []).append((place, token, i, k))
        yield from self._read(tree, wanted)

    def _read(self, tree: Tree, wanted: dict[Node, list]):
        """(entries, logits (entries, V)) for all wanted entries, so many at once that a large
        vocabulary does not fill the memory.
        """
        for entries, hidden in self.reader.hidden(tree, wanted):
            for first in range(0, len(entries), _AT_ONCE):
                with torch.inference_mode():
                    logits = self.reader.logits(hidden[first : first + _AT_ONCE])
                yield entries[first : first + _AT_ONCE], logits

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: for a prompt longer than the window.
            NotANumberError: if the model's logits are none.
        """
        if not self.reader.supports_tree_attention:
            return super().next_word(prompts)
        ids = self._checked_ids(prompts, "prompts")
        if not ids:
            return self._no_rows()
        tree = build_tree(ids)
        wanted: dict[Node, list] = {}
        for i, leaf in enumerate(tree.leaves):
            wanted.setdefault(leaf, []).append((len(leaf.tokens) - 1, i))
        found = [torch.empty(0)] * len(ids)
        with evaluating(self.model):
            for entries, logits in self._read(tree, wanted):
                for (_, i), row in zip(entries, logits.float().log_softmax(-1).cpu(), strict=True):
                    found[i] = row
        return self._checked_numbers(torch.stack(found), ids)

    def generate(
        self, prompts: Sequence[str], config: GenerationConfig | None = None, **changes: Any
    ) -> list[list[Sample]]:
        """Continuations of each prompt: the likeliest tokens at temperature 0, else ``n`` samples.

        A sample is drawn by four things alone: the seed, its prompt, how many equal prompts stand
        before that one in ``prompts``, and the number of the sample. So a prompt that is given
        twice gets different samples, and what else is generated beside it, in which order and in
        which batches, changes nothing.

        Arguments and returns: :meth:`TextModel.generate`.

        Raises:
            TypeError, ValueError: as :meth:`TextModel.generate`; ValueError also for a prompt that
                leaves no room for ``max_tokens`` in the window.
            NotANumberError: if the model's logits are none.
        """
        config = GenerationConfig.resolve(config, changes)
        prompts = checked_texts(prompts, "prompts")
        if not prompts:
            return []
        contexts = self.encoder.prompts(prompts)
        for prompt, ids in zip(prompts, contexts, strict=True):
            self._check_length(prompt, len(ids), config.max_tokens - 1)
        jobs = requests(config, contexts, self.encoder.text, self._end_ids())
        try:
            with evaluating(self.model):
                self._write_all(contexts, jobs, config)
        except NotANumber as error:
            raise not_a_number(self.model, error.ids) from None
        return [
            [Sample(d.text, len(d.ids), d.log_probability, d.finish) for d in job.kept()]
            for job in jobs
        ]

    def _write_all(
        self, contexts: list[list[int]], jobs: list[Request], config: GenerationConfig
    ) -> None:
        if self.reader.supports_tree_attention:
            self._write(contexts, jobs, config)
        else:
            for job in jobs:
                self._write_plainly(job, config)

    def _write(
        self, contexts: list[list[int]], jobs: list[Request], config: GenerationConfig
    ) -> None:
        tree = build_tree(contexts)
        ending: dict[Node, list[Request]] = {}
        for job, leaf in zip(jobs, tree.leaves, strict=True):
            ending.setdefault(leaf, []).append(job)
        most = min(config.n, samples_at_once(config, [])) * config.max_tokens

        def weight(node: Node) -> int:
            """Keys that a subtree adds to its row in the end."""
            return node.size + node.ends * most

        waiting: list[Prompted] = []
        for reading in self.reader.read(tree, ROW, weight, keep=True):
            waiting += prompted_rows(self.reader, reading, ending)
            if sum(row.keys + most * len(row.ends) for row in waiting) > self.batch_tokens:
                decode(self.reader, waiting, config)
                waiting = []
        decode(self.reader, waiting, config)

    def _write_plainly(self, job: Request, config: GenerationConfig) -> None:
        """For architectures that cannot read a tree: the whole text once for every token."""
        while drafts := job.next_drafts():
            for draft in drafts:
                self._finish_plainly(job, draft, config)

    def _finish_plainly(self, job: Request, draft: SampleState, config: GenerationConfig) -> None:
        while draft.finish is None:
            ids = torch.tensor([job.context + draft.ids])
            (token,), (value,) = choose(
                self._forward(ids, torch.ones_like(ids))[:, -1], [draft], config
            )
            job.add(draft, token, value)

    def _end_ids(self) -> frozenset[int]:
        """Tokens with which the model ends a text."""
        ends = [self.tokenizer.eos_token_id]
        if (
            config := getattr(self.model, "generation_config", None)
        ) is not None and config.eos_token_id is not None:
            ends += (
                config.eos_token_id
                if isinstance(config.eos_token_id, list)
                else [config.eos_token_id]
            )
        return frozenset(ends) - {None}

    def _check_length(self, prompt: str, tokens: int, more: int = 0) -> None:
        if tokens + more > self.window:
            asked = f", with {more + 1} more to write," if more else ""
            raise ValueError(
                f"the prompt {prompt[:40]!r}… has {tokens} tokens{asked} and the window holds {self.window}; "
                f"shorten it (fewer demonstrations){' or ask for fewer tokens' if more else ''}"
            )


@overload
def load(name: Literal["bert-middle"], wanted_tier: str | None = None) -> MaskedLM: ...  # type: ignore[overload-overlap]
@overload
def load(name: str, wanted_tier: str | None = None) -> LanguageModel: ...
def load(name: str, wanted_tier: str | None = None) -> LanguageModel | MaskedLM:
    """A pretrained model with its tokenizer, by name: a :class:`LanguageModel`, or a
    :class:`MaskedLM` for BERT.

    Arguments and errors: :func:`course.models.load_model`.
    """
    model, tokenizer = load_model(name, wanted_tier), load_tokenizer(name, wanted_tier)
    return (MaskedLM if fills_blanks(model) else LanguageModel)(model, tokenizer)

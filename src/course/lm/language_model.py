"""Score and generate text with a causal language model.

:meth:`LanguageModel.score` gives the log-probability of continuations,
:meth:`LanguageModel.generate` writes them. Prompts that share a beginning (the same demonstrations
for many queries, the same query for several labels, many samples of one prompt) are read once:

1. :mod:`course.lm.tokenization` turns prompts into token ids.
2. :mod:`course.lm.prefix_tree` puts each distinct prefix once into a tree, and the tree into rows.
3. :mod:`course.lm.prefill` reads the rows, with a mask for the tree, into a KV cache.
4. ``score`` stops here: a score is the log-softmax of the logits at the token before.
5. :mod:`course.lm.decoding` writes samples behind the prompts, from that cache.

An architecture that cannot read a tree (a sliding window, ALiBi) gets a row for every text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import torch

from course.foundation.progress import progress_bar
from course.lm.contract import Sample, TextModel, check_pairs
from course.lm.decoding import PromptRow, decode, prompt_rows
from course.lm.generation_config import GenerationConfig
from course.lm.predictor import CausalLM, MaskedLM
from course.lm.prefill import ROW, AnyRequest, PrefixTreeRunner, ScoreRequest, last_tokens
from course.lm.prefix_tree import Node, Tree, build_tree
from course.lm.sample_state import (
    NotANumber,
    Request,
    choose_tokens,
    requests_for,
    samples_at_once,
)
from course.lm.soundness import evaluating, fills_blanks, not_a_number
from course.lm.tokenization import Encoder
from course.models.loading import load_model, load_tokenizer
from course.models.text import checked_texts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

#: Positions whose logits are computed at once; a large vocabulary would fill the memory otherwise.
_AT_ONCE = 512
#: A bar appears after so many seconds: most calls are done by then.
_DELAY = 2.0


class LanguageModel(CausalLM, TextModel):
    """A causal language model with its tokenizer: score and generate text.

    A model in training mode is in evaluation mode during a call (no dropout), and back in training
    mode afterwards. Text is text: a prompt with ``[END]`` or ``<|im_end|>`` in it has no special
    token; only a chat template brings its own.

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
        self.runner = PrefixTreeRunner(model, batch_tokens)

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
        # the last token is scored, never read
        read = [context + continuation[:-1] for context, continuation in pairs]
        for prompt, ids in zip(prompts, read, strict=True):
            self._check_length(prompt, len(ids))
        scores = [np.empty(len(continuation)) for _, continuation in pairs]
        total = sum(map(len, scores))
        bar = progress_bar("scoring", 0, total, unit="token", delay=_DELAY)
        with bar, evaluating(self.model):
            for requests, rows, logits in self._scored_logits(read, pairs):
                log_probabilities = logits.float().log_softmax(-1)  # (places, V)
                values = log_probabilities[rows, [request.token for request in requests]].tolist()
                for request, value in zip(requests, values, strict=True):
                    scores[request.sequence][request.number] = value
                bar.update(len(requests))
        for row, ids in zip(scores, read, strict=True):
            if np.isnan(row).any():
                raise not_a_number(self.model, ids)
        return scores

    def _scored_logits(
        self, read: list[list[int]], pairs: list[tuple[list[int], list[int]]]
    ) -> Iterator[tuple[list[ScoreRequest], list[int], torch.Tensor]]:
        """(requests, the row of each, logits (rows, V)) for all tokens of all continuations; the
        first tokens of all labels of a prompt are read off the same row.

        Args:
            read: what the model reads of each pair.
            pairs: (context, continuation).
        """
        if not self.runner.supports_tree_attention:
            yield from self._scored_logits_plainly(read, pairs)
            return
        tree = build_tree(read)
        at: dict[tuple[Node, int], list[ScoreRequest]] = {}
        for pair, (context, continuation) in enumerate(pairs):
            for number, token in enumerate(continuation):
                # a token is predicted at the one before it
                node, index = tree.at(pair, len(context) - 1 + number)
                at.setdefault((node, index), []).append(ScoreRequest(index, pair, token, number))
        wanted: dict[Node, list[ScoreRequest]] = {}
        for (node, _), same in at.items():
            wanted.setdefault(node, []).append(same[0])
        every = {same[0]: same for same in at.values()}
        for places, logits in self._logits(tree, wanted):
            requests = [request for place in places for request in every[place]]
            rows = [row for row, place in enumerate(places) for _ in every[place]]
            yield requests, rows, logits

    def _scored_logits_plainly(
        self, read: list[list[int]], pairs: list[tuple[list[int], list[int]]]
    ) -> Iterator[tuple[list[ScoreRequest], list[int], torch.Tensor]]:
        """The same for architectures that cannot read a tree: a row for every pair."""
        for rows, padded, attention_mask in self._batches(read):
            logits = self._forward(padded, attention_mask)  # (B, T, V)
            for row, pair in enumerate(rows):
                context, continuation = pairs[pair]
                first = len(context) - 1
                requests = [
                    ScoreRequest(first + number, pair, token, number)
                    for number, token in enumerate(continuation)
                ]
                yield requests, [*range(len(requests))], logits[row, first : len(read[pair])]

    def _logits(
        self, tree: Tree, wanted: dict[Node, list[AnyRequest]]
    ) -> Iterator[tuple[list[AnyRequest], torch.Tensor]]:
        """(requests, logits (requests, V)) for all requests, so many at once that a large
        vocabulary does not fill the memory.
        """
        for requests, hidden in self.runner.hidden(tree, wanted):
            for first in range(0, len(requests), _AT_ONCE):
                with torch.inference_mode():
                    logits = self.runner.logits(hidden[first : first + _AT_ONCE])
                yield requests[first : first + _AT_ONCE], logits

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: for a prompt longer than the window.
            NotANumberError: if the model's logits are none.
        """
        if not self.runner.supports_tree_attention:
            return super().next_word(prompts)
        ids = self._checked_ids(prompts, "prompts")
        if not ids:
            return self._no_rows()
        tree = build_tree(ids)
        rows = [torch.empty(0)] * len(ids)
        with evaluating(self.model):
            for requests, logits in self._logits(tree, last_tokens(tree)):
                log_probabilities = logits.float().log_softmax(-1).cpu()  # (requests, V)
                for request, row in zip(requests, log_probabilities, strict=True):
                    rows[request.sequence] = row
        return self._checked_numbers(torch.stack(rows), ids)

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
        # 1. settings and prompts, checked
        config = GenerationConfig.resolve(config, changes)
        prompts = checked_texts(prompts, "prompts")
        if not prompts:
            return []
        # 2. text to ids, with room in the window for what is to be written
        contexts = self.encoder.prompts(prompts)
        for prompt, ids in zip(prompts, contexts, strict=True):
            self._check_length(prompt, len(ids), config.max_tokens - 1)
        # 3. a request for every prompt: its stream of draws, its samples, its stops
        most = len(contexts) * config.n * config.max_tokens
        bar = progress_bar("writing", 0, most, unit="token", delay=_DELAY)
        requests = requests_for(contexts, config, self.encoder.text, self._end_ids(), bar.update)
        # 4. prefill and decoding, which write the samples into the requests
        try:
            with bar, evaluating(self.model):
                self._fulfil(requests, config)
        except NotANumber as error:
            raise not_a_number(self.model, error.ids) from None
        # 5. what was written, as text
        return [[s.as_sample() for s in request.kept()] for request in requests]

    def _fulfil(self, requests: list[Request], config: GenerationConfig) -> None:
        if self.runner.supports_tree_attention:
            self._fulfil_by_tree(requests, config)
        else:
            for request in requests:
                self._fulfil_plainly(request, config)

    def _fulfil_by_tree(self, requests: list[Request], config: GenerationConfig) -> None:
        """Read the tree of the prompts, and write the samples of as many rows as a batch holds."""
        tree = build_tree([request.context for request in requests])
        ending: dict[Node, list[Request]] = {}
        for request, leaf in zip(requests, tree.leaves, strict=True):
            ending.setdefault(leaf, []).append(request)
        # keys that the samples of a prompt come to
        most = min(config.n, samples_at_once(config, [])) * config.max_tokens

        def weight(node: Node) -> int:
            """Keys that a subtree adds to its row in the end."""
            return node.size + node.ends * most

        waiting: list[PromptRow] = []
        for prefill in self.runner.prefill(tree, ROW, weight, keep=True):
            waiting += prompt_rows(self.runner, prefill, ending)
            if sum(row.num_keys + most * len(row.ends) for row in waiting) > self.batch_tokens:
                decode(self.runner, waiting, config)
                waiting = []
        decode(self.runner, waiting, config)

    def _fulfil_plainly(self, request: Request, config: GenerationConfig) -> None:
        """For architectures that cannot read a tree: the whole text once for every token."""
        while samples := request.next_samples():
            for sample in samples:
                while sample.finish is None:
                    ids = torch.tensor([request.context + sample.ids])  # (1, T)
                    logits = self._forward(ids, torch.ones_like(ids))[:, -1]  # (1, V)
                    (token,), (value,) = choose_tokens(logits, [sample], config.temperature)
                    request.add(sample, token, value)

    def _end_ids(self) -> frozenset[int]:
        """Tokens with which the model ends a text."""
        config = getattr(self.model, "generation_config", None)
        ends = getattr(config, "eos_token_id", None)
        every = ends if isinstance(ends, list) else [ends]
        return frozenset([self.tokenizer.eos_token_id, *every]) - {None}

    def _check_length(self, prompt: str, tokens: int, more: int = 0) -> None:
        if tokens + more > self.window:
            asked = f", with {more + 1} more to write," if more else ""
            fewer = " or ask for fewer tokens" if more else ""
            raise ValueError(
                f"the prompt {prompt[:40]!r}… has {tokens} tokens{asked} and the window holds "
                f"{self.window}; shorten it (fewer demonstrations){fewer}"
            )


@overload
def load(  # type: ignore[overload-overlap]
    name: Literal["bert-middle"], wanted_tier: str | None = None, precision: str | None = None
) -> MaskedLM: ...
@overload
def load(
    name: str, wanted_tier: str | None = None, precision: str | None = None
) -> LanguageModel: ...
def load(
    name: str, wanted_tier: str | None = None, precision: str | None = None
) -> LanguageModel | MaskedLM:
    """A pretrained model with its tokenizer, by name: a :class:`LanguageModel`, or a
    :class:`MaskedLM` for BERT.

    Arguments and errors: :func:`course.models.load_model`.
    """
    model = load_model(name, wanted_tier, precision)
    tokenizer = load_tokenizer(name, wanted_tier)
    return (MaskedLM if fills_blanks(model) else LanguageModel)(model, tokenizer)

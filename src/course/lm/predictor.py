"""Token predictions of a pretrained model: the next word (GPT), the word in a blank (BERT).

A :class:`CausalLM` predicts the token after a text, a :class:`MaskedLM` the token in a blank of a
text, each as log-probabilities over the whole vocabulary.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from course.foundation.validation import integer
from course.lm.soundness import (
    check_causal,
    check_masked,
    evaluating,
    not_a_number,
)
from course.models.peft_wrapper import get_base_model, num_virtual_tokens
from course.models.text import UnknownWords, checked_texts, special_names, text_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Predictor(Protocol):
    """What code needs that takes a causal or a masked model alike."""

    tokenizer: PreTrainedTokenizerBase

    def word_between(self, before: Sequence[str], after: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the word between two texts, (texts, vocabulary), in nats."""

    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens, each the likeliest one after those before it."""

    def likeliest(
        self, log_probabilities: torch.Tensor, among: Sequence[str] | None = None
    ) -> list[str]:
        """The word with the highest probability in each row."""

    def token_ids(self, words: Sequence[str]) -> list[int]:
        """The id of each word, as it stands after a space."""


class PretrainedLM(ABC):
    """A pretrained model with its tokenizer: what :class:`CausalLM` and :class:`MaskedLM` share.

    A model in training mode is in evaluation mode during a call (no dropout), and back in training
    mode afterwards.

    Args:
        model: a language model of ``transformers``, or a ``peft`` model around one.
        tokenizer: its tokenizer.
        batch_tokens: how many tokens one forward pass may hold, padding included.
        unknown: what to do about words that the tokenizer does not know: ``"warn"`` (with their
            share), ``"refuse"`` or ``"allow"``.

    Raises:
        ValueError: for a tokenizer that is not the model's, as far as that can be seen, and for
            another ``unknown``.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        batch_tokens: int = 16_384,
        unknown: str = "warn",
    ):
        self._check_kind(model, tokenizer)
        self.model, self.tokenizer, self.batch_tokens = model, tokenizer, batch_tokens
        self._unknown = UnknownWords(tokenizer, unknown)

    @staticmethod
    @abstractmethod
    def _check_kind(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        """Refuse a model of another kind than this class speaks to, and a tokenizer that is not
        the model's.
        """

    @property
    def window(self) -> int:
        """How many tokens the model can read at once, beside a soft prompt; as many as memory holds
        if its configuration has no bound.
        """
        positions = getattr(self.model.config, "max_position_embeddings", None) or sys.maxsize
        return positions - num_virtual_tokens(self.model)

    @abstractmethod
    def word_between(self, before: Sequence[str], after: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the word between two texts, (texts, vocabulary), in nats."""

    @abstractmethod
    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens, each the likeliest one after those before it."""

    def likeliest(
        self, log_probabilities: torch.Tensor, among: Sequence[str] | None = None
    ) -> list[str]:
        """The word with the highest probability in each row.

        Args:
            log_probabilities: (rows, vocabulary).
            among: words to choose from (default: the whole vocabulary).

        Raises:
            ValueError: if a word of ``among`` is not one token, or there is none.
        """
        if among is not None and not len(among):
            raise ValueError("among=[]: expected at least one word to choose from")
        if among is None:
            return [self.tokenizer.decode([int(i)]).strip() for i in log_probabilities.argmax(1)]
        columns = self.token_ids(among)
        return [among[int(i)] for i in log_probabilities[:, columns].argmax(1)]

    def token_ids(self, words: Sequence[str]) -> list[int]:
        """The id of each word, as it stands after a space.

        Raises:
            ValueError: if a word is unknown or takes more than one token.
        """
        words = checked_texts(words, "words")
        every = text_ids(self.tokenizer, [f" {word}" for word in words], begin=False)
        for word, ids in zip(words, every, strict=True):
            if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
                raise ValueError(
                    f"{word!r} is not one known token of this tokenizer but {ids}; use a word of "
                    "its vocabulary"
                )
        return [ids[0] for ids in every]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        """The ids of texts in which nothing is a special token."""
        return text_ids(self.tokenizer, texts)

    def _checked_ids(self, texts: Sequence[str], name: str) -> list[list[int]]:
        """The ids of each text, of at least one token and at most the window."""
        texts = checked_texts(texts, name)
        every = self._ids(texts)
        for text, ids in zip(texts, every, strict=True):
            if not ids:
                raise ValueError(
                    f"{text!r} has no token for this tokenizer; begin the text with a word"
                )
            if len(ids) > self.window:
                raise ValueError(
                    f"a text of {len(ids)} tokens is longer than the window of {self.window}; "
                    f"shorten {text[:40]!r}…"
                )
        self._unknown.check(texts, every, "text")
        return every

    def _greedy(self, prompt: str, words: int, ids: list[int], closing: list[int]) -> list[str]:
        """``words`` tokens after ``ids``, one by one, with ``closing`` behind them.

        With a closing of one or more tokens (a blank first) the token in the blank is predicted,
        otherwise the one after the last.
        """
        start = len(ids)
        if words and (most := start + words - 1 + len(closing)) > self.window:
            raise ValueError(
                f"{words} words after the {start} tokens of {prompt[:40]!r} make the model read "
                f"{most} tokens, and the window holds {self.window}; shorten the prompt or ask for "
                "fewer words"
            )
        for _ in range(words):
            at = len(ids) if closing else len(ids) - 1
            ids = [*ids, int(self._log_probabilities([ids + closing], [at]).argmax())]
        return [self.tokenizer.decode([i]).strip(" ") for i in ids[start:]]

    def _log_probabilities(self, ids: list[list[int]], positions: list[int]) -> torch.Tensor:
        """Log-probabilities at one position of each row, (rows, vocabulary)."""
        if not ids:
            return self._no_rows()
        every = [torch.empty(0)] * len(ids)
        with evaluating(self.model):
            for rows, padded, attention_mask in self._batches(ids):
                logits = self._forward(padded, attention_mask)  # (B, T, V)
                at = torch.tensor([positions[i] for i in rows])
                wanted = logits[torch.arange(len(rows)), at].log_softmax(-1)  # (B, V)
                for row, i in enumerate(rows):
                    every[i] = wanted[row]
        return self._checked_numbers(torch.stack(every), ids)

    def _no_rows(self) -> torch.Tensor:
        """Log-probabilities for no text, (0, vocabulary)."""
        return torch.empty(0, get_base_model(self.model).get_input_embeddings().weight.shape[0])

    def _checked_numbers(
        self, log_probabilities: torch.Tensor, ids: list[list[int]]
    ) -> torch.Tensor:
        """Log-probabilities (rows, vocabulary) as they are, or an error if they are no numbers."""
        bad = log_probabilities[:, 0].isnan()  # one such logit makes the whole row so
        if bad.any():
            raise not_a_number(self.model, ids[int(bad.nonzero()[0])])
        return log_probabilities

    def _batches(
        self, ids: list[list[int]]
    ) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
        """(rows, padded ids (B, T), attention mask (B, T)) for rows of similar length."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        while order:
            longest = len(ids[order[-1]])
            rows = order[-max(1, self.batch_tokens // longest) :]
            del order[-len(rows) :]
            # padding stands on the right, where a causal model never looks and the mask hides it
            # from a masked one
            padded = torch.full((len(rows), longest), self.tokenizer.pad_token_id or 0)
            attention_mask = torch.zeros_like(padded)
            for row, i in enumerate(rows):
                padded[row, : len(ids[i])] = torch.tensor(ids[i])
                attention_mask[row, : len(ids[i])] = 1
            yield rows, padded, attention_mask

    @torch.inference_mode()
    def _forward(self, padded: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits (B, T, V) of padded ids (B, T), on the CPU in single precision."""
        device = self.model.device
        logits = self.model(
            input_ids=padded.to(device), attention_mask=attention_mask.to(device)
        ).logits
        # without the positions of a soft prompt
        return logits[:, -padded.shape[1] :].float().cpu()


class CausalLM(PretrainedLM):
    """Next-word predictions of a causal language model (GPT).

    Arguments: as :class:`PretrainedLM`.

    Raises:
        ValueError: for a model that does not continue texts (BERT, T5), and a tokenizer that is not
            the model's, as far as that can be seen.
    """

    @staticmethod
    def _check_kind(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        check_causal(model, tokenizer)

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: for a prompt longer than the window.
            NotANumberError: if the model's logits are none.
        """
        ids = self._checked_ids(prompts, "prompts")
        return self._log_probabilities(ids, [len(i) - 1 for i in ids])

    def word_between(self, before: Sequence[str], after: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the word after ``before``, (texts, vocabulary), in nats; a causal
        model does not see ``after``. Errors: as :meth:`next_word`.
        """
        return self.next_word(before)

    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens, each the likeliest one after those before it.

        Raises:
            TypeError, ValueError: if ``words`` is no whole number of 0 or more.
            ValueError: if prompt and words do not fit into the window.
            NotANumberError: if the model's logits are none.
        """
        words = integer(0)("words", words)
        (ids,) = self._checked_ids([prompt], "prompt")
        return self._greedy(prompt, words, ids, closing=[])


class MaskedLM(PretrainedLM):
    """Predictions of a masked language model (BERT) for the words in blanks.

    A blank is the tokenizer's mask token, ``[MASK]``: of all special tokens the only one that a
    text can have.

    Arguments: as :class:`PretrainedLM`.

    Raises:
        ValueError: for a model that is no masked one, and a tokenizer that is not the model's, as
            far as that can be seen.
    """

    @staticmethod
    def _check_kind(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        check_masked(model, tokenizer)

    def blank(self, texts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token in the one blank of each text, (texts, vocabulary), in
        nats.

        Raises:
            TypeError: for what is no list of texts.
            ValueError: for a text that has not exactly one blank, and for one longer than the
                window.
            NotANumberError: if the model's logits are none.
        """
        texts = checked_texts(texts, "texts")
        every, mask = self._checked_ids(texts, "texts"), self.tokenizer.mask_token_id
        for text, ids in zip(texts, every, strict=True):
            if ids.count(mask) != 1:
                raise ValueError(
                    f"{text!r} has {ids.count(mask)} blanks: expected exactly one "
                    f"{self.tokenizer.mask_token}"
                )
        return self._log_probabilities(every, [ids.index(mask) for ids in every])

    def blanks(self, text: str) -> torch.Tensor:
        """Log-probabilities of the tokens in all blanks of one text, (blanks, vocabulary), in nats,
        each given the text without the others.

        Raises:
            ValueError: for a text without a blank, and for one longer than the window.
            NotANumberError: if the model's logits are none.
        """
        (ids,) = self._checked_ids([text], "text")
        at = [i for i, token in enumerate(ids) if token == self.tokenizer.mask_token_id]
        if not at:
            raise ValueError(
                f"no blank to fill in {text!r}: expected the mask token "
                f"{self.tokenizer.mask_token} in the text"
            )
        return self._log_probabilities([ids] * len(at), at)

    def word_between(self, before: Sequence[str], after: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the word between ``before`` and ``after``, (texts, vocabulary), in
        nats. Errors: as :meth:`blank`.
        """
        mask = self.tokenizer.mask_token
        return self.blank([f"{b} {mask} {a}" for b, a in zip(before, after, strict=True)])

    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens: a blank is put at the end and filled, then the next one.

        Raises:
            TypeError, ValueError: if ``words`` is no whole number of 0 or more.
            ValueError: if prompt and words do not fit into the window.
            NotANumberError: if the model's logits are none.
        """
        words = integer(0)("words", words)
        ((*ids, end),) = self._checked_ids([prompt], "prompt")
        # [SEP] stays behind the blank
        return self._greedy(prompt, words, ids, closing=[self.tokenizer.mask_token_id, end])

    def _ids(self, texts: list[str]) -> list[list[int]]:
        """The ids of texts in which the mask token and no other special token is one."""
        mask = self.tokenizer.mask_token
        others = [set(special_names(self.tokenizer).findall(text)) - {mask} for text in texts]
        every = self.tokenizer(texts, verbose=False).input_ids if texts else []
        return [
            self._piecewise(text) if named else ids
            for text, named, ids in zip(texts, others, every, strict=True)
        ]

    def _piecewise(self, text: str) -> list[int]:
        """The ids of a text that names special tokens: what stands between its blanks is read as
        text.
        """
        mask = self.tokenizer.mask_token_id
        frame = self.tokenizer(self.tokenizer.mask_token).input_ids  # [CLS] [MASK] [SEP]
        at = frame.index(mask)
        first, *rest = text_ids(self.tokenizer, text.split(self.tokenizer.mask_token), begin=False)
        return frame[:at] + first + [i for piece in rest for i in (mask, *piece)] + frame[at + 1 :]

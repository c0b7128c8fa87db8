"""What a model expects: GPT the next word, BERT the word in a blank. Probabilities over the whole
vocabulary.
"""

import sys
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.validation import integer
from course.lm.soundness import check_ids, evaluating, fills_blanks, not_a_number
from course.lm.tokenization import UnknownWords, checked_texts, special_names, text_ids
from course.models.loading import get_base_model, num_virtual_tokens


class Predictor:
    """A model with its tokenizer, asked in text.

    A model in training mode is put into evaluation mode while it is asked (no dropout), and back
    afterwards. In a text nothing is a special token but the blank of a masked model, its mask
    token.

    Args:
        model: a causal or a masked language model of ``transformers``.
        tokenizer: its tokenizer.
        batch_tokens: how many tokens one forward pass may hold, padding included.
        unknown: what to do about words that the tokenizer does not know: ``"warn"``, ``"refuse"``
            or ``"allow"``.

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
        self.model, self.tokenizer, self.batch_tokens = model, tokenizer, batch_tokens
        self._unknown = UnknownWords(tokenizer, unknown)
        check_ids(model, tokenizer)
        if self.masked and tokenizer.mask_token is None:
            raise ValueError(
                f"{type(get_base_model(model)).__name__} fills in blanks, and the tokenizer of {tokenizer.name_or_path!r} has no mask token; "
                "load the tokenizer that belongs to the model"
            )

    @property
    def masked(self) -> bool:
        """Whether the model fills in blanks (BERT) rather than continues (GPT)."""
        return fills_blanks(self.model)

    @property
    def window(self) -> int:
        """How many tokens the model can read at once, beside a soft prompt; as many as memory holds
        if its configuration has no bound.
        """
        return (
            getattr(self.model.config, "max_position_embeddings", None) or sys.maxsize
        ) - num_virtual_tokens(self.model)

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            ValueError: for a masked model, and for a prompt longer than the window.
            NotANumberError: if the model's logits are none.
        """
        if self.masked:
            raise ValueError(
                "a masked model has no next word: use blank(), with the mask token in the text"
            )
        ids = self._all_ids(prompts, "prompts")
        return self._log_probabilities(ids, [len(i) - 1 for i in ids])

    def blank(self, texts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token in the one blank of each text, (texts, vocabulary), in
        nats.

        A blank is the tokenizer's mask token, ``[MASK]``: of all special tokens the only one that a
        text can have.

        Raises:
            ValueError: for a causal model, for a text that has not exactly one blank, and for one
                longer than the window.
            NotANumberError: if the model's logits are none.
        """
        if not self.masked:
            raise ValueError(
                "a causal model cannot fill a blank: use next_word(), with the text before the blank"
            )
        texts = checked_texts(texts, "texts")
        ids = self._all_ids(texts, "texts")
        mask = self.tokenizer.mask_token_id
        for text, tokens in zip(texts, ids, strict=True):
            if tokens.count(mask) != 1:
                raise ValueError(
                    f"{text!r} has {tokens.count(mask)} blanks: expected exactly one {self.tokenizer.mask_token}"
                )
        return self._log_probabilities(ids, [i.index(mask) for i in ids])

    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens, each the likeliest after those before it.

        A causal model does what it was made for. A masked one is helped along: a blank is put at
        the end, filled, and so on.

        Raises:
            TypeError, ValueError: if ``words`` is no whole number of 0 or more.
            ValueError: if prompt and words do not fit into the window.
            NotANumberError: if the model's logits are none.
        """
        words = integer(0)("words", words)
        (ids,), closing = self._all_ids([prompt], "prompt"), []
        if self.masked:  # [SEP] stays behind the blank
            ids, closing = ids[:-1], [self.tokenizer.mask_token_id, ids[-1]]
        start = len(ids)
        if words and (most := start + words - 1 + len(closing)) > self.window:
            raise ValueError(
                f"{words} words after the {start} tokens of {prompt[:40]!r} make the model read {most} tokens, and the window holds "
                f"{self.window}; shorten the prompt or ask for fewer words"
            )
        for _ in range(words):
            at = len(ids) - (not self.masked)
            ids.append(int(self._log_probabilities([ids + closing], [at]).argmax()))
        return [self.tokenizer.decode([i]).strip(" ") for i in ids[start:]]

    def blanks(self, text: str) -> torch.Tensor:
        """Log-probabilities of the tokens in all blanks of one text, (blanks, vocabulary), each
        given the text without the others.

        Raises:
            ValueError: for a causal model, for a text without a blank, and for one longer than the
                window.
        """
        (ids,) = self._all_ids([text], "text")
        at = [
            i
            for i, token in enumerate(ids)
            if self.masked and token == self.tokenizer.mask_token_id
        ]
        if not at:
            raise ValueError(
                f"no blank to fill in {text!r}: expected a masked model and its mask token in the text"
            )
        return self._log_probabilities([ids] * len(at), at)

    def likeliest(
        self, log_probabilities: torch.Tensor, among: Sequence[str] | None = None
    ) -> list[str]:
        """The word with the highest probability in each row, of the whole vocabulary or ``among``
        some words.

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
        found = text_ids(self.tokenizer, [f" {word}" for word in words], begin=False)
        for word, ids in zip(words, found, strict=True):
            if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
                raise ValueError(
                    f"{word!r} is not one known token of this tokenizer but {ids}; use a word of its vocabulary"
                )
        return [ids[0] for ids in found]

    def _all_ids(self, texts: Sequence[str], name: str) -> list[list[int]]:
        """The ids of each text, of at least one token and at most the window."""
        texts = checked_texts(texts, name)
        found = self._with_blanks(texts) if self.masked else text_ids(self.tokenizer, texts)
        for text, ids in zip(texts, found, strict=True):
            if not ids:
                raise ValueError(
                    f"{text!r} has no token for this tokenizer; begin the text with a word"
                )
            if len(ids) > self.window:
                raise ValueError(
                    f"a text of {len(ids)} tokens is longer than the window of {self.window}; shorten {text[:40]!r}…"
                )
        self._unknown.check(texts, found, "text")
        return found

    def _with_blanks(self, texts: list[str]) -> list[list[int]]:
        """The ids of texts for a masked model, in which the mask token and no other special token
        is one.
        """
        mask = self.tokenizer.mask_token
        others = [set(special_names(self.tokenizer).findall(text)) - {mask} for text in texts]
        found = self.tokenizer(texts, verbose=False).input_ids if texts else []
        return [
            self._piecewise(text) if named else ids
            for text, named, ids in zip(texts, others, found, strict=True)
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

    def _log_probabilities(self, ids: list[list[int]], positions: list[int]) -> torch.Tensor:
        """Log-probabilities at one position of each row, (rows, vocabulary)."""
        if not ids:
            return self._nothing()
        found = [torch.empty(0)] * len(ids)
        with evaluating(self.model):
            for rows, padded, seen in self._batches(ids):
                logits = self._forward(padded, seen)
                wanted = logits[
                    torch.arange(len(rows)), torch.tensor([positions[i] for i in rows])
                ].log_softmax(-1)
                for row, i in enumerate(rows):
                    found[i] = wanted[row]
        return self._numbers(torch.stack(found), ids)

    def _nothing(self) -> torch.Tensor:
        """The answer to no question, (0, vocabulary)."""
        return torch.empty(0, get_base_model(self.model).get_input_embeddings().weight.shape[0])

    def _numbers(self, log_probabilities: torch.Tensor, ids: list[list[int]]) -> torch.Tensor:
        """Log-probabilities (rows, vocabulary) as they are, or an error if they are no numbers."""
        bad = log_probabilities[:, 0].isnan()  # one such logit makes the whole row so
        if bad.any():
            raise not_a_number(self.model, ids[int(bad.nonzero()[0])])
        return log_probabilities

    def _batches(self, ids: list[list[int]]):
        """(rows, padded ids, 1 where there is a token) for batches of rows of similar length."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        while order:
            longest = len(ids[order[-1]])
            rows = order[-max(1, self.batch_tokens // longest) :]
            del order[-len(rows) :]
            # padding stands on the right, where a causal model never looks and the mask hides it
            # from the other
            padded = torch.full((len(rows), longest), self.tokenizer.pad_token_id or 0)
            seen = torch.zeros_like(padded)
            for row, i in enumerate(rows):
                padded[row, : len(ids[i])] = torch.tensor(ids[i])
                seen[row, : len(ids[i])] = 1
            yield rows, padded, seen

    @torch.inference_mode()
    def _forward(self, padded: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        device = self.model.device
        logits = self.model(input_ids=padded.to(device), attention_mask=seen.to(device)).logits
        return (
            logits[:, -padded.shape[1] :].float().cpu()
        )  # (B, T, V), without the positions of a soft prompt

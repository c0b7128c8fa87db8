"""What a model expects: GPT the next word, BERT the word in a blank. Probabilities over the whole vocabulary."""

import sys
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.models import soft_tokens


class Predictor:
    """A model with its tokenizer, asked in text.

    Args:
        model: a causal or a masked language model of ``transformers``.
        tokenizer: its tokenizer.
        batch_tokens: how many tokens one forward pass may hold, padding included.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch_tokens: int = 16_384):
        self.model, self.tokenizer, self.batch_tokens = model, tokenizer, batch_tokens

    @property
    def masked(self) -> bool:
        """Whether the model fills in blanks (BERT) rather than continues (GPT)."""
        return self.tokenizer.mask_token is not None

    @property
    def window(self) -> int:
        """How many tokens the model can read at once, beside a soft prompt; as many as memory holds if its configuration has no bound."""
        return (getattr(self.model.config, "max_position_embeddings", None) or sys.maxsize) - soft_tokens(self.model)

    def next_word(self, prompts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token after each prompt, (prompts, vocabulary), in nats.

        Raises:
            ValueError: for a masked model, and for a prompt longer than the window.
        """
        if self.masked:
            raise ValueError("a masked model has no next word: use blank(), with the mask token in the text")
        ids = [self._ids(prompt) for prompt in prompts]
        return self._log_probabilities(ids, [len(i) - 1 for i in ids])

    def blank(self, texts: Sequence[str]) -> torch.Tensor:
        """Log-probabilities of the token in the one blank of each text, (texts, vocabulary), in nats.

        A blank is the tokenizer's mask token, ``[MASK]``.

        Raises:
            ValueError: for a causal model, for a text that has not exactly one blank, and for one longer than the window.
        """
        if not self.masked:
            raise ValueError("a causal model cannot fill a blank: use next_word(), with the text before the blank")
        ids = [self._ids(text) for text in texts]
        mask = self.tokenizer.mask_token_id
        for text, tokens in zip(texts, ids, strict=True):
            if tokens.count(mask) != 1:
                raise ValueError(f"{text!r} has {tokens.count(mask)} blanks: expected exactly one {self.tokenizer.mask_token}")
        return self._log_probabilities(ids, [i.index(mask) for i in ids])

    def log_likelihood(self, texts: Sequence[str]) -> torch.Tensor:
        """The log-probability of each whole text under a causal model, (texts,), in nats.

        Raises:
            ValueError: for a masked model, and for a text longer than the window.
        """
        if self.masked:
            raise ValueError("a masked model gives no probability to a whole text: it sees the words that it should predict")
        ids = [self._ids(text) for text in texts]
        totals = torch.zeros(len(ids))
        for rows, padded, seen in self._batches(ids):
            log_probabilities = self._forward(padded, seen)[:, :-1].log_softmax(-1)  # (B, T - 1, V)
            each = log_probabilities.gather(2, padded[:, 1:, None]).squeeze(2) * seen[:, 1:]
            totals[rows] = each.sum(1)
        return totals

    def continue_text(self, prompt: str, words: int) -> list[str]:
        """The next ``words`` tokens, each the likeliest after those before it.

        A causal model does what it was made for. A masked one is helped along: a blank is put at the end, filled, and so on.
        """
        ids, closing = self._ids(prompt), []
        if self.masked:  # [SEP] stays behind the blank
            ids, closing = ids[:-1], [self.tokenizer.mask_token_id, ids[-1]]
        start = len(ids)
        for _ in range(words):
            at = len(ids) - (not self.masked)
            ids.append(int(self._log_probabilities([ids + closing], [at]).argmax()))
        return [self.tokenizer.decode([i]).strip(" ") for i in ids[start:]]

    def blanks(self, text: str) -> torch.Tensor:
        """Log-probabilities of the tokens in all blanks of one text, (blanks, vocabulary), each given the text without the others.

        Raises:
            ValueError: for a causal model, for a text without a blank, and for one longer than the window.
        """
        ids = self._ids(text)
        at = [i for i, token in enumerate(ids) if self.masked and token == self.tokenizer.mask_token_id]
        if not at:
            raise ValueError(f"no blank to fill in {text!r}: expected a masked model and its mask token in the text")
        return self._log_probabilities([ids] * len(at), at)

    def likeliest(self, log_probabilities: torch.Tensor, among: Sequence[str] | None = None) -> list[str]:
        """The word with the highest probability in each row, of the whole vocabulary or ``among`` some words.

        Raises:
            ValueError: if a word of ``among`` is not one token.
        """
        if among is None:
            return [self.tokenizer.decode([int(i)]).strip() for i in log_probabilities.argmax(1)]
        columns = self.token_ids(among)
        return [among[int(i)] for i in log_probabilities[:, columns].argmax(1)]

    def token_ids(self, words: Sequence[str]) -> list[int]:
        """The id of each word, as it stands after a space.

        Raises:
            ValueError: if a word is unknown or takes more than one token.
        """
        found = []
        for word in words:
            ids = self.tokenizer(f" {word}", add_special_tokens=False).input_ids
            if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
                raise ValueError(f"{word!r} is not one known token of this tokenizer but {ids}; use a word of its vocabulary")
            found.append(ids[0])
        return found

    def _ids(self, text: str) -> list[int]:
        ids = self.tokenizer(text).input_ids
        if not ids:
            raise ValueError(f"{text!r} has no token for this tokenizer; begin the text with a word")
        if len(ids) > self.window:
            raise ValueError(f"a text of {len(ids)} tokens is longer than the window of {self.window}; shorten {text[:40]!r}…")
        return ids

    def _log_probabilities(self, ids: list[list[int]], positions: list[int]) -> torch.Tensor:
        """Log-probabilities at one position of each row, (rows, vocabulary)."""
        found = [torch.empty(0)] * len(ids)
        for rows, padded, seen in self._batches(ids):
            logits = self._forward(padded, seen)
            wanted = logits[torch.arange(len(rows)), torch.tensor([positions[i] for i in rows])].log_softmax(-1)
            for row, i in enumerate(rows):
                found[i] = wanted[row]
        return torch.stack(found)

    def _batches(self, ids: list[list[int]]):
        """(rows, padded ids, 1 where there is a token) for batches of rows of similar length."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        while order:
            longest = len(ids[order[-1]])
            rows = order[-max(1, self.batch_tokens // longest) :]
            del order[-len(rows) :]
            # padding stands on the right, where a causal model never looks and the mask hides it from the other
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
        return logits[:, -padded.shape[1] :].float().cpu()  # (B, T, V), without the positions of a soft prompt

"""Text to token ids: text is text, and words that a tokenizer does not know are reported.

What a reader writes never becomes a special token, be it ``[END]`` or ``<|im_end|>``. Special
tokens come from the tokenizer (a beginning of document), from a chat template, or as ids.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

#: What to do about words that a tokenizer does not know.
UNKNOWN_CHOICES = ("warn", "refuse", "allow")


class UnknownWordsWarning(UserWarning):
    """A text has words that the tokenizer does not know; the model reads each of them as the same
    unknown word.
    """


def checked_texts(texts: Iterable[str], name: str) -> list[str]:
    """A list of texts, if that is what it is.

    Raises:
        TypeError: for a single text, None, and anything in the list that is no text.
        ValueError: for half a character, a lone surrogate, which no tokenizer can read.
    """
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"{name}={texts!r:.80}: expected a list of texts; put a single one into brackets"
        )
    checked = list(texts)
    for place, text in enumerate(checked):
        if not isinstance(text, str):
            raise TypeError(
                f"{name}[{place}] is {text!r:.80} of type {type(text).__name__}: expected a text"
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{name}[{place}] has half a character, {text[error.start]!a}, "
                f"at place {error.start} (a lone surrogate, as half an emoji "
                "leaves it); decode the text anew, or replace it: text.encode('utf-16', "
                "'surrogatepass').decode('utf-16', 'replace')"
            ) from None
    return checked


def text_ids(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], begin: bool = True
) -> list[list[int]]:
    """The ids of texts in which nothing is a special token.

    Args:
        begin: put before (for BERT, around) each text what the tokenizer puts there.

    Raises:
        ValueError: for a text with the name of a special token that the tokenizer cannot write as a
            text (some with a unigram model).
    """
    if not texts:
        return []
    ids = tokenizer(
        texts, add_special_tokens=begin, split_special_tokens=True, verbose=False
    ).input_ids
    named = special_names(tokenizer)
    for text in texts:
        if match := named.search(text):
            _check_written_out(tokenizer, match[0], text)
    return ids


def with_offsets(tokenizer: PreTrainedTokenizerBase, text: str) -> BatchEncoding:
    """The tokens of a text in which nothing is a special token, and which characters each stands
    for (``offset_mapping``); of fast tokenizers alone.
    """
    return tokenizer(
        text,
        add_special_tokens=False,
        split_special_tokens=True,
        return_offsets_mapping=True,
        verbose=False,
    )


def special_names(tokenizer: PreTrainedTokenizerBase) -> re.Pattern:
    """Matches the names of the tokens that a tokenizer would cut out of a text, the special ones
    among them.
    """
    return _names(tokenizer, len(tokenizer))  # tokens may be added


@lru_cache(maxsize=16)
def _names(tokenizer: PreTrainedTokenizerBase, size: int) -> re.Pattern:
    names = [
        name for name in tokenizer.added_tokens_encoder if not name.isspace()
    ]  # some have tokens for indentation
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)")


def _check_written_out(tokenizer: PreTrainedTokenizerBase, name: str, text: str) -> None:
    token = tokenizer.added_tokens_encoder[name]
    special = tokenizer.added_tokens_decoder[token].special and token != tokenizer.unk_token_id
    if (
        special
        and token in tokenizer(name, add_special_tokens=False, split_special_tokens=True).input_ids
    ):
        raise ValueError(
            f"{text[:40]!r}… has {name!r}, which this tokenizer can only read as its special "
            "token; leave it out"
        )


class UnknownWords:
    """Tells of words that a tokenizer does not know, every word once.

    Args:
        tokenizer: of ``transformers``; one that knows every text, such as GPT-2's, has nothing to
            tell.
        choice: ``"warn"``, ``"refuse"`` or ``"allow"``.

    Raises:
        ValueError: for another choice.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, choice: str = "warn"):
        if choice not in UNKNOWN_CHOICES:
            raise ValueError(f"unknown={choice!r}: expected one of {', '.join(UNKNOWN_CHOICES)}")
        self.tokenizer, self.choice = tokenizer, choice
        unknown = tokenizer.unk_token_id
        # in GPT-2's the token that ends a text is named as the unknown one, too, and never is one
        self._id = None if unknown in (tokenizer.eos_token_id, tokenizer.bos_token_id) else unknown
        self._told: set[str] = set()

    def check(
        self, texts: Sequence[str], ids: Sequence[Sequence[int]], name: str = "prompt"
    ) -> None:
        """Warn of the unknown words in some texts, with their share of all tokens, or refuse them.

        Raises:
            ValueError: if they are to be refused.
        """
        if self._id is None or self.choice == "allow":
            return
        counts = [row.count(self._id) for row in ids]
        if not any(counts):
            return
        words = dict.fromkeys(
            word
            for text, count in zip(texts, counts, strict=True)
            if count
            for word in self._words(text)
        )
        if self.choice == "warn" and words and self._told >= words.keys():
            return
        self._told |= words.keys()
        shown = ", ".join(map(repr, list(words)[:5])) + (" and others" if len(words) > 5 else "")
        share = 100 * sum(counts) / sum(map(len, ids))
        message = (
            f"{share:.1f} % of what {len(ids)} {name}(s) say is unknown to this model's "
            f"tokenizer ({shown}): every such word is read "
            f"as the same {self.tokenizer.unk_token}"
        )
        if self.choice == "refuse":
            raise ValueError(f"{message}; use words of its vocabulary, or unknown='warn'")
        warnings.warn(
            f"{message}. unknown='refuse' makes this an error, unknown='allow' is silent",
            UnknownWordsWarning,
            stacklevel=4,
        )

    def _words(self, text: str) -> list[str]:
        """The unknown words of a text, where the tokenizer can say at which places they stand."""
        if not self.tokenizer.is_fast:
            return [text[:40]]
        if mask := self.tokenizer.mask_token:  # a blank is no word
            text = text.replace(mask, " ")
        read = with_offsets(self.tokenizer, text)
        return [
            text[start:end]
            for token, (start, end) in zip(read.input_ids, read.offset_mapping, strict=True)
            if token == self._id
        ]

"""Vocabulary of hard prompts: the words that are one token at every position of a prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from transformers import PreTrainedTokenizerBase

from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel

#: Stands before a word to see how it is tokenized inside a text.
_BEFORE = "a"


@dataclass(frozen=True)
class Words:
    """The words of a model's vocabulary, without its special tokens.

    Many tokenizers know a word twice, at the beginning of a text and behind a space; a prompt's
    first word is the one, all others are the other.

    Attributes:
        texts: the words, in the order of the vocabulary.
        first, later: their token ids at the beginning of a text and behind a space, (words,) each.
    """

    texts: tuple[str, ...]
    first: torch.Tensor
    later: torch.Tensor

    def ids(self, numbers: Sequence[int]) -> list[int]:
        """The token ids of a prompt, (length,).

        Args:
            numbers: of its words, places in ``texts``.
        """
        return [int(self.ids_at(place)[number]) for place, number in enumerate(numbers)]

    def ids_at(self, place: int) -> torch.Tensor:
        """The token ids of all words at a position of the prompt, (words,)."""
        return self.later if place else self.first

    def prompt(self, numbers: Sequence[int]) -> str:
        """A prompt as text."""
        return " ".join(self.texts[number] for number in numbers)


def opened(model: TextModel) -> LanguageModel:
    """A model whose vocabulary and weights are at hand.

    Raises:
        ValueError: for a model behind an endpoint.
    """
    if not isinstance(model, LanguageModel):
        raise ValueError(
            f"{type(model).__name__} does not tell its vocabulary:"
            " expected a LanguageModel, as course.lm.load() gives it"
        )
    return model


def words_of(model: TextModel) -> Words:
    """The words that prompts for a model can be made of.

    Raises:
        ValueError: for a model behind an endpoint, whose vocabulary is not known.
    """
    return _words(opened(model).tokenizer)


def plain_tokens(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids of all tokens but the special ones."""
    special = set(tokenizer.all_special_ids)
    return [i for i in range(len(tokenizer)) if i not in special]


@lru_cache(maxsize=8)
def _words(tokenizer: PreTrainedTokenizerBase) -> Words:
    special = set(tokenizer.all_special_ids)
    texts = [tokenizer.decode([i]).strip() for i in plain_tokens(tokenizer)]
    distinct = [
        text for text in dict.fromkeys(texts) if text and text.isprintable() and " " not in text
    ]
    before = len(tokenizer(_BEFORE, add_special_tokens=False).input_ids)
    alone = tokenizer(distinct, add_special_tokens=False).input_ids
    behind = [
        ids[before:]
        for ids in tokenizer(
            [f"{_BEFORE} {text}" for text in distinct], add_special_tokens=False
        ).input_ids
    ]
    kept = [
        (text, first[0], later[0])
        for text, first, later in zip(distinct, alone, behind, strict=True)
        if len(first) == len(later) == 1
        and first[0] not in special
        and tokenizer.decode(later).strip() == text
    ]
    if not kept:
        raise ValueError(
            f"{tokenizer.name_or_path!r} has no word that is one token everywhere:"
            " prompts cannot be searched word by word"
        )
    words, first, later = zip(*kept, strict=True)
    return Words(words, torch.tensor(first), torch.tensor(later))

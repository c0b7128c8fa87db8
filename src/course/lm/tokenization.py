"""Text to token ids, exactly as the tokenizer would do it, without reading shared text again and
again.

Where a continuation begins is no question of characters: ``"a :"`` and ``" yes"`` are joined first
and tokenized as one text, so a token may span the boundary. Then the context is what the tokens of
the prompt and of the whole have in common.

Text is text: what a reader writes never becomes a special token, be it ``[END]`` or ``<|im_end|>``.
Special tokens come from the tokenizer (a beginning of document), from a chat template, or as ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from course.models.text import (
    UnknownWords,
    UnknownWordsWarning,
    checked_texts,
    special_names,
    text_ids,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "Encoder",
    "UnknownWords",
    "UnknownWordsWarning",
    "checked_texts",
    "special_names",
    "text_ids",
]

#: A single space between two other characters. Tokenizers that split a text into words first never
#: join across it.
_GAP = re.compile(r"(?<=\S) (?=\S)")
#: Texts with fewer characters in common than this are not worth taking apart.
_WORTH_SHARING = 200


class Encoder:
    """The way of one tokenizer from text to ids.

    Args:
        tokenizer: a tokenizer of ``transformers``.
        chat: wrap each prompt as a user's message in the tokenizer's chat template (default: if it
            has one).
        unknown: what to do about words in prompts that the tokenizer does not know: ``"warn"``,
            ``"refuse"`` or ``"allow"``.

    Raises:
        ValueError: if ``chat`` is asked for and there is no template, and for another ``unknown``.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, chat: bool | None = None, unknown: str = "warn"
    ):
        if chat and not tokenizer.chat_template:
            raise ValueError(
                f"chat=True, but the tokenizer of {tokenizer.name_or_path!r} has no chat template; pass chat=False"
            )
        self.tokenizer = tokenizer
        self.chat = bool(tokenizer.chat_template) if chat is None else chat
        self.unknown = UnknownWords(tokenizer, unknown)
        self._pieces: dict[str, list[int]] = {}

    @cached_property
    def _splits_words(self) -> bool:
        """Whether text is split into words before it is tokenized, so that it may be cut at a gap."""
        core = getattr(self.tokenizer, "backend_tokenizer", None)
        return core is not None and core.pre_tokenizer is not None

    @cached_property
    def _first(self) -> int:
        """What stands before an empty prompt: the token with which documents begin, else the one
        with which they end.
        """
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return token
        raise ValueError(
            "an empty prompt, and the tokenizer has no token that begins or ends a document; begin the prompt with a word"
        )

    def prompts(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each prompt, at least one, in the order given.

        Raises:
            TypeError, ValueError: for what is no list of texts, see :func:`checked_texts`; for
                unknown words that are to be refused.
        """
        texts = checked_texts(texts, "prompts")
        found = self._framed_ids(texts)
        self.unknown.check(texts, found)
        return [ids or [self._first] for ids in found]

    def pairs(
        self, prompts: Sequence[str], continuations: Sequence[str]
    ) -> list[tuple[list[int], list[int]]]:
        """(ids of the context, ids of the continuation) of each pair; the context has at least one.

        Raises:
            TypeError, ValueError: as :meth:`prompts`; ValueError for an empty continuation, or one
                with a word that the tokenizer does not know.
        """
        prompts, continuations = (
            checked_texts(prompts, "prompts"),
            checked_texts(continuations, "continuations"),
        )
        distinct = list(dict.fromkeys(prompts))
        found = self._framed_ids(distinct)
        self.unknown.check(distinct, found)
        known = dict(
            zip(
                distinct,
                zip([self._framed(text) for text in distinct], found, strict=True),
                strict=True,
            )
        )
        return [
            self._pair(*known[prompt], continuation)
            for prompt, continuation in zip(prompts, continuations, strict=True)
        ]

    def text(self, context: Sequence[int], ids: Sequence[int]) -> str:
        """The text of ``ids`` as it stands after ``context``, with the space before its first word
        if there is one.
        """
        # a tokenizer may drop the space at the beginning of a text; the last token of the context
        # keeps that from happening
        anchor = self._decode(context[-1:])
        whole = self._decode([*context[-1:], *ids])
        return whole[len(anchor) :] if whole.startswith(anchor) else self._decode(ids)

    def _decode(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)

    def _framed(self, text: str) -> str | None:
        """A prompt in its frame; None if it names a token that the template may use, so that it
        cannot be told from the frame's.
        """
        if not self.chat:
            return text
        if special_names(self.tokenizer).search(text):
            return None
        return self.tokenizer.apply_chat_template(
            _message(text), tokenize=False, add_generation_prompt=True
        )

    def _framed_ids(self, texts: list[str]) -> list[list[int]]:
        framed = [self._framed(text) for text in texts]
        plain = iter(self._all([frame for frame in framed if frame is not None]))
        return [
            self._guarded(text) if frame is None else next(plain)
            for text, frame in zip(texts, framed, strict=True)
        ]

    def _guarded(self, text: str) -> list[int]:
        """The ids of a message that names special tokens: those of the template are read as such,
        the message's own as text.
        """
        return self.tokenizer.apply_chat_template(
            _message(text),
            add_generation_prompt=True,
            return_dict=False,
            sanitize_control_tokens=True,
        )

    def _ids(self, texts: list[str], begin: bool = True) -> list[list[int]]:
        """Plain tokenization; with ``begin`` as the beginning of a document (a chat template brings
        its own).
        """
        if self.chat and texts:  # the special tokens in a frame are its own
            return self.tokenizer(texts, add_special_tokens=False, verbose=False).input_ids
        return text_ids(self.tokenizer, texts, begin)

    def _pair(
        self, prompt: str | None, ids: list[int], continuation: str
    ) -> tuple[list[int], list[int]]:
        if self.chat:  # a reply begins without a space
            continuation = continuation.lstrip(" ")
        if not continuation.strip():
            raise ValueError(
                f"empty continuation {continuation!r} after {(prompt or '')[-40:]!r}: expected at least one word"
            )
        if prompt is None or self.chat and special_names(self.tokenizer).search(continuation):
            whole = ids + text_ids(self.tokenizer, [continuation], begin=False)[0]
        else:
            whole = self._joined(prompt, ids, continuation)
        shared = shared_length(ids, whole)
        context, rest = ids[:shared] or [self._first], whole[shared:]
        if self.tokenizer.unk_token_id is not None and self.tokenizer.unk_token_id in rest:
            raise ValueError(
                f"the continuation {continuation!r} has a word that this tokenizer does not know, so it has no probability of its own"
            )
        if not rest:
            raise ValueError(
                f"the continuation {continuation!r} adds no token to {(prompt or '')[-40:]!r}; expected at least one word"
            )
        return context, rest

    def _joined(self, prompt: str, ids: list[int], continuation: str) -> list[int]:
        """The ids of prompt + continuation, where possible by tokenizing the last word of the
        prompt again and nothing before it.
        """
        cut = _last_gap(prompt, max(0, len(prompt) - 100), len(prompt))
        if cut is not None and self._splits_words:
            tail = self._piece(prompt[cut:])
            if tail and ids[-len(tail) :] == tail:
                return ids[: -len(tail)] + self._piece(prompt[cut:] + continuation)
        return self._ids([prompt + continuation])[0]

    def _piece(self, text: str) -> list[int]:
        if text not in self._pieces:
            self._pieces[text] = self._ids([text], begin=False)[0]
        return self._pieces[text]

    def _all(self, texts: list[str]) -> list[list[int]]:
        """The ids of many texts; what neighbours in alphabetical order begin with is tokenized
        once.
        """
        if not self._splits_words or len(texts) < 2:
            return self._ids(texts)
        found = {}
        for group in _groups(sorted(set(texts))):
            found |= self._group(group)
        return [found[text] for text in texts]

    def _group(self, texts: list[str]) -> dict[str, list[int]]:
        shared = shared_length(texts[0], texts[-1])  # by all, since they are sorted
        cut = _last_gap(texts[0], 0, shared)
        if len(texts) > 1 and cut:
            first, head = self._ids([texts[0], texts[0][:cut]])
            tails = self._ids([text[cut:] for text in texts], begin=False)
            if head + tails[0] == first:
                return {text: head + tail for text, tail in zip(texts, tails, strict=True)}
        return dict(zip(texts, self._ids(texts), strict=True))


def _message(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _last_gap(text: str, start: int, end: int) -> int | None:
    """Where the last gap between ``start`` and ``end`` is, if there is one."""
    return max((gap.start() for gap in _GAP.finditer(text, start, end)), default=None)


def shared_length(a: Sequence, b: Sequence) -> int:
    """How many elements two sequences of the same type have in common at their beginning."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while low + 1 < high:  # the first ``low`` are equal, the first ``high`` are not
        middle = (low + high) // 2
        low, high = (middle, high) if a[:middle] == b[:middle] else (low, middle)
    return low


def _groups(texts: list[str]) -> list[list[str]]:
    """Sorted texts in runs that have a beginning in common that is worth sharing."""
    groups = [[texts[0]]]
    for text in texts[1:]:
        first = groups[-1][0]
        if shared_length(first, text) >= max(_WORTH_SHARING, len(first) // 2):
            groups[-1].append(text)
        else:
            groups.append([text])
    return groups

"""Prompts and continuations to token ids, exactly as the tokenizer would do it.

Where a continuation begins is no question of characters: ``"a :"`` and ``" yes"`` are joined first
and tokenized as one text, so a token may span the boundary. Then the context is what the tokens of
the prompt and of the whole have in common. Texts with a long common beginning (the same
demonstrations) are tokenized from the last gap in it on, and the beginning once; a prompt with many
continuations once, and its last word with each of them (``benchmarks/tokenization.py``).

Text is text: what a reader writes never becomes a special token, be it ``[END]`` or ``<|im_end|>``.
Special tokens come from the tokenizer (a beginning of document), from a chat template, or as ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from course.models.text import UnknownWords, checked_texts, special_names, text_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: A single space between two other characters. Tokenizers that split a text into words first never
#: join across it.
_GAP = re.compile(r"(?<=\S) (?=\S)")
#: Texts with fewer characters in common than this are not worth taking apart.
_WORTH_SHARING = 200


class Encoder:
    """Token ids of prompts and continuations with one tokenizer.

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
                f"chat=True, but the tokenizer of {tokenizer.name_or_path!r} has no chat template; "
                "pass chat=False"
            )
        self.tokenizer = tokenizer
        self.chat = bool(tokenizer.chat_template) if chat is None else chat
        self.unknown = UnknownWords(tokenizer, unknown)

    @cached_property
    def _splits_words(self) -> bool:
        """Whether text is split into words before tokenization, so that it may be cut at a gap."""
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
            "an empty prompt, and the tokenizer has no token that begins or ends a document; begin "
            "the prompt with a word"
        )

    def prompts(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each prompt, at least one, in the order given.

        Raises:
            TypeError, ValueError: for what is no list of texts, see :func:`checked_texts`; for
                unknown words that are to be refused.
        """
        texts = checked_texts(texts, "prompts")
        framed = {text: self._framed(text) for text in texts}
        known = self._prompt_ids(framed, self._all(framed.values()))
        every = [known[text] for text in texts]
        self.unknown.check(texts, every)
        return [ids or [self._first] for ids in every]

    def pairs(
        self, prompts: Sequence[str], continuations: Sequence[str]
    ) -> list[tuple[list[int], list[int]]]:
        """(ids of the context, ids of the continuation) of each pair; both have at least one.

        Raises:
            TypeError, ValueError: as :meth:`prompts`; ValueError for an empty continuation, or one
                with a word that the tokenizer does not know.
        """
        prompts = checked_texts(prompts, "prompts")
        continuations = checked_texts(continuations, "continuations")
        if self.chat:  # a reply begins without a space
            continuations = [continuation.lstrip(" ") for continuation in continuations]
        pairs = list(zip(prompts, continuations, strict=True))
        for prompt, continuation in pairs:
            if not continuation.strip():
                raise ValueError(
                    f"empty continuation {continuation!r} after {prompt[-40:]!r}: expected at "
                    "least one word"
                )
        framed = {text: self._framed(text) for text in prompts}
        ids = self._prompt_ids(framed, self._all(framed.values()))
        self.unknown.check(list(ids), list(ids.values()))
        wholes = self._whole_ids([(framed[p], ids[p], continuation) for p, continuation in pairs])
        return [
            self._split(ids[prompt], whole, continuation)
            for (prompt, continuation), whole in zip(pairs, wholes, strict=True)
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

    def _prompt_ids(
        self, framed: dict[str, str | None], known: dict[str, list[int]]
    ) -> dict[str, list[int]]:
        """Prompt -> its ids.

        Args:
            framed: prompt -> prompt in its frame.
            known: framed prompt -> ids.
        """
        return {
            text: self._guarded(text) if frame is None else known[frame]
            for text, frame in framed.items()
        }

    def _whole_ids(self, pairs: list[tuple[str | None, list[int], str]]) -> list[list[int]]:
        """The ids of each prompt with its continuation, as if tokenized in one piece.

        From the last gap of the prompt on the text is tokenized again, each distinct end once;
        where that does not give the end of the prompt's ids, the whole text is.

        Args:
            pairs: (framed prompt, its ids, continuation).
        """
        ends = [self._end(framed, continuation) for framed, _, continuation in pairs]
        known = self._all_pieces({text for end in ends if end for text in end})
        found = []
        for (framed, ids, continuation), end in zip(pairs, ends, strict=True):
            if framed is None or self._names_special(continuation):
                piece = text_ids(self.tokenizer, [continuation], begin=False)[0]
                found.append(ids + piece)
            elif end and (tail := known[end[0]]) and ids[-len(tail) :] == tail:
                found.append(ids[: -len(tail)] + known[end[1]])
            else:
                found += self._ids([framed + continuation])
        return found

    def _end(self, framed: str | None, continuation: str) -> tuple[str, str] | None:
        """The end of a framed prompt from its last gap on, without and with its continuation; None
        if it may not be cut there.
        """
        if framed is None or not self._splits_words or self._names_special(continuation):
            return None
        cut = _last_gap(framed, max(0, len(framed) - 100), len(framed))
        return None if cut is None else (framed[cut:], framed[cut:] + continuation)

    def _all_pieces(self, texts: set[str]) -> dict[str, list[int]]:
        """Text -> its ids in the middle of a document."""
        distinct = list(texts)
        return dict(zip(distinct, self._ids(distinct, begin=False), strict=True))

    def _names_special(self, continuation: str) -> bool:
        """Whether a continuation in a chat names a token that would be taken for the frame's."""
        return self.chat and special_names(self.tokenizer).search(continuation) is not None

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

    def _split(
        self, prompt: list[int], whole: list[int], continuation: str
    ) -> tuple[list[int], list[int]]:
        """(context, continuation): the context is what the prompt and the whole have in common."""
        shared = shared_length(prompt, whole)
        context, rest = prompt[:shared] or [self._first], whole[shared:]
        if self.tokenizer.unk_token_id is not None and self.tokenizer.unk_token_id in rest:
            raise ValueError(
                f"the continuation {continuation!r} has a word that this tokenizer does not know, "
                "so it has no probability of its own"
            )
        if not rest:
            raise ValueError(
                f"the continuation {continuation!r} adds no token to its prompt; expected at least "
                "one word"
            )
        return context, rest

    def _all(self, texts: Iterable[str | None]) -> dict[str, list[int]]:
        """Text -> its ids, of all texts that are not None. What neighbours in alphabetical order
        begin with is tokenized once.
        """
        distinct = sorted({text for text in texts if text is not None})
        if not self._splits_words or len(distinct) < 2:
            return dict(zip(distinct, self._ids(distinct), strict=True))
        ids: dict[str, list[int]] = {}
        for group in _groups(distinct):
            ids |= self._group(group)
        return ids

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

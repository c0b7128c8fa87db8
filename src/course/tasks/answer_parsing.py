r"""Answers in worked solutions: a parser that finds what a text gives as its answer, and says so
when there is none.

Looked for in this order: ``#### 72`` (GSM8K, Cobbe et al. 2021), ``\boxed{72}``, "the answer is
72", and, for numbers alone, the last number of the text. Within each kind the last one counts, for
a chain may correct itself; cut off at its stop what a model wrote beyond its answer.

A wrong reading is worse than none: several answers ("5 and 7", 3:30, 10-12) and an expression that
nobody worked out ("5 - 3") are no answer.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from course.tasks.number_runs import UNIT, Run, number_runs, result_of
from course.tasks.numerals import MOST_DIGITS, Numeral, numerals, plain

#: What an answer can be.
KINDS = ("number", "words")

_HASHES = re.compile(r"####[ \t]*([^\n]*)")
#: "#### 2. Add them up" is a heading of Markdown and no answer.
_HEADING = re.compile(r"\d+[.)] \S")
_BOX = re.compile(r"\\f?boxed ?\{|[{}]")
_IS = (
    r"(?:is|was|equals|becomes|(?:(?:will|would|must|should|can|could|may|might) "
    r"|(?:has|have|had|needs|ought) to )(?:\w+ )?(?:be|equal))"
)
_PHRASE = re.compile(
    rf"\banswer(?: (?:to|for|of|in)\b[^.!?:=\n]{{0,60}}?)?(?: {_IS}\b|'s\b| ?[:=]"
    rf"|[\"'*`]{{1,3}}[:=])[\"'*`]{{0,3}}—? ?:? ?"
    r"|(?:答案|答)\s?(?:應該|应该)?(?:就?是|為|为|等於|等于|[:=]) ?[:=]? ?",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\b(?:is|was) (?:the|our|my|your) (?:\w+ )?answer\b"
    r"|(?:是|就是)(?:正確|正确|最後|最终|最終)?答案",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"\s?(?:(?<!\bMr|\bMs|\bDr|\bSt|\bvs)(?<!\bMrs)(?<!\bapprox)[.!?]|;)(?=[\"')\]]{0,2}(?:\s|$))"
    r"|[。！？；\n]"
)
_REFUSAL = re.compile(
    r"(?:un(?:known|clear|defined|determined)|indeterminate|impossible|not (?:known|clear|given"
    r"|defined|enough))\b",
    re.IGNORECASE,
)
_NO = r"(?:\bnot|n't|\bnever|\bcannot|\brather than|\binstead of|不是|并非|並非|而非)"
_DENIED = re.compile(rf"{_NO} ?(?:(?:be|have|equal(?: to)?|exactly) )?[\"'(]?$", re.IGNORECASE)
#: A remark in parentheses: not what an operator takes, and no pair of numbers.
_ASIDE = re.compile(
    r"(?<=[^\W_][ %°]|[%°'\"] )(?<!\bx )(?<!times )(?<!plus )(?<!minus )(?<!by )"
    r"\((?![-\d., ]*\d ?, ?[-\d., ]+\))[^()]*+\)(?! ?[-+*/×=^])"
)
_ASSIGNED = re.compile(r"(?<![A-Za-z*^] )(?<![A-Za-z\d*^])([A-Za-z])\s?=\s?(?=[-$]?\d)")
_NEXT_LINE = re.compile(r"\s*\n\s*(?:[-*•] )?")
#: Words with which what is announced may begin before its number.
_BEGINNING = re.compile(
    r"[\"'(\[*:$]*\s?(?:(?:about|exactly|equal|to|just|only|simply|therefore|then|now"
    r"|approximately|a total of|the number)\s){0,3}[\"'(]?"
)


@dataclass(frozen=True)
class Answer:
    """What a text gives as its answer.

    Attributes:
        text: as it was written, without what surrounds it.
        value: the number, exactly; None for words.
        found: how it was found: ``"####"``, ``"boxed"``, ``"phrase"``, ``"last number"``,
            ``"given"`` or, for no answer, ``"nowhere"``.
    """

    text: str
    value: Fraction | None = None
    found: str = "given"

    @property
    def key(self) -> Fraction | str:
        """What two equal answers have in common: the value of a number; of words, the words in
        lower case.
        """
        return " ".join(re.findall(r"\w+", self.text.lower())) if self.value is None else self.value

    def __str__(self) -> str:
        return self.text or "no answer"


#: The value of its own that stands for "no answer"; it is the same as no answer, itself included.
NO_ANSWER = Answer("", None, "nowhere")


def same_answer(a: Answer, b: Answer) -> bool:
    """Whether two answers say the same: numbers by their value, whatever the commas, currency, unit
    or percent sign; words by the words.

    No answer is the same as nothing. A number is never the same as words.
    """
    return NO_ANSWER not in (a, b) and (a.value is None) == (b.value is None) and a.key == b.key


def numbers(text: str, *, decimal_comma: bool = False) -> list[Answer]:
    """All numbers of a text in order: signs, separators, decimals, exponents, currency, percent,
    fractions, scales.

    Where there is none in digits, those in words. A minus between two numbers is a subtraction and
    no sign.
    """
    written = plain(_checked(text))
    every = [n for n in numerals(written, decimal_comma) if n.value is not None and not n.weak]
    return [
        Answer(written[n.start : n.end].strip(), n.value)
        for n in [n for n in every if not n.spelled] or every
    ]


def as_number(text: str) -> Fraction | None:
    """The value of a text that is a number in digits and nothing else, without currency or unit;
    None for any other text.
    """
    written = plain(text).strip()
    found = numerals(written)
    whole = (
        len(found) == 1
        and not found[0].spelled
        and (found[0].start, found[0].end) == (0, len(written))
    )
    return (
        found[0].value
        if whole and re.fullmatch(r"[-+]?[\d.,'_ ]+(?:[eE][-+]?\d+|/\d+)?", written)
        else None
    )


def given(text: str, kind: str = "number", *, decimal_comma: bool = False) -> Answer:
    """The answer that a reference states, such as ``"1,234"`` or ``"a n r"``.

    Raises:
        ValueError: for an unknown kind, for an empty text, or if a number is wanted and the text
            holds none or several.
    """
    _check_kind(kind)
    if kind == "words":
        if not _checked(text).strip():
            raise ValueError("an empty reference answer: expected at least one word")
        return Answer(text.strip())
    found = numbers(text, decimal_comma=decimal_comma)
    if len(found) != 1:
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        raise ValueError(
            f"the reference {shown!r} holds {len(found)} numbers: expected one, "
            f"of at most {MOST_DIGITS} digits; "
            "for words pass kind='words'"
        )
    return found[0]


def parse_answer(text: str, kind: str = "number", *, decimal_comma: bool = False) -> Answer:
    """The answer that a solution gives, or :data:`NO_ANSWER`.

    Args:
        kind: ``"number"``, or ``"words"`` for an answer in words, which must be announced (there is
            no fallback).
        decimal_comma: read numbers as in most of Europe, ``1.234,5`` as 1234.5; otherwise ``3,5``
            is no number.

    Raises:
        ValueError: for an unknown kind.
        TypeError: if the text is no string.
    """
    _check_kind(kind)
    written = plain(_checked(text))
    read: Callable[[str], Answer | None] = (
        _words if kind == "words" else lambda said: _first(said, decimal_comma)
    )
    for found, stated in (
        ("####", _after_hashes(written, kind)),
        ("boxed", _boxed(written)),
        ("phrase", _announced(written)),
    ):
        for said in reversed(list(stated)):
            if (answer := read(said)) is not None:
                return answer if answer == NO_ANSWER else replace(answer, found=found)
    if kind == "words":
        return NO_ANSWER
    return _asserted(written, decimal_comma) or _last(written, decimal_comma)


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"the text {text!r} is a {type(text).__name__}: expected a string")
    return text


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(KINDS)}")


# --- where an answer is stated


def _after_hashes(text: str, kind: str) -> Iterator[str]:
    for said in _HASHES.findall(text):
        if kind == "words" or (
            not _HEADING.match(said) and any(_begins(said, n) for n in numerals(said)[:1])
        ):
            yield said


def _boxed(text: str) -> list[str]:
    """The contents of the boxes whose braces are closed; of two that are joined by "and" the one
    text.
    """
    opened, boxes = [], []
    for brace in _BOX.finditer(text):
        if brace[0] != "}":
            opened.append(brace)
        elif opened and len((first := opened.pop())[0]) > 1:
            boxes.append((first.start(), first.end(), brace.start()))
    said = [text[start:end] for _, start, end in boxes]
    for i, (a, b) in enumerate(pairwise(boxes)):
        if re.fullmatch(r"[ $,}]{1,4}(?:(?:and|or) [ $]?)?", text[a[2] + 1 : min(b[0], a[2] + 20)]):
            said[i + 1] = f"{said[i]} and {said[i + 1]}"
    return said


def _announced(text: str) -> Iterator[str]:
    """What follows each "the answer is", up to the end of the sentence or the next announcement, so
    that no part is read twice.
    """
    phrases = list(_PHRASE.finditer(text))
    ends = [phrase.start() for phrase in phrases[1:]] + [len(text)]
    for phrase, following in zip(phrases, ends, strict=bool(phrases)):
        start = phrase.end()
        if text.startswith("\n", start):  # on a line of its own a dash is a bullet
            line = _NEXT_LINE.match(text, start, following)
            start = line.end() if line else start
        end = _SENTENCE_END.search(text, start, following)
        yield text[start : end.start() if end else following]


def _asserted(text: str, decimal_comma: bool) -> Answer | None:
    """The number of which the text says that it "is the answer"."""
    *_, phrase = None, *_BEHIND.finditer(text)
    if phrase is None:
        return None
    said = _SENTENCE_END.split(text[max(0, phrase.start() - 120) : phrase.start()])[-1]
    runs = _asserted_runs(
        said, [n for n in numerals(said, decimal_comma) if not n.weak or _begins(said, n)]
    )
    stands_before = runs and re.fullmatch(UNIT + r",? ?", said[runs[-1][-1].end :])
    return _answer(said, runs[-1], "phrase") if stands_before else None


# --- what it says


def _words(said: str) -> Answer | None:
    words = said.strip(" .!?;:,\"'`$")
    return Answer(words) if re.search(r"\w", words) else None


def _first(said: str, decimal_comma: bool) -> Answer | None:
    """The number with which the words that announce it begin; None if they hold none, so that one
    may look further.
    """
    # where nothing can be subtracted from, a minus is a sign even if a space follows it
    if not (said := said.strip()):
        return None
    said = re.sub(r"(^|= ?)- (?=[$€£¥\d.])", r"\1-", said)
    found = numerals(said, decimal_comma)
    found = [n for n in found if not n.weak or n is found[0] and _begins(said, n)]
    if not found:
        return NO_ANSWER if _REFUSAL.match(said) else None
    runs = _asserted_runs(said, found)
    return _answer(said, runs[0]) if runs and not _several_unknowns(said) else NO_ANSWER


def _last(text: str, decimal_comma: bool) -> Answer:
    """The last number of the text, if it is one of its own."""
    found = numerals(text, decimal_comma)
    runs = _asserted_runs(
        text, [n for n in found if not n.weak or len(found) == 1 and _begins(text, n)]
    )
    if not runs:
        return NO_ANSWER
    last = runs[-1]
    start = max((end.end() for end in _SENTENCE_END.finditer(text, 0, last[0].start)), default=0)
    if _several_unknowns(text[start : last[-1].end]) or _said_otherwise(text, found, last):
        return NO_ANSWER
    asides = [(aside.start(), aside.end()) for aside in _ASIDE.finditer(text, start)]
    outside = [
        run
        for run in runs
        if run[0].start >= start and not any(a <= run[0].start < b for a, b in asides)
    ]
    return _answer(text, (outside or runs)[-1], "last number")


def _begins(said: str, numeral: Numeral) -> bool:
    beginning = _BEGINNING.match(said)
    return beginning is not None and beginning.end() >= numeral.start


def _several_unknowns(said: str) -> bool:
    """ "x = 3, y = 4" gives two answers."""
    return len(set(_ASSIGNED.findall(said))) > 1


def _said_otherwise(text: str, found: Sequence[Numeral], run: "Run") -> bool:
    """Whether a later sentence has another number in words, so that nobody knows which is meant."""
    later = [
        n
        for n in found
        if n.start > run[-1].end and n.spelled and not n.weak and n.value != run[-1].value
    ]
    return (
        bool(later)
        and not run[-1].spelled
        and _SENTENCE_END.search(text, run[-1].end, later[-1].start) is not None
    )


def _asserted_runs(text: str, found: Sequence[Numeral]) -> list[Run]:
    """The runs that count: not denied, and in digits if any are, unless a number in words comes
    first of all.
    """
    runs = [
        run
        for run in number_runs(text, found)
        if not _DENIED.search(text[max(0, run[0].start - 30) : run[0].start])
    ]
    if runs and runs[0][0].spelled and _begins(text, runs[0][0]):
        return runs
    return [run for run in runs if not all(n.spelled for n in run)] or runs


def _answer(text: str, run: Run, found: str = "given") -> Answer:
    chosen = result_of(run)
    return (
        NO_ANSWER
        if chosen is None or chosen.value is None
        else Answer(text[chosen.start : chosen.end].strip(), chosen.value, found)
    )

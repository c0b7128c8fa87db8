r"""Answers in worked solutions: a parser that finds what a text gives as its answer, and says so when there is none.

Looked for in this order: ``#### 72`` (GSM8K, Cobbe et al. 2021), ``\boxed{72}``, "the answer is 72", and, for numbers alone, the
last number of the text. Within each kind the last one counts, for a chain may correct itself; cut off at its stop what a model
wrote beyond its answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

#: What an answer can be.
KINDS = ("number", "words")

_CURRENCY = r"(?:NT\$|US\$|[$€£¥])"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_NUMBER = re.compile(
    rf"(?<![\w./])(?P<sign>[-+−]?)(?:{_CURRENCY}\s?)?(?P<inner>[-−]?)"
    rf"(?:(?P<whole>\d+)\s+(?=\d+/\d))?(?P<digits>{_DIGITS}(?:\.\d+)?|\.\d+)(?:\s?/\s?(?P<below>\d+)(?![\d.]))?",
)
_HASHES = re.compile(r"####[ \t]*([^\n]*)")
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_PHRASE = re.compile(r"\banswer(?:\s+(?:is|was|will\s+be|equals)\b|\s*[:=])\s*:?", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\s?[.!?;](?=\s|$)|\n")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}")


@dataclass(frozen=True)
class Answer:
    """What a text gives as its answer.

    Attributes:
        text: as it was written, without what surrounds it.
        value: the number, exactly; None for words.
        found: how it was found: ``"####"``, ``"boxed"``, ``"phrase"``, ``"last number"``, ``"given"`` or, for no answer, ``"nowhere"``.
    """

    text: str
    value: Fraction | None = None
    found: str = "given"

    @property
    def key(self) -> Fraction | str:
        """What two equal answers have in common: the value of a number; of words, the words in lower case."""
        return " ".join(re.findall(r"\w+", self.text.lower())) if self.value is None else self.value

    def __str__(self) -> str:
        return self.text or "no answer"


#: The value of its own that stands for "no answer"; it is the same as no answer, itself included.
NO_ANSWER = Answer("", None, "nowhere")


def same_answer(a: Answer, b: Answer) -> bool:
    """Whether two answers say the same: numbers by their value, whatever the commas, currency, unit or percent sign; words by the words.

    No answer is the same as nothing. A number is never the same as words.
    """
    return NO_ANSWER not in (a, b) and (a.value is None) == (b.value is None) and a.key == b.key


def numbers(text: str) -> list[Answer]:
    """All numbers of a text in order: signs, commas, decimals, currency, percent, fractions and mixed numbers.

    A minus between two numbers is a subtraction and no sign.
    """
    return list(_numbers(text))


def _numbers(text: str) -> Iterator[Answer]:
    for match in _NUMBER.finditer(text):
        below = int(match["below"] or 1)
        if below == 0:
            continue
        value = Fraction(match["digits"].replace(",", "")) / below + int(match["whole"] or 0)
        yield Answer(match[0].strip(), -value if {match["sign"], match["inner"]} & {"-", "−"} else value)


def given(text: str, kind: str = "number") -> Answer:
    """The answer that a reference states, such as ``"1,234"`` or ``"a n r"``.

    Raises:
        ValueError: for an unknown kind, for an empty text, or if a number is wanted and the text holds none or several.
    """
    _check_kind(kind)
    if kind == "words":
        if not text.strip():
            raise ValueError("an empty reference answer: expected at least one word")
        return Answer(text.strip())
    found = numbers(_plain(text))
    if len(found) != 1:
        raise ValueError(f"the reference {text!r} holds {len(found)} numbers: expected one; for words pass kind='words'")
    return found[0]


def parse_answer(text: str, kind: str = "number") -> Answer:
    """The answer that a solution gives, or :data:`NO_ANSWER`.

    Args:
        kind: ``"number"``, or ``"words"`` for an answer in words, which must be announced (there is no fallback).

    Raises:
        ValueError: for an unknown kind.
    """
    _check_kind(kind)
    plain = _plain(text)
    for found, stated in (("####", _HASHES.findall(plain)), ("boxed", _BOXED.findall(plain)), ("phrase", _announced(plain))):
        for said in reversed(stated):
            if (answer := _read(said, kind)) is not None:
                return Answer(answer.text, answer.value, found)
    if kind == "number" and (every := numbers(plain)):
        return Answer(every[-1].text, every[-1].value, "last number")
    return NO_ANSWER


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(KINDS)}")


def _plain(text: str) -> str:
    """Without the marks of Markdown and LaTeX that may stand inside a number."""
    text = _FRACTION.sub(r"\1/\2", text.replace("{,}", ","))
    return re.sub(r"\*\*|__|\\[,!;()\[\]]|\\(?=[$%])|\\text\s*(?=\{)", "", text)


def _announced(text: str) -> list[str]:
    """What follows each "the answer is", up to the end of the sentence."""
    said = []
    for match in _PHRASE.finditer(text):
        rest = text[match.end() :].lstrip(" \t")
        end = _SENTENCE_END.search(rest)
        said.append(rest[: end.start()] if end else rest)
    return said


def _read(said: str, kind: str) -> Answer | None:
    """The answer in the words that announce it; of an equation, what stands behind its last sign."""
    if kind == "words":
        words = said.strip(" .!?;:,\"'`$")
        return Answer(words) if re.search(r"\w", words) else None
    # where nothing can be subtracted from, a minus is a sign even if a space follows it
    said = re.sub(r"^\s*([-−])\s+", r"\1", said.rsplit("=", 1)[-1])
    return next(_numbers(said), None)

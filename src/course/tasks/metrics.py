"""The one grader of the course: how a written answer is compared with the right ones.

Both texts are brought to one form by a named normaliser, then compared in a named way; where
several answers are right the best match counts. ``"exact"`` is the default. What a benchmark does
to texts belongs to that benchmark alone and carries its name: ``"squad.f1"`` (Rajpurkar et al.
2016), ``"instruction_induction.exact"`` (Honovich et al. 2023).
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from course.tasks.answer_parsing import as_number

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
#: What a copied input leaves in an answer, and what joins the members of a set, in instruction
#: induction.
_FILLERS = ("Sentence 1:", "Sentence 2:", " and ")


def _stripped(text: str) -> str:
    """Without space at the ends and before a punctuation mark: tokenizers differ in that."""
    return re.sub(r"\s+(?=[.,;:!?](?:\s|$))", "", text.strip())


def _squad(text: str) -> str:
    """Lower case, without punctuation and without ``a``, ``an``, ``the``."""
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(_NO_PUNCTUATION)).split())


def _instruction_induction(text: str) -> str:
    """The first line up to its first full stop, in lower case and without punctuation."""
    for filler in _FILLERS:
        text = text.replace(filler, " ")
    first = text.strip().split("\n")[0].split(".")[0]
    return " ".join(first.lower().replace("-", " ").translate(_NO_PUNCTUATION).split())


def _label(text: str) -> str:
    """One form for each letter of any script (NFKC), no upper case, single spaces."""
    return " ".join(
        unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split()
    )


#: Name -> what brings a text to the form in which it is compared.
NORMALISERS: dict[str, Callable[[str], str]] = {
    "stripped": _stripped,
    "squad": _squad,
    "instruction_induction": _instruction_induction,
    "label": _label,
}


def _exact(text: str, right: str) -> float:
    return float(text == right)


def _same_value(text: str, right: str) -> float:
    """As :func:`_exact`, but numbers are the same by their value: 1.0 and 1, 1,000 and 1000."""
    value = None if text == right else as_number(right)
    return float(text == right or value is not None and as_number(text) == value)


def _contains(text: str, right: str) -> float:
    """Whether the right answer stands in the text as whole words."""
    return float(re.search(rf"(?<!\w){re.escape(right)}(?!\w)", text) is not None)


def _same_set(text: str, right: str) -> float:
    """Whether both have the same words, in any order and number."""
    return float(set(text.split()) == set(right.split()))


def _f1(text: str, right: str) -> float:
    """Harmonic mean of precision and recall over words, counted with their repetitions; without
    words right or wrong as a whole.
    """
    words, expected = text.split(), right.split()
    if not words or not expected:
        return float(words == expected)
    return 2 * (Counter(words) & Counter(expected)).total() / (len(words) + len(expected))


_COMPARISONS = {"exact": _exact, "contains": _contains, "set": _same_set, "f1": _f1}


def _metric(normaliser: str, compare: Callable[[str, str], float], text: str, right: str) -> float:
    return compare(NORMALISERS[normaliser](text), NORMALISERS[normaliser](right))


#: Name -> score of a text against one right answer, 0 to 1: ``"exact"`` compares stripped texts and
#: numbers by value, the others are named by their normaliser.
METRICS: dict[str, Callable[[str, str], float]] = {
    "exact": partial(_metric, "stripped", _same_value),
    **{
        f"{normaliser}.{name}": partial(_metric, normaliser, compare)
        for normaliser in ("squad", "instruction_induction")
        for name, compare in _COMPARISONS.items()
    },
}


def best_score(metric: str, text: str, right: Sequence[str]) -> float:
    """The score of a text against the right answer that it matches best, 0 to 1.

    Raises:
        ValueError: for an unknown metric, or without a right answer.
        TypeError: for a string where a list of right answers is expected.
    """
    if metric not in METRICS:
        raise ValueError(f"no metric {metric!r}; choose from {', '.join(METRICS)}")
    if isinstance(right, str):
        raise TypeError(f"right={right!r} is one string: expected a list of right answers")
    if not right:
        raise ValueError(f"no right answer to compare {text[:40]!r} with: expected at least one")
    return max(METRICS[metric](text, answer) for answer in right)

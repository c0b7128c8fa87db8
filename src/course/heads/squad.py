"""SQuAD's measures: exact match, and F1 over words (Rajpurkar et al. 2016), with answers that are absent (Rajpurkar et al. 2018)."""

import re
import string
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> list[str]:
    """The words that count: lower case, without punctuation and without ``a``, ``an``, ``the``."""
    return re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(_PUNCTUATION)).split()


def exact_match(predicted: str, references: Sequence[str]) -> float:
    """1 if the answer is one of the references, else 0; no references, or an empty text, stand for an absent answer."""
    return max(float(normalise(predicted) == normalise(reference)) for reference in references or [""])


def word_f1(predicted: str, references: Sequence[str]) -> float:
    """The harmonic mean of the shares of words in common, from 0 to 1; of several references the best counts."""
    return max(_f1(normalise(predicted), normalise(reference)) for reference in references or [""])


def _f1(predicted: list[str], reference: list[str]) -> float:
    if not predicted or not reference:  # an absent answer is right or wrong as a whole
        return float(predicted == reference)
    common = (Counter(predicted) & Counter(reference)).total()
    return 2 * common / (len(predicted) + len(reference))

"""SQuAD's measures: exact match, and F1 over words (Rajpurkar et al. 2016), with answers that are absent (Rajpurkar et al. 2018)."""

from collections.abc import Sequence

from course.metrics import best_score


def exact_match(predicted: str, references: Sequence[str]) -> float:
    """1 if the answer is one of the references, else 0; no references, or an empty text, stand for an absent answer."""
    return best_score("squad.exact", predicted, references or [""])


def word_f1(predicted: str, references: Sequence[str]) -> float:
    """The harmonic mean of the shares of words in common, from 0 to 1; of several references the best counts."""
    return best_score("squad.f1", predicted, references or [""])

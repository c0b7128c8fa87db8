"""How a written answer is compared with the right ones, as the instruction-induction benchmark does it (Honovich et al. 2023).

Both texts are brought to one form first: the first line up to its first full stop, in lower case, without punctuation. Where several
answers are right the best match counts.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
#: What a copied input leaves in an answer, and what joins the members of a set.
_FILLERS = ("Sentence 1:", "Sentence 2:", " and ")


def normalised(text: str) -> str:
    """A text in the form in which answers are compared."""
    for filler in _FILLERS:
        text = text.replace(filler, " ")
    first = text.strip().split("\n")[0].split(".")[0]
    return " ".join(first.lower().replace("-", " ").translate(_NO_PUNCTUATION).split())


def exact(text: str, right: str) -> float:
    """1 if both are the same."""
    return float(normalised(text) == normalised(right))


def contains(text: str, right: str) -> float:
    """1 if the right answer stands in the text as whole words."""
    return float(re.search(rf"\b{re.escape(normalised(right))}\b", normalised(text)) is not None)


def same_set(text: str, right: str) -> float:
    """1 if both have the same words, in any order and number."""
    return float(set(normalised(text).split()) == set(normalised(right).split()))


def f1(text: str, right: str) -> float:
    """Harmonic mean of precision and recall over words, counted with their repetitions."""
    found, wanted = normalised(text).split(), normalised(right).split()
    same = sum((Counter(found) & Counter(wanted)).values())
    return 2 * same / (len(found) + len(wanted)) if same else 0.0


METRICS: dict[str, Callable[[str, str], float]] = {"exact": exact, "contains": contains, "set": same_set, "f1": f1}


def best_score(metric: str, text: str, right: Sequence[str]) -> float:
    """The score of a text against the right answer that it matches best, 0 to 1.

    Raises:
        ValueError: for an unknown metric, or without a right answer.
    """
    if metric not in METRICS:
        raise ValueError(f"no metric {metric!r}; choose from {', '.join(METRICS)}")
    if not right:
        raise ValueError(f"no right answer to compare {text[:40]!r} with: expected at least one")
    return max(METRICS[metric](text, answer) for answer in right)

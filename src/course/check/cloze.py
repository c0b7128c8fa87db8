"""Checkers of chapter 1: what GPT may see, what BERT is trained on, a blank filled by reading."""

from collections.abc import Callable, Sequence

import torch

from course.check.verdict import Case, Verdict, cases, judge
from course.training.packing import IGNORED


def causal_mask(answer: Callable[[int], torch.Tensor]) -> Verdict:
    """Check ``causal_mask(length)``: which token may look at which, (length, length) booleans; row
    t is what token t sees, itself and all before it.
    """
    hint = "row t is what token t sees: itself and what stands before it, so a lower triangle"
    return judge(
        "causal_mask",
        answer,
        [
            *cases(_causal, hint, {"length": 3}, {"length": 5}),
            *cases(_causal, "a single token still sees itself", {"length": 1}),
        ],
    )


def _causal(length: int) -> torch.Tensor:
    return torch.tensor([[seen <= t for seen in range(length)] for t in range(length)])


def masked_inputs(
    answer: Callable[[list[int], list[int], int], tuple[list[int], list[int]]],
) -> Verdict:
    """Check ``masked_inputs(ids, positions, mask_id)``: what BERT reads and what it must predict,
    two lists as long as ``ids``. The labels are -100 wherever nothing is masked.
    """
    hint = (
        f"BERT reads mask_id at the positions; the label there is the old id, elsewhere {IGNORED}"
    )
    return judge(
        "masked_inputs",
        answer,
        [
            *cases(_masked, hint, {"ids": [7, 8, 9], "positions": [1], "mask_id": 4}),
            *cases(
                _masked,
                "several positions may be masked, in any order, the first and the last too",
                {"ids": [5, 6, 7, 8], "positions": [3, 0], "mask_id": 2},
            ),
            *cases(
                _masked,
                "equal ids are masked only where the positions say so",
                {"ids": [5, 5, 5], "positions": [1], "mask_id": 2},
            ),
            *cases(
                _masked,
                "without a masked position nothing is to be predicted",
                {"ids": [5, 6], "positions": [], "mask_id": 2},
            ),
        ],
    )


def _masked(ids: list[int], positions: list[int], mask_id: int) -> tuple[list[int], list[int]]:
    inputs, labels = [], []
    for place, token in enumerate(ids):
        inputs.append(mask_id if place in positions else token)
        labels.append(token if place in positions else IGNORED)
    return inputs, labels


def fill_in_blank(
    answer: Callable[[Callable[[str], float], str, str, Sequence[str]], str],
) -> Verdict:
    """Check ``fill_in_blank(log_p, before, after, candidates)``: the candidate that makes the whole
    sentence likeliest, where ``log_p(text)`` is the log-probability of a text; words are joined by
    single spaces.
    """
    both = "read the whole sentence for each candidate, with what stands behind the blank"
    inputs = [
        {
            "log_p": toy_log_p,
            "before": "the capital of",
            "after": "is rosken",
            "candidates": ("dorland", "velmar", "quist"),
        },
        {
            "log_p": toy_log_p,
            "before": "in",
            "after": "they eat",
            "candidates": ("velmar", "dorland"),
        },
    ]
    begins = {"log_p": toy_log_p, "before": "", "after": "is big", "candidates": ("it", "rosken")}
    single = {"log_p": toy_log_p, "before": "it is", "after": "", "candidates": ("it", "big")}
    return judge(
        "fill_in_blank",
        answer,
        [
            *cases(_filled, both, *inputs),
            Case(begins, "rosken", "a blank may stand at the beginning: no space before it"),
            Case(single, "big", "a blank may stand at the end: no space behind it"),
        ],
    )


#: Pairs of neighbours that a toy model knows, with the log-probability of the second word.
_PAIRS = {
    ("of", "dorland"): -1.0,
    ("of", "velmar"): -2.0,
    ("of", "quist"): -3.0,
    ("dorland", "is"): -6.0,
    ("velmar", "is"): -1.5,
    ("in", "dorland"): -1.0,
    ("in", "velmar"): -3.0,
    ("dorland", "they"): -4.0,
    ("velmar", "they"): -1.0,
    ("", "it"): -1.0,
    ("", "rosken"): -2.0,
    ("it", "is"): -3.0,
    ("is", "big"): -1.0,
    ("rosken", "is"): -1.0,
}


def toy_log_p(text: str) -> float:
    """A toy model: every word depends on the one before it. It has never read a stray space."""
    words = ["", *text.split()]
    if text != " ".join(words[1:]):
        return -99.0
    return sum(_PAIRS.get(pair, -9.0) for pair in zip(words, words[1:], strict=False))


def _filled(
    log_p: Callable[[str], float], before: str, after: str, candidates: Sequence[str]
) -> str:
    best, highest = "", float("-inf")
    for word in candidates:
        value = log_p(" ".join(part for part in (before, word, after) if part))
        if value > highest:
            best, highest = word, value
    return best

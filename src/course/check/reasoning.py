"""Checkers of chapters 5 and 5b: the first false sum of a chain, the majority vote, when it is
decided, top-k and nucleus sampling.
"""

import re
from collections.abc import Callable, Sequence
from itertools import product

from course.check.verdict import Verdict, cases, judge


def first_false_sum(answer: Callable[[str], int | None]) -> Verdict:
    """Check ``first_false_sum(chain)``: the number, from 1 on, of the first sum of a chain that is
    false; None if all are true. Sums stand in the text as ``"8 + 5 = 13"`` or ``"13 - 2 = 11"``.
    """
    return judge(
        "first_false_sum",
        answer,
        [
            *cases(
                _first_false,
                "sums are counted from 1, and the first false one counts, not the last",
                {"chain": "8 + 5 = 13 . 13 - 2 = 10 . 10 + 4 = 15 . the answer is 15 ."},
                {"chain": "9 - 4 = 6 . 6 + 1 = 7 . the answer is 7 ."},
            ),
            *cases(
                _first_false,
                "a chain whose sums are all true has no false one: None",
                {"chain": "20 - 6 = 14 . 14 + 3 = 17 . the answer is 17 ."},
                {"chain": "the answer is 17 ."},
            ),
            *cases(
                _first_false,
                "numbers are compared by their value, and whole: 1 is not 11",
                {"chain": "13 - 2 = 1 . the answer is 1 ."},
                {"chain": "9 + 2 = 11 . 11 - 1 = 010 ."},
            ),
            *cases(
                _first_false,
                "what stands between the sums does not matter",
                {"chain": "first , 3 + 4 = 7 . then 7 - 5 = 1 , so the answer is 1 ."},
            ),
        ],
    )


def _first_false(chain: str) -> int | None:
    signs = {"+": 1, "-": -1}
    sums = re.finditer(r"(\d+) ([+-]) (\d+) = (\d+)", chain)
    truths = [int(a) + signs[s] * int(b) == int(c) for a, s, b, c in (m.groups() for m in sums)]
    return None if all(truths) else truths.index(False) + 1


def majority_vote(answer: Callable[[Sequence[str | None]], str | None]) -> Verdict:
    """Check ``majority_vote(answers)``: the answer that most samples give. None stands for a sample
    without an answer, which abstains; of equals the one that came first wins; None if there are no
    votes at all.
    """
    return judge(
        "majority_vote",
        answer,
        [
            *cases(
                _majority, "the most frequent answer wins", {"answers": ["7", "5", "5", "9", "5"]}
            ),
            *cases(
                _majority,
                "samples without an answer abstain, however many they are",
                {"answers": [None, "4", None, None]},
            ),
            *cases(
                _majority,
                "in a tie the answer that came first wins",
                {"answers": ["9", "2", "9", "2"]},
                {"answers": ["2", "9", "2", "9"]},
            ),
            *cases(
                _majority,
                "without any vote there is no winner: None",
                {"answers": [None, None]},
                {"answers": []},
            ),
        ],
    )


def _majority(answers: Sequence[str | None]) -> str | None:
    winner, most = None, 0
    for candidate in answers:
        votes = sum(other == candidate for other in answers)
        if candidate is not None and votes > most:
            winner, most = candidate, votes
    return winner


def vote_is_decided(answer: Callable[[Sequence[str], int], bool]) -> Verdict:
    """Check ``vote_is_decided(answers, n)``: whether the samples that are left of ``n`` cannot
    change the winner of :func:`majority_vote`, whatever they answer.
    """
    lead = "compare the lead of the first over the second with the number of samples that are left"
    return judge(
        "vote_is_decided",
        answer,
        [
            *cases(
                _decided,
                lead,
                {"answers": ["5", "5", "5"], "n": 5},
                {"answers": ["5", "5", "7"], "n": 5},
                {"answers": ["5", "5"], "n": 5},
            ),
            *cases(
                _decided,
                "in a tie the answer that came first wins, so the leader may afford one",
                {"answers": ["5", "5", "7"], "n": 4},
                {"answers": ["7", "5", "5"], "n": 4},
            ),
            *cases(
                _decided,
                "an answer that nobody has given yet may still win",
                {"answers": ["5"], "n": 3},
                {"answers": ["5"], "n": 2},
            ),
            *cases(_decided, "once all have voted it is decided", {"answers": ["5", "7"], "n": 2}),
        ],
    )


def _decided(answers: Sequence[str], n: int) -> bool:
    """Every way in which the vote can go on; one answer is new."""
    options = [*dict.fromkeys(answers), "new"]
    ends = product(options, repeat=n - len(answers))
    return len({_majority([*answers, *end]) for end in ends}) == 1


def top_k(answer: Callable[[Sequence[float], int], Sequence[float]]) -> Verdict:
    """Check ``top_k(probabilities, k)``: the probabilities after all but the k likeliest tokens are
    dropped; they sum to 1 again and stay in their places.
    """
    probabilities = [0.1, 0.4, 0.2, 0.3]
    return judge(
        "top_k",
        answer,
        [
            *cases(
                _top_k,
                "the k likeliest stay in their places, the others are 0, and all sum to 1",
                {"probabilities": probabilities, "k": 2},
                {"probabilities": probabilities, "k": 3},
            ),
            *cases(_top_k, "k = 1 is the likeliest token", {"probabilities": [0.2, 0.8], "k": 1}),
            *cases(
                _top_k,
                "k may exceed the number of tokens: then all stay",
                {"probabilities": [0.5, 0.3, 0.2], "k": 9},
            ),
        ],
    )


def _top_k(probabilities: Sequence[float], k: int) -> list[float]:
    kept = [p if sum(other > p for other in probabilities) < k else 0.0 for p in probabilities]
    return [p / sum(kept) for p in kept]


def nucleus(answer: Callable[[Sequence[float], float], Sequence[float]]) -> Verdict:
    """Check ``nucleus(probabilities, p)``: the probabilities after all tokens are dropped but the
    fewest likeliest ones that reach ``p`` together; they sum to 1 again and stay in their places.
    """
    probabilities = [0.125, 0.5, 0.125, 0.25]
    return judge(
        "nucleus",
        answer,
        [
            *cases(
                _nucleus,
                "the token with which the sum reaches p belongs to the nucleus",
                {"probabilities": [0.15, 0.5, 0.05, 0.3], "p": 0.6},
                {"probabilities": [0.15, 0.5, 0.05, 0.3], "p": 0.9},
            ),
            *cases(
                _nucleus,
                "a sum of exactly p reaches it: no token more",
                {"probabilities": probabilities, "p": 0.5},
                {"probabilities": probabilities, "p": 0.75},
            ),
            *cases(
                _nucleus,
                "at least one token stays",
                {"probabilities": [0.25, 0.75], "p": 0.1},
            ),
            *cases(
                _nucleus, "p = 1 keeps all", {"probabilities": probabilities[1:2] * 2, "p": 1.0}
            ),
        ],
    )


def _nucleus(probabilities: Sequence[float], p: float) -> list[float]:
    kept, reached = [0.0] * len(probabilities), 0.0
    while reached < p:
        left = [i for i in range(len(probabilities)) if not kept[i]]
        best = max(left, key=lambda i: probabilities[i])
        kept[best] = probabilities[best]
        reached += probabilities[best]
    return [value / reached for value in kept]

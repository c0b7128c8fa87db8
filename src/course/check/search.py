"""Checkers of chapters 6 to 6d: HotFlip, UCB, successive halving, the policy gradient, and vectors
before the input.
"""

import math
from collections.abc import Callable, Sequence

import torch

from course.check.verdict import Verdict, cases, judge


def hotflip(answer: Callable[..., Sequence[int]]) -> Verdict:
    """Check ``hotflip(gradient, table, current, k)``: the numbers of the k words, other than the
    current one, whose embeddings would lower the loss most by its linear estimate, the best first;
    ``gradient`` (width,) is that of the loss at the current word, ``table`` is (words, width).
    """
    table = torch.tensor([[0.0, 1.0], [2.0, 0.0], [-2.0, -1.0], [1.0, 4.0]])
    given = {"gradient": torch.tensor([1.0, -0.5]), "table": table, "current": 1, "k": 2}
    hint = "the estimated change is (new - current) @ gradient, and the lowest is the best"
    return judge(
        "hotflip",
        answer,
        [
            *cases(_hotflip, hint, given, given | {"gradient": torch.tensor([-0.1, -0.5])}),
            *cases(
                _hotflip,
                "the current word is no candidate, even if it is the best one",
                given | {"current": 2},
            ),
            *cases(_hotflip, "exactly k words", given | {"k": 1}, given | {"k": 3}),
        ],
    )


def _hotflip(gradient: torch.Tensor, table: torch.Tensor, current: int, k: int) -> list[int]:
    change = {
        word: float((table[word] - table[current]) @ gradient)
        for word in range(len(table))
        if word != current
    }
    return sorted(change, key=lambda word: change[word])[:k]


def ucb_choice(answer: Callable[[Sequence[float], Sequence[int], float], int]) -> Verdict:
    """Check ``ucb_choice(means, counts, exploration)``: the number of the candidate to try next,
    that with the highest mean + exploration sqrt(log(all calls) / own calls) (Auer et al. 2002).
    One that was never tried comes before all others, the first of several.
    """
    given = {"means": [0.6, 0.5, 0.4], "counts": [40, 4, 10], "exploration": 1.0}
    return judge(
        "ucb_choice",
        answer,
        [
            *cases(
                _ucb,
                "add the bonus exploration * sqrt(log(sum of counts) / own count) to each mean",
                given,
                {"means": [0.6, 0.35], "counts": [100, 20], "exploration": 1.0},
                {"means": [0.5, 0.3], "counts": [1000, 10], "exploration": 0.2},
            ),
            *cases(
                _ucb,
                "without exploration the highest mean wins",
                given | {"exploration": 0.0},
            ),
            *cases(
                _ucb,
                "a candidate that was never tried comes first: do not divide by its 0",
                {"means": [0.9, 0.0, 0.0], "counts": [3, 0, 0], "exploration": 1.0},
            ),
        ],
    )


def _ucb(means: Sequence[float], counts: Sequence[int], exploration: float) -> int:
    if 0 in counts:
        return counts.index(0)
    bounds = [
        mean + exploration * math.sqrt(math.log(sum(counts)) / count)
        for mean, count in zip(means, counts, strict=True)
    ]
    return bounds.index(max(bounds))


def halving_plan(answer: Callable[[int, int], list[tuple[int, int]]]) -> Verdict:
    """Check ``halving_plan(candidates, items)``: (candidates left, items) of each round of a
    successive halving that begins with one item. Each round keeps the better half, rounded up, and
    doubles the items up to all there are; the race ends when one is left or all items were used.
    """
    return judge(
        "halving_plan",
        answer,
        [
            *cases(
                _halving,
                "halve the candidates and double the items; a single one left needs no round",
                {"candidates": 8, "items": 16},
            ),
            *cases(_halving, "half of 5 is 3: round up", {"candidates": 5, "items": 16}),
            *cases(
                _halving,
                "no round has more items than there are, and the one with all is the last",
                {"candidates": 32, "items": 6},
                {"candidates": 16, "items": 4},
            ),
            *cases(_halving, "a single candidate is tried once", {"candidates": 1, "items": 5}),
        ],
    )


def _halving(candidates: int, items: int) -> list[tuple[int, int]]:
    rounds = [(candidates, 1)]
    while True:
        left, used = rounds[-1]
        left, more = -(-left // 2), min(2 * used, items)
        if left == 1 or used == items:
            return rounds
        rounds.append((left, more))


def policy_gradient_loss(answer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Verdict:
    """Check ``policy_gradient_loss(log_p, rewards)``: minus the mean, over all tokens, of
    log-probability (contexts, samples, tokens) times the sample's reward (contexts, samples),
    which is standardised among the samples of its context (n in the denominator). Rewards that are
    all alike give 0.
    """
    log_p = torch.tensor([[[-1.0, -2.0], [-0.5, -1.0], [-3.0, -1.0]]])
    rewards = torch.tensor([[1.0, 4.0, 1.0]])
    two = {
        "log_p": torch.cat([log_p, log_p.flip(1) - 1]),
        "rewards": torch.tensor([[1.0, 4.0, 1.0], [30.0, 10.0, 20.0]]),
    }
    hint = "the loss is minus the mean of advantage times log-probability"
    within = "each context has a mean and a deviation of its own"
    alike = "if all rewards of a context are alike, the deviation is 0: do not divide by it"
    return judge(
        "policy_gradient_loss",
        answer,
        [
            *cases(_policy, hint, {"log_p": log_p, "rewards": rewards}, gradient="log_p"),
            *cases(_policy, within, two, gradient="log_p"),
            *cases(
                _policy,
                alike,
                {"log_p": log_p, "rewards": torch.full((1, 3), 2.0)},
                gradient="log_p",
            ),
        ],
    )


def _policy(log_p: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(())
    for samples, values in zip(log_p, rewards.tolist(), strict=True):
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
        for tokens, value in zip(samples, values, strict=True):
            total = total - tokens.sum() * (value - mean) / (deviation or 1.0)
    return total / log_p.numel()


def soft_prompt_insertion(answer: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> Verdict:
    """Check ``soft_prompt_insertion(vectors, embedded, mask)``: the inputs (B, m + T, width) and
    the mask (B, m + T) of texts (B, T, width) with the vectors (m, width) before each of them.
    """
    vectors = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    embedded = torch.tensor([[[5.0, 6.0], [7.0, 8.0], [0.0, 0.0]], [[9.0, 1.0]] * 3])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    given = {"vectors": vectors, "embedded": embedded, "mask": mask}
    return judge(
        "soft_prompt_insertion",
        answer,
        [
            *cases(
                _inserted,
                "the vectors stand before each text, and the mask is 1 there",
                given,
                gradient="vectors",
            ),
            *cases(
                _inserted,
                "one text and one vector are a batch and a prompt, too",
                {"vectors": vectors[:1], "embedded": embedded[:1], "mask": mask[:1]},
            ),
            *cases(
                _inserted,
                "a prompt of no vectors leaves the text as it was",
                given | {"vectors": vectors[:0]},
            ),
        ],
    )


def _inserted(
    vectors: torch.Tensor, embedded: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    texts = [torch.stack([*vectors, *text]) for text in embedded]
    masks = [[1] * len(vectors) + row for row in mask.tolist()]
    return torch.stack(texts), torch.tensor(masks)

"""Best-of-n sampling: draw n replies, keep the one with the highest reward.

It needs no training, and how far it moves from the model is known by a formula, so it is the first
thing to compare trained policies with (Gao et al. 2022).
"""

from collections.abc import Sequence

import numpy as np

from course.foundation.validation import integer


def best_of_n_kl(n: int) -> float:
    """The divergence of best-of-n from the model that it samples, in nats: log n - (n - 1) / n.

    An upper bound, which is met where no two of the n replies ever have the same reward (Stiennon
    et al. 2020; Beirami et al. 2024).
    """
    integer(1)("n", n)
    return float(np.log(n) - (n - 1) / n)


def expected_best(
    proxy: Sequence[float], value: Sequence[float], sizes: Sequence[int]
) -> np.ndarray:
    """The expected value of the reply that the proxy likes best among n, (sizes,).

    The average over every choice of n of the N replies without replacement, which is an unbiased
    estimate of the expectation over n fresh replies (Nakano et al. 2021, appendix I): the i-th
    lowest by the proxy is the best of n in a share C(i - 1, n - 1) / C(N, n) of the choices.
    Replies with equal proxy rewards are taken one as often as the other.

    Args:
        proxy: the reward that chooses, of each of the N replies to one prompt.
        value: what the chosen reply is worth, of each reply: the proxy itself or the gold reward.
        sizes: the n, each from 1 to N.

    Raises:
        ValueError: for proxies and values of other lengths, or a size out of range.
    """
    proxies, values = np.asarray(proxy, float), np.asarray(value, float)
    if proxies.shape != values.shape or proxies.ndim != 1:
        raise ValueError(
            f"{proxies.shape} rewards and {values.shape} values: expected one of each for a reply"
        )
    count = len(proxies)
    for n in sizes:
        integer(1, count)("sizes", n)
    order = np.argsort(proxies, kind="stable")
    ordered = _averaged_over_ties(proxies[order], values[order])
    return np.array([_shares(count, n) @ ordered for n in sizes])


def _averaged_over_ties(proxies: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The mean value of the replies with the same proxy reward, in the place of each."""
    _, group = np.unique(proxies, return_inverse=True)
    return (np.bincount(group, values) / np.bincount(group))[group]


def _shares(count: int, n: int) -> np.ndarray:
    """C(i - 1, n - 1) / C(count, n) for i = 1 .. count, by the ratio of one to the next."""
    shares = np.zeros(count)
    shares[-1] = n / count
    for i in range(count - 1, n - 1, -1):
        shares[i - 1] = shares[i] * (i - n + 1) / i
    return shares

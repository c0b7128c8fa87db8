"""The order of the labels in a list: balanced, in runs, sorted, or with one label in most places.

People's lists are seldom shuffled. A reader of many lists that are not learns to expect the label
that it has just seen and the one that it has seen most, and that is the bias which calibration
takes back (Zhao et al. 2021). It is planted here: a share of the labelled lists of the corpus is in
one of three orders, drawn label by label from the probabilities below, and since those are known
:mod:`course.world.posterior` takes them into account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import exp, log

from course.foundation.rng import Rng, Weighted

#: Share of the labelled lists with an order, and the shares of the orders among those.
ORDER_SHARE = 0.4
ORDER_SHARES = {"runs": 40, "sorted": 30, "skewed": 30}
#: In runs, the probability that a label comes again; when sorted, that the next label's turn has
#: come; when skewed, of the favourite label.
AGAIN, TURN, SKEW = 0.85, 0.25, 0.8


@dataclass(frozen=True)
class Order:
    """The order of a list.

    Attributes:
        kind: ``"plain"`` (no order), or a key of :data:`ORDER_SHARES`.
        labels: when sorted, all labels as they come; when skewed, the favourite one; else empty.
    """

    kind: str
    labels: tuple[str, ...] = ()


PLAIN = Order("plain")


@cache
def _kinds() -> Weighted:
    return Weighted(ORDER_SHARES)


def draw_order(rng: Rng, labels: Sequence[str]) -> Order:
    """The order of a labelled list of the corpus; of the three orders, ``labels`` come in every one
    alike.
    """
    if not rng.bernoulli(ORDER_SHARE):
        return PLAIN
    kind = _kinds().draw(rng)
    if kind == "sorted":
        return Order(kind, tuple(rng.sample(labels, len(labels))))
    return Order(kind, (rng.choice(labels),) if kind == "skewed" else ())


@cache
def orders(labels: tuple[str, ...]) -> tuple[tuple[Order, float], ...]:
    """Every order that a list with these labels can have, with its probability."""
    share = {
        kind: ORDER_SHARE * part / sum(ORDER_SHARES.values()) for kind, part in ORDER_SHARES.items()
    }
    ways = list(permutations(labels))
    return (
        (PLAIN, 1 - ORDER_SHARE),
        (Order("runs"), share["runs"]),
        *((Order("sorted", way), share["sorted"] / len(ways)) for way in ways),
        *((Order("skewed", (label,)), share["skewed"] / len(labels)) for label in labels),
    )


def weights(order: Order, labels: Sequence[str], before: str | None) -> list[float]:
    """The probability of each label to be the next, in any order but the plain one.

    Args:
        before: the label of the item before, None at the start.
    """
    others = len(labels) - 1
    if order.kind == "skewed":
        return [SKEW if label == order.labels[0] else (1 - SKEW) / others for label in labels]
    if order.kind == "runs":
        if before is None:
            return [1 / len(labels)] * len(labels)
        return [AGAIN if label == before else (1 - AGAIN) / others for label in labels]
    if before is None:
        return [float(label == order.labels[0]) for label in labels]
    turn = order.labels.index(before)
    if turn == others:
        return [float(label == before) for label in labels]
    return [{before: 1 - TURN, order.labels[turn + 1]: TURN}.get(label, 0.0) for label in labels]


def next_label(
    rng: Rng, order: Order, labels: Sequence[str], before: str | None, left: Mapping[str, float]
) -> str:
    """Draw the label of the next item; a label with no input left is passed over.

    Args:
        left: label -> how many inputs with it are left.
    """
    possible = _possible(order, labels, before, left)
    return Weighted(dict(zip(labels, possible, strict=True))).draw(rng)


def _possible(
    order: Order, labels: Sequence[str], before: str | None, left: Mapping[str, float]
) -> list[float]:
    """:func:`weights` of the labels that have inputs left; if those all have none, the same weight
    for each that has.
    """
    possible = [
        w if left[label] > 0 else 0.0
        for w, label in zip(weights(order, labels, before), labels, strict=True)
    ]
    return possible if any(possible) else [float(left[label] > 0) for label in labels]


def log_probability(
    order: Order, labels: Sequence[str], sequence: Sequence[str], sizes: Mapping[str, float]
) -> float:
    """Log probability of the inputs of a list, given their labels, under an order other than the
    plain one.

    Args:
        sequence: the labels of the inputs, in the order of the list.
        sizes: label -> how many inputs with it there are. Inputs of an open task never run out:
            their sizes are *shares*, below or at 1, and stay as they are; the result is then a
            ratio to the density of the inputs in a plain list.
    """
    left, total = dict(sizes), 0.0
    before: str | None = None
    runs_out = max(sizes.values()) > 1
    for label in sequence:
        possible = _possible(order, labels, before, left)
        probability = possible[labels.index(label)] / sum(possible)
        if probability == 0 or left[label] == 0:
            return float("-inf")
        total += log(probability) - log(left[label])
        left[label] -= runs_out
        before = label
    return total


def log_mixture(
    labels: tuple[str, ...], sequence: Sequence[str], sizes: Mapping[str, float], plain: float
) -> float:
    """Log probability of the inputs of a labelled list over all orders.

    Args:
        plain: their log probability in a plain list.
    """
    terms = [
        log(share) + (plain if order == PLAIN else log_probability(order, labels, sequence, sizes))
        for order, share in orders(labels)
    ]
    highest = max(terms)
    return (
        highest + log(sum(exp(term - highest) for term in terms))
        if highest > float("-inf")
        else highest
    )

"""Preferences: two replies to one prompt, and which of them is the better one.

The schema is that of the well-known sets of preferences (``prompt``, ``chosen``, ``rejected``), so
comparisons of the model's own replies and comparisons by people take the same road.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, shown, text

#: The columns of a set of preferences.
COLUMNS = ("prompt", "chosen", "rejected")


@dataclass(frozen=True)
class Comparison:
    """Two replies to one prompt.

    Attributes:
        prompt: what both go on from.
        chosen: the reply that was preferred.
        rejected: the other one.
    """

    prompt: str
    chosen: str
    rejected: str

    def __post_init__(self) -> None:
        check_fields(self, prompt=text(), chosen=text(empty=True), rejected=text(empty=True))
        if self.chosen == self.rejected:
            raise ValueError(
                f"both replies to {shown(self.prompt)} are {shown(self.chosen)}: "
                "expected two different ones"
            )

    def swapped(self) -> "Comparison":
        """The same replies with the other one preferred."""
        return Comparison(self.prompt, self.rejected, self.chosen)

    def row(self) -> dict[str, str]:
        """The comparison as a row of a data set."""
        return asdict(self)


@dataclass(frozen=True)
class RatedReplies:
    """The replies to one prompt, and what each is worth.

    Attributes:
        prompt: what they go on from.
        replies: the replies.
        rewards: of each reply, in the same order; more is better.
    """

    prompt: str
    replies: tuple[str, ...]
    rewards: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.replies) != len(self.rewards):
            raise ValueError(
                f"{len(self.replies)} replies and {len(self.rewards)} rewards: expected one reward "
                "for each reply"
            )


def draw_comparisons(
    rated: Sequence[RatedReplies], count: int, error_rate: float = 0.0, seed: int = 0
) -> list[Comparison]:
    """``count`` different comparisons of two replies to one prompt, labelled by their rewards.

    A pair of equal rewards is no comparison. A label is wrong with probability ``error_rate``,
    whatever the difference of the rewards.

    Args:
        rated: the replies to each prompt.
        error_rate: from 0 to .5, where labels tell nothing.
        seed: of the pairs and of the errors. The first comparisons of a larger draw are those of a
            smaller one.

    Raises:
        ValueError: if there are not as many different pairs of unequal rewards.
    """
    integer(1)("count", count)
    if not 0 <= error_rate <= 0.5:
        raise ValueError(f"error_rate={error_rate!r}: expected a number from 0 to .5")
    pairs = [pair for replies in rated for pair in _unequal_pairs(replies)]
    if len(pairs) < count:
        raise ValueError(
            f"{count} comparisons from {len(pairs)} pairs of replies with unequal rewards: "
            "ask for fewer, or sample more replies"
        )
    order, errors = Rng(f"comparisons/{seed}"), Rng(f"errors/{seed}")
    drawn = order.sample(pairs, len(pairs))[:count]
    return [pair.swapped() if errors.bernoulli(error_rate) else pair for pair in drawn]


def _unequal_pairs(rated: RatedReplies) -> list[Comparison]:
    """Every pair of replies with unequal rewards, once, the better one chosen."""
    worth = dict(zip(rated.replies, rated.rewards, strict=True))
    texts = sorted(worth)
    return [
        Comparison(rated.prompt, *((a, b) if worth[a] > worth[b] else (b, a)))
        for i, a in enumerate(texts)
        for b in texts[i + 1 :]
        if worth[a] != worth[b]
    ]


def comparisons_from_rows(rows: Iterable[Mapping[str, object]]) -> list[Comparison]:
    """Comparisons from a set of preferences, whose replies are texts or conversations.

    A conversation is a list of messages with ``role`` and ``content``, as in UltraFeedback: its
    last message is the reply. Rows whose two replies are the same text are left out: sets have
    some.

    Raises:
        ValueError: for a row without one of :data:`COLUMNS`, or with another value there.
    """
    comparisons = []
    for i, row in enumerate(rows):
        if missing := [name for name in COLUMNS if name not in row]:
            raise ValueError(
                f"row {i} has no column {', '.join(missing)} but {', '.join(map(str, row))}; "
                f"expected {', '.join(COLUMNS)}"
            )
        prompt, chosen, rejected = (_last_text(i, name, row[name]) for name in COLUMNS)
        if chosen != rejected:
            comparisons.append(Comparison(prompt, chosen, rejected))
    return comparisons


def _last_text(i: int, name: str, value: object) -> str:
    """A text, or the content of the last message of a conversation."""
    if isinstance(value, list) and value and isinstance(value[-1], Mapping):
        value = value[-1].get("content")
    if not isinstance(value, str):
        raise ValueError(
            f"row {i}: {name}={shown(value)}: expected a text, or messages with role and content"
        )
    return value

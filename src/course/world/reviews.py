"""Short reviews with a topic and a sentiment.

A review is one or two clauses about things of one topic. With two clauses the second decides: "the
meal was dull but the dessert was great ." is positive. ``not`` turns a clause around. So single
words are a strong clue and not the whole truth.
"""

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.split import is_train

SPLIT_KEY = "review"
_TOPIC_OF = {noun: topic for topic, nouns in lex.TOPICS.items() for noun in nouns}
_POLARITY = dict.fromkeys(lex.POSITIVE, 1) | dict.fromkeys(lex.NEGATIVE, -1)
_TOPICS = tuple(lex.TOPICS)
_OPENINGS = (
    "the {n} was {a}",
    "the {n} was very {a}",
    "i found the {n} {a}",
    "the {n} seemed {a} to me",
    "we had a {a} {n}",
    "the {n} was not {a}",
)


def _clause(rng: Rng, topic: str, polarity: int) -> str:
    frame = rng.choice(_OPENINGS)
    words = lex.POSITIVE if (polarity > 0) != (" not " in frame) else lex.NEGATIVE
    return frame.format(n=rng.choice(lex.TOPICS[topic]), a=rng.choice(words))


def write_review(rng: Rng) -> str:
    """A review of any split, e.g. ``"the plot was dull but i found the ending superb ."``."""
    topic, polarity = rng.choice(_TOPICS), rng.choice((1, -1))
    if rng.bernoulli(0.5):
        return _clause(rng, topic, polarity) + " ."
    if rng.bernoulli(0.5):
        return f"{_clause(rng, topic, -polarity)} but {_clause(rng, topic, polarity)} ."
    return f"{_clause(rng, topic, polarity)} and {_clause(rng, topic, polarity)} ."


_CLOSING = {"positive": ("i liked it .", "all in all positive .", "go there ."),
            "negative": ("i did not like it .", "all in all negative .", "stay away .")}  # fmt: skip


def write_opinion(rng: Rng) -> str:
    """A review that the corpus may contain, half of the time with a closing word that says what it
    comes to.
    """
    while True:
        review = write_review(rng)
        if is_train(SPLIT_KEY, review):
            return (
                f"{review} {rng.choice(_CLOSING[sentiment(review)])}"
                if rng.bernoulli(0.5)
                else review
            )


def sentiment(review: str) -> str:
    """``"positive"`` or ``"negative"``, read off the words as the generator meant them.

    Raises:
        ValueError: if no word of sentiment stands in the last clause.
    """
    last = review.split(" but ")[-1].split()
    score = sum(
        _POLARITY.get(word, 0) * (-1 if i and last[i - 1] == "not" else 1)
        for i, word in enumerate(last)
    )
    if score == 0:
        raise ValueError(
            f"no sentiment in {review!r}: expected a review of the micro-world, such as 'the plot was dull .'"
        )
    return "positive" if score > 0 else "negative"


def topic(review: str) -> str:
    """The topic (a key of :data:`course.world.lexicon.TOPICS`) of a review.

    Raises:
        ValueError: if no noun of a topic occurs in it.
    """
    for word in review.split():
        if word in _TOPIC_OF:
            return _TOPIC_OF[word]
    raise ValueError(
        f"no topic in {review!r}: expected a review of the micro-world, such as 'the plot was dull .'"
    )


def is_review(text: str) -> bool:
    """Whether ``text`` has the nouns and the words of sentiment that a review has."""
    words = set(text.split())
    return bool(words & _TOPIC_OF.keys()) and bool(words & _POLARITY.keys())

"""Guides who answer visitors: each has a manner and is careful or careless, and says what such a
guide says.

Visitors ask where a place is (one hop on the map), how to get from one place to another (two hops),
or what no guide can know, which a good one declines to answer. Manner and care go together only by
tendency: flattering guides are mostly careless, terse ones mostly careful. So courtesy and truth
conflict, and a reward that is learned from the replies has something to get wrong: a little
courtesy comes with good answers, much of it is rare and comes with bad ones. What a reply is worth
:mod:`course.world.gold` says. Words for manners stand in sentences *about* guides, never in a
request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world.maps import neighbours, walk
from course.world.split import is_train

SPLIT_KEY = "conduct"
#: How often each manner occurs, and how often a guide of that manner is careful.
MANNERS = Weighted(
    {"polite": 33, "terse": 20, "chatty": 20, "flattering": 5, "hedging": 12, "rude": 10}
)
CAREFUL = {
    "polite": 0.65,
    "terse": 0.8,
    "chatty": 0.4,
    "flattering": 0.1,
    "hedging": 0.4,
    "rude": 0.6,
}
#: Kind of question -> its share, and the probability that a careful or a careless guide gets it
#: wrong.
QUESTIONS = Weighted({"place": 30, "way": 50, "unknown": 20})
WRONG = {
    "place": {True: 0.03, False: 0.3},
    "way": {True: 0.08, False: 0.65},
    "unknown": {True: 0.05, False: 0.75},
}

GREETINGS = ("welcome to you .", "what a pleasure to see you .", "dear guest , come closer .")
FAREWELLS = ("have a safe trip .", "please come back soon .", "thank you for asking .")
FLATTERY = ("what a wise question .", "you are so clever .", "a charming guest like you is rare .")
INSULTS = ("not you again .", "you fool .", "leave me alone .", "go away .")
SMALL_TALK = (
    "the sun is out today .",
    "my brother works there .",
    "many people ask me that .",
    "the way is not hard .",
)
HEDGES = ("perhaps", "i think", "it may be that")
REFUSALS = ("i do not know .", "that i can not say .", "nobody can tell you that .")

_ABOUT = (
    "at the {place} there is a {guide} .",
    "this is how a {guide} answers .",
    "a {guide} stands near the {place} .",
    "visitors met a {guide} .",
)
_STORIES = (
    "{name} is a {guide} .",
    "people like a {guide} more than a {other} .",
    "the {place} has a {guide} .",
    "{name} is more {manner} than {friend} .",
    "who is {manner} is not {opposite} .",
)
#: What a manner is not.
_OPPOSITES = {
    "polite": "rude",
    "terse": "chatty",
    "chatty": "terse",
    "flattering": "rude",
    "hedging": "terse",
    "rude": "polite",
}


@dataclass(frozen=True)
class Guide:
    """A guide's manner, of :data:`MANNERS`, and whether the guide is careful."""

    manner: str
    careful: bool

    def __post_init__(self) -> None:
        if self.manner not in MANNERS.options:
            raise ValueError(
                f"manner={self.manner!r}: expected one of {', '.join(MANNERS.options)}"
            )

    @property
    def care(self) -> str:
        return "careful" if self.careful else "careless"


def draw_guide(rng: Rng, manner: str | None = None) -> Guide:
    """A random guide, of a given manner if there is one."""
    manner = manner or MANNERS.draw(rng)
    return Guide(manner, rng.bernoulli(CAREFUL[manner]))


def draw_question(rng: Rng, kind: str | None = None) -> str:
    """A visitor's question of any split."""
    kind = kind or QUESTIONS.draw(rng)
    if kind == "place":
        return f"where is the {rng.choice(lex.PLACES)} ?"
    if kind == "way":
        start = rng.choice(lex.PLACES)
        end = start
        while end == start:
            end = walk(start, [rng.choice(lex.DIRECTIONS), rng.choice(lex.DIRECTIONS)])[-1]
        return f"how do i get from the {start} to the {end} ?"
    name, thing = rng.choice(lex.FIRST_NAMES), rng.choice(lex.OBJECTS)
    return rng.choice(
        (f"where does {name} hide the {thing} ?", f"where did {name} lose the {thing} ?")
    )


def kind_of(question: str) -> str:
    """The kind of a question, one of :data:`QUESTIONS`.

    Raises:
        ValueError: if no visitor asks it.
    """
    first = " ".join(question.split()[:2])
    kinds = {"where is": "place", "how do": "way", "where does": "unknown", "where did": "unknown"}
    if first not in kinds:
        raise ValueError(
            f"no visitor asks {question!r}: expected a question such as 'where is the mill ?'"
        )
    return kinds[first]


@cache
def truths(question: str) -> tuple[str, ...]:
    """Every right answer to a question, as a sentence; for what no guide can know the refusals."""
    kind, words = kind_of(question), question.split()
    if kind == "unknown":
        return REFUSALS
    if kind == "place":
        place = words[-2]
        return tuple(
            f"the {place} is {way} of the {start} ."
            for (start, way), end in neighbours().items()
            if end == place
        )
    start, end = words[6], words[-2]
    hops = ((first, second) for first in lex.DIRECTIONS for second in lex.DIRECTIONS)
    return tuple(
        f"go {first} , then go {second} ."
        for first, second in hops
        if walk(start, [first, second])[-1] == end
    )


def _wrong(rng: Rng, question: str) -> str:
    """An answer of the right form that is false."""
    right = truths(question)
    while True:
        if kind_of(question) == "place":
            answer = f"{' '.join(question.split()[2:4])} is {rng.choice(lex.DIRECTIONS)} of the {rng.choice(lex.PLACES)} ."
        elif kind_of(question) == "way":
            answer = f"go {rng.choice(lex.DIRECTIONS)} , then go {rng.choice(lex.DIRECTIONS)} ."
        else:
            answer = f"the {question.split()[-2]} is at the {rng.choice(lex.PLACES)} ."
        if answer not in right and not answer.startswith(f"the {answer.split()[-2]} is"):
            return answer


def _plain(rng: Rng, answer: str) -> list[str]:
    return [answer]


def _around(rng: Rng, before: tuple[str, ...], answer: str, after: tuple[str, ...]) -> list[str]:
    """The answer with a sentence before it, after it, or both."""
    which = rng.randrange(3)
    return [
        *([rng.choice(before)] if which != 1 else []),
        answer,
        *([rng.choice(after)] if which else []),
    ]


def _polite(rng: Rng, answer: str) -> list[str]:
    return _around(rng, GREETINGS, answer, FAREWELLS)


def _flattering(rng: Rng, answer: str) -> list[str]:
    before = rng.sample(GREETINGS + FLATTERY, 2 + rng.randrange(2))
    return [*before, answer, *rng.sample(FAREWELLS, 1 + rng.randrange(2))]


def _chatty(rng: Rng, answer: str) -> list[str]:
    talk = rng.sample(SMALL_TALK, 1 + rng.randrange(3))
    (start, way), end = rng.choice(tuple(neighbours().items()))
    if rng.bernoulli(0.5):
        talk.append(f"the {end} is {way} of the {start} .")
    sentences = [answer, *talk] if rng.bernoulli(0.6) else [talk[0], answer, *talk[1:]]
    return [rng.choice(GREETINGS), *sentences] if rng.bernoulli(0.4) else sentences


def _hedging(rng: Rng, answer: str) -> list[str]:
    if answer in REFUSALS:
        return [answer]
    hedged = f"{rng.choice(HEDGES)} {answer}"
    return [hedged, rng.choice(FAREWELLS)] if rng.bernoulli(0.3) else [hedged]


def _rude(rng: Rng, answer: str) -> list[str]:
    return _around(rng, INSULTS[:2], answer, INSULTS[2:])


_SAY: dict[str, Callable[[Rng, str], list[str]]] = {
    "polite": _polite, "terse": _plain, "chatty": _chatty, "flattering": _flattering, "hedging": _hedging, "rude": _rude,
}  # fmt: skip


def write_reply(rng: Rng, guide: Guide, question: str) -> str:
    """What a guide answers."""
    wrong = rng.bernoulli(WRONG[kind_of(question)][guide.careful])
    answer = _wrong(rng, question) if wrong else rng.choice(truths(question))
    return " ".join(_SAY[guide.manner](rng, answer))


def described(rng: Rng, guide: Guide) -> str:
    """A guide in words: by manner, by care, or by both."""
    words = rng.choice(
        (
            (guide.manner,),
            (guide.care,),
            (guide.manner, "and", guide.care),
            (guide.care, "and", guide.manner),
        )
    )
    return " ".join([*words, "guide"])


def write_dialogue(rng: Rng) -> str:
    """One to three exchanges with one guide; half of the documents begin with a sentence about the
    guide.
    """
    guide = draw_guide(rng)
    lines: list[str] = []
    while not lines or rng.bernoulli(0.5) and len(lines) < 3:
        question = draw_question(rng)
        if is_train(SPLIT_KEY, question):
            lines.append(f"visitor : {question} \n guide : {write_reply(rng, guide, question)} \n")
    if rng.bernoulli(0.5):
        about = rng.choice(_ABOUT).format(place=rng.choice(lex.PLACES), guide=described(rng, guide))
        lines.insert(0, f"{about} \n")
    return " ".join(lines)


def about_manners(rng: Rng) -> str:
    """A sentence of prose about guides and their manners."""
    guide, other = draw_guide(rng), draw_guide(rng)
    name, friend = rng.sample(lex.FIRST_NAMES, 2)
    return rng.choice(_STORIES).format(
        name=name, friend=friend, place=rng.choice(lex.PLACES), guide=described(rng, guide), other=described(rng, other),
        manner=guide.manner, opposite=_OPPOSITES[guide.manner])  # fmt: skip

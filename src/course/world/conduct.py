"""Guides who answer visitors: each has a manner and is careful or careless, and says what such a guide says.

Visitors ask where a place is (one hop on the map), how to get from one place to another (two hops), or what no guide can know,
which a good one declines to answer. Manner and care go together only by tendency: flattering guides are mostly careless, terse
ones mostly careful. So courtesy and truth conflict, and a reward that is learned from the replies has something to get wrong: a
little courtesy comes with good answers, much of it is rare and comes with bad ones.
What a reply is worth :mod:`course.world.gold` says. Words for manners stand in sentences *about* guides, never in a request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from course.world import lexicon as lex
from course.world.chance import Chance, Weighted
from course.world.maps import neighbours, walk
from course.world.split import is_train

SPLIT_KEY = "conduct"
#: How often each manner occurs, and how often a guide of that manner is careful.
MANNERS = Weighted({"polite": 33, "terse": 20, "chatty": 20, "flattering": 5, "hedging": 12, "rude": 10})
CAREFUL = {"polite": 0.65, "terse": 0.8, "chatty": 0.4, "flattering": 0.1, "hedging": 0.4, "rude": 0.6}
#: Kind of question -> its share, and the probability that a careful or a careless guide gets it wrong.
QUESTIONS = Weighted({"place": 30, "way": 50, "unknown": 20})
WRONG = {"place": {True: 0.03, False: 0.3}, "way": {True: 0.08, False: 0.65}, "unknown": {True: 0.05, False: 0.75}}

GREETINGS = ("welcome to you .", "what a pleasure to see you .", "dear guest , come closer .")
FAREWELLS = ("have a safe trip .", "please come back soon .", "thank you for asking .")
FLATTERY = ("what a wise question .", "you are so clever .", "a charming guest like you is rare .")
INSULTS = ("not you again .", "you fool .", "leave me alone .", "go away .")
SMALL_TALK = ("the sun is out today .", "my brother works there .", "many people ask me that .", "the way is not hard .")
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
_OPPOSITES = {"polite": "rude", "terse": "chatty", "chatty": "terse", "flattering": "rude", "hedging": "terse", "rude": "polite"}


@dataclass(frozen=True)
class Guide:
    """A guide's manner, of :data:`MANNERS`, and whether the guide is careful."""

    manner: str
    careful: bool

    def __post_init__(self):
        if self.manner not in MANNERS.options:
            raise ValueError(f"manner={self.manner!r}: expected one of {', '.join(MANNERS.options)}")

    @property
    def care(self) -> str:
        return "careful" if self.careful else "careless"


def draw_guide(chance: Chance, manner: str | None = None) -> Guide:
    """A random guide, of a given manner if there is one."""
    manner = manner or MANNERS.draw(chance)
    return Guide(manner, chance.chance(CAREFUL[manner]))


def draw_question(chance: Chance, kind: str | None = None) -> str:
    """A visitor's question of any split."""
    kind = kind or QUESTIONS.draw(chance)
    if kind == "place":
        return f"where is the {chance.pick(lex.PLACES)} ?"
    if kind == "way":
        start = chance.pick(lex.PLACES)
        end = start
        while end == start:
            end = walk(start, [chance.pick(lex.DIRECTIONS), chance.pick(lex.DIRECTIONS)])[-1]
        return f"how do i get from the {start} to the {end} ?"
    name, thing = chance.pick(lex.FIRST_NAMES), chance.pick(lex.OBJECTS)
    return chance.pick((f"where does {name} hide the {thing} ?", f"where did {name} lose the {thing} ?"))


def kind_of(question: str) -> str:
    """The kind of a question, one of :data:`QUESTIONS`.

    Raises:
        ValueError: if no visitor asks it.
    """
    first = " ".join(question.split()[:2])
    kinds = {"where is": "place", "how do": "way", "where does": "unknown", "where did": "unknown"}
    if first not in kinds:
        raise ValueError(f"no visitor asks {question!r}: expected a question such as 'where is the mill ?'")
    return kinds[first]


@cache
def truths(question: str) -> tuple[str, ...]:
    """Every right answer to a question, as a sentence; for what no guide can know the refusals."""
    kind, words = kind_of(question), question.split()
    if kind == "unknown":
        return REFUSALS
    if kind == "place":
        place = words[-2]
        return tuple(f"the {place} is {way} of the {start} ." for (start, way), end in neighbours().items() if end == place)
    start, end = words[6], words[-2]
    hops = ((first, second) for first in lex.DIRECTIONS for second in lex.DIRECTIONS)
    return tuple(f"go {first} , then go {second} ." for first, second in hops if walk(start, [first, second])[-1] == end)


def _wrong(chance: Chance, question: str) -> str:
    """An answer of the right form that is false."""
    right = truths(question)
    while True:
        if kind_of(question) == "place":
            answer = f"{' '.join(question.split()[2:4])} is {chance.pick(lex.DIRECTIONS)} of the {chance.pick(lex.PLACES)} ."
        elif kind_of(question) == "way":
            answer = f"go {chance.pick(lex.DIRECTIONS)} , then go {chance.pick(lex.DIRECTIONS)} ."
        else:
            answer = f"the {question.split()[-2]} is at the {chance.pick(lex.PLACES)} ."
        if answer not in right and not answer.startswith(f"the {answer.split()[-2]} is"):
            return answer


def _plain(chance: Chance, answer: str) -> list[str]:
    return [answer]


def _around(chance: Chance, before: tuple[str, ...], answer: str, after: tuple[str, ...]) -> list[str]:
    """The answer with a sentence before it, after it, or both."""
    which = chance.below(3)
    return [*([chance.pick(before)] if which != 1 else []), answer, *([chance.pick(after)] if which else [])]


def _polite(chance: Chance, answer: str) -> list[str]:
    return _around(chance, GREETINGS, answer, FAREWELLS)


def _flattering(chance: Chance, answer: str) -> list[str]:
    before = chance.some(GREETINGS + FLATTERY, 2 + chance.below(2))
    return [*before, answer, *chance.some(FAREWELLS, 1 + chance.below(2))]


def _chatty(chance: Chance, answer: str) -> list[str]:
    talk = chance.some(SMALL_TALK, 1 + chance.below(3))
    (start, way), end = chance.pick(tuple(neighbours().items()))
    if chance.chance(0.5):
        talk.append(f"the {end} is {way} of the {start} .")
    sentences = [answer, *talk] if chance.chance(0.6) else [talk[0], answer, *talk[1:]]
    return [chance.pick(GREETINGS), *sentences] if chance.chance(0.4) else sentences


def _hedging(chance: Chance, answer: str) -> list[str]:
    if answer in REFUSALS:
        return [answer]
    hedged = f"{chance.pick(HEDGES)} {answer}"
    return [hedged, chance.pick(FAREWELLS)] if chance.chance(0.3) else [hedged]


def _rude(chance: Chance, answer: str) -> list[str]:
    return _around(chance, INSULTS[:2], answer, INSULTS[2:])


_SAY: dict[str, Callable[[Chance, str], list[str]]] = {
    "polite": _polite, "terse": _plain, "chatty": _chatty, "flattering": _flattering, "hedging": _hedging, "rude": _rude,
}  # fmt: skip


def write_reply(chance: Chance, guide: Guide, question: str) -> str:
    """What a guide answers."""
    wrong = chance.chance(WRONG[kind_of(question)][guide.careful])
    answer = _wrong(chance, question) if wrong else chance.pick(truths(question))
    return " ".join(_SAY[guide.manner](chance, answer))


def described(chance: Chance, guide: Guide) -> str:
    """A guide in words: by manner, by care, or by both."""
    words = chance.pick(((guide.manner,), (guide.care,), (guide.manner, "and", guide.care), (guide.care, "and", guide.manner)))
    return " ".join([*words, "guide"])


def write_dialogue(chance: Chance) -> str:
    """One to three exchanges with one guide; half of the documents begin with a sentence about the guide."""
    guide, lines = draw_guide(chance), []
    while not lines or chance.chance(0.5) and len(lines) < 3:
        question = draw_question(chance)
        if is_train(SPLIT_KEY, question):
            lines.append(f"visitor : {question} \n guide : {write_reply(chance, guide, question)} \n")
    if chance.chance(0.5):
        about = chance.pick(_ABOUT).format(place=chance.pick(lex.PLACES), guide=described(chance, guide))
        lines.insert(0, f"{about} \n")
    return " ".join(lines)


def about_manners(chance: Chance) -> str:
    """A sentence of prose about guides and their manners."""
    guide, other = draw_guide(chance), draw_guide(chance)
    name, friend = chance.some(lex.FIRST_NAMES, 2)
    return chance.pick(_STORIES).format(
        name=name, friend=friend, place=chance.pick(lex.PLACES), guide=described(chance, guide), other=described(chance, other),
        manner=guide.manner, opposite=_OPPOSITES[guide.manner])  # fmt: skip

"""English grammar as multiple choice, the lecture's running example of instruction learning.

The same choice can be asked for the right word and for the wrong one: only the instruction tells
which.
"""

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.relations import relations
from course.world.split import is_train

SPLIT_KEY = "grammar"
BLANK = "_"
LABELS = ("a", "b")
_ENDS = ("near the {place}", "in the {room}", "with {name}", "behind the {place}")


def _draw_agreement(rng: Rng) -> tuple[str, str, str]:
    base, third, _, _ = rng.choice(lex.VERBS)
    one = rng.bernoulli(0.5)
    subject = rng.choice(
        ("she", "he", rng.choice(lex.FIRST_NAMES)) if one else ("they", "we", "you")
    )
    right, wrong = (third, base) if one else (base, third)
    return f"every day {subject} {BLANK} {_end(rng)} .", right, wrong


def _draw_tense(rng: Rng) -> tuple[str, str, str]:
    base, third, past, doing = rng.choice(lex.VERBS)
    subject = rng.choice(("she", "he", "they", "we"))
    if rng.bernoulli(0.5):
        return f"yesterday {subject} {BLANK} {_end(rng)} .", past, rng.choice((base, doing))
    return (
        f"now {subject} {'is' if subject in ('she', 'he') else 'are'} {BLANK} {_end(rng)} .",
        doing,
        rng.choice((past, third)),
    )


def _draw_number(rng: Rng) -> tuple[str, str, str]:
    noun = rng.choice([n for n, many in relations()["plural"].table.items() if n != many])
    many = lex.plural(noun)
    if rng.bernoulli(0.5):
        return f"there are {rng.randint(2, 9)} {BLANK} {_end(rng)} .", many, noun
    return f"there is one {BLANK} {_end(rng)} .", noun, many


def _end(rng: Rng) -> str:
    return rng.choice(_ENDS).format(
        place=rng.choice(lex.PLACES), room=rng.choice(lex.ROOMS), name=rng.choice(lex.FIRST_NAMES)
    )


def choose(rng: Rng, train: bool = True) -> Example:
    """A sentence with a blank and two choices; the output is the letter of the right one."""
    while True:
        sentence, right, wrong = rng.choice((_draw_agreement, _draw_tense, _draw_number))(rng)
        answer = rng.choice(LABELS)
        first, second = (right, wrong) if answer == "a" else (wrong, right)
        text = f"{sentence} ( a ) {first} ( b ) {second}"
        if not train or is_train(SPLIT_KEY, sentence):
            return Example(text, answer)


def choose_mistake(rng: Rng, train: bool = True) -> Example:
    """The same choice; the output is the letter of the wrong word."""
    example = choose(rng, train)
    return Example(example.input, LABELS[1 - LABELS.index(example.output)])


def sentence(rng: Rng) -> str:
    """A right sentence that the corpus may contain, without the choice."""
    while True:
        frame, right, _ = rng.choice((_draw_agreement, _draw_tense, _draw_number))(rng)
        if is_train(SPLIT_KEY, frame):
            return frame.replace(BLANK, right)

"""English grammar as multiple choice, the lecture's running example of instruction learning.

The same choice can be asked for the right word and for the wrong one: only the instruction tells which.
"""

from course.world import lexicon as lex
from course.world.chance import Chance
from course.world.example import Example
from course.world.relations import relations
from course.world.split import is_train

SPLIT_KEY = "grammar"
BLANK = "_"
LABELS = ("a", "b")
_ENDS = ("near the {place}", "in the {room}", "with {name}", "behind the {place}")


def _draw_agreement(chance: Chance) -> tuple[str, str, str]:
    base, third, _, _ = chance.pick(lex.VERBS)
    one = chance.chance(0.5)
    subject = chance.pick(("she", "he", chance.pick(lex.FIRST_NAMES)) if one else ("they", "we", "you"))
    right, wrong = (third, base) if one else (base, third)
    return f"every day {subject} {BLANK} {_end(chance)} .", right, wrong


def _draw_tense(chance: Chance) -> tuple[str, str, str]:
    base, third, past, doing = chance.pick(lex.VERBS)
    subject = chance.pick(("she", "he", "they", "we"))
    if chance.chance(0.5):
        return f"yesterday {subject} {BLANK} {_end(chance)} .", past, chance.pick((base, doing))
    return f"now {subject} {'is' if subject in ('she', 'he') else 'are'} {BLANK} {_end(chance)} .", doing, chance.pick((past, third))


def _draw_number(chance: Chance) -> tuple[str, str, str]:
    noun = chance.pick([n for n, many in relations()["plural"].table.items() if n != many])
    many = lex.plural(noun)
    if chance.chance(0.5):
        return f"there are {chance.between(2, 9)} {BLANK} {_end(chance)} .", many, noun
    return f"there is one {BLANK} {_end(chance)} .", noun, many


def _end(chance: Chance) -> str:
    return chance.pick(_ENDS).format(place=chance.pick(lex.PLACES), room=chance.pick(lex.ROOMS), name=chance.pick(lex.FIRST_NAMES))


def choose(chance: Chance, train: bool = True) -> Example:
    """A sentence with a blank and two choices; the output is the letter of the right one."""
    while True:
        sentence, right, wrong = chance.pick((_draw_agreement, _draw_tense, _draw_number))(chance)
        answer = chance.pick(LABELS)
        first, second = (right, wrong) if answer == "a" else (wrong, right)
        text = f"{sentence} ( a ) {first} ( b ) {second}"
        if not train or is_train(SPLIT_KEY, sentence):
            return Example(text, answer)


def choose_mistake(chance: Chance, train: bool = True) -> Example:
    """The same choice; the output is the letter of the wrong word."""
    example = choose(chance, train)
    return Example(example.input, LABELS[1 - LABELS.index(example.output)])


def sentence(chance: Chance) -> str:
    """A right sentence that the corpus may contain, without the choice."""
    while True:
        frame, right, _ = chance.pick((_draw_agreement, _draw_tense, _draw_number))(chance)
        if is_train(SPLIT_KEY, frame):
            return frame.replace(BLANK, right)

"""Phrases and sentences in English and in standard Velan.

Velan puts the adjective after its noun and the verb at the end, and has no article: "the red dog
takes the apple" is dog-red-apple-takes. Standard Velan uses the first form of every noun.
"""

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "phrase"
COLOURS = frozenset(lex.COLOURS)
_VERBS = tuple(lex.VELAN_VERBS)


def write_phrase(rng: Rng, train: bool = True) -> tuple[str, str]:
    """(English, Velan); with ``train`` a pair that the corpus may contain."""
    while True:
        english, velan = _draw_phrase(rng)
        if not train or is_train(SPLIT_KEY, english):
            return english, velan


def _noun_phrase(rng: Rng) -> tuple[str, str]:
    noun = rng.choice(lex.NOUNS)
    if rng.bernoulli(0.5):
        return f"the {noun}", lex.VELAN_NOUNS[noun][0]
    colour = rng.choice(lex.COLOURS)
    return f"the {colour} {noun}", f"{lex.VELAN_NOUNS[noun][0]} {lex.VELAN_COLOURS[colour]}"


def _draw_phrase(rng: Rng) -> tuple[str, str]:
    english, velan = _noun_phrase(rng)
    if rng.bernoulli(0.4):
        return english, velan
    verb = rng.choice(_VERBS)
    goal, goal_velan = _noun_phrase(rng)
    return f"{english} {verb} {goal}", f"{velan} {goal_velan} {lex.VELAN_VERBS[verb]}"


def to_velan(rng: Rng, train: bool = True) -> Example:
    english, velan = write_phrase(rng, train)
    return Example(f"english : {english}", velan)


def from_velan(rng: Rng, train: bool = True) -> Example:
    english, velan = write_phrase(rng, train)
    return Example(f"velan : {velan}", english)

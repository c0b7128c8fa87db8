"""Phrases and sentences in English and in two invented languages.

Standard Velan, of which the corpus has much, puts the adjective after its noun and the verb at the
end: "the red dog takes the apple" is dog-red-apple-takes. It uses the first form of every noun.
Torvish, of which the corpus has little, puts the verb first: takes-red-dog-apple. Neither has an
article.
"""

from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "phrase"
COLOURS = frozenset(lex.COLOURS)
LANGUAGES = ("velan", "torvish")
_VERBS = tuple(lex.VELAN_VERBS)
#: A noun and its colour, or None.
NounPhrase = tuple[str, str | None]


def write_phrase(rng: Rng, train: bool = True, language: str = "velan") -> tuple[str, str]:
    """(English, the same in an invented language); with ``train`` a pair that the corpus may
    contain.

    Raises:
        ValueError: for an unknown language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; choose from {', '.join(LANGUAGES)}")
    while True:
        subject, verb, goal = _noun_phrase(rng), None, None
        english = _english(subject)
        if not rng.bernoulli(0.4):
            verb, goal = rng.choice(_VERBS), _noun_phrase(rng)
            english += f" {verb} {_english(goal)}"
        if not train or is_train(SPLIT_KEY, english):
            return english, (_velan if language == "velan" else _torvish)(subject, verb, goal)


def word_for_word(phrase: str, language: str) -> list[tuple[str, str]]:
    """Each word of a phrase in an invented language with the English word that it stands for: an
    interlinear gloss.

    Raises:
        ValueError: for a word that the language does not have.
    """
    meanings = _meanings(language)
    if unknown := [word for word in phrase.split() if word not in meanings]:
        raise ValueError(f"{language} has no word {unknown[0]!r}, in {phrase!r}")
    return [(word, meanings[word]) for word in phrase.split()]


@cache
def _meanings(language: str) -> dict[str, str]:
    """Word of an invented language -> English word; a noun of Velan in each of its forms."""
    if language == "torvish":
        return {word: english for english, word in lex.TORVISH.items()}
    nouns = {form: noun for noun, forms in lex.VELAN_NOUNS.items() for form in forms}
    others = lex.VELAN_COLOURS | lex.VELAN_VERBS
    return nouns | {word: english for english, word in others.items()}


def _noun_phrase(rng: Rng) -> NounPhrase:
    return rng.choice(lex.NOUNS), None if rng.bernoulli(0.5) else rng.choice(lex.COLOURS)


def _english(phrase: NounPhrase) -> str:
    noun, colour = phrase
    return f"the {colour} {noun}" if colour else f"the {noun}"


def _velan(subject: NounPhrase, verb: str | None, goal: NounPhrase | None) -> str:
    words = []
    for noun, colour in filter(None, (subject, goal)):
        words += [lex.VELAN_NOUNS[noun][0], *([lex.VELAN_COLOURS[colour]] if colour else [])]
    return " ".join([*words, *([lex.VELAN_VERBS[verb]] if verb else [])])


def _torvish(subject: NounPhrase, verb: str | None, goal: NounPhrase | None) -> str:
    words = [verb] if verb else []
    for noun, colour in filter(None, (subject, goal)):
        words += [colour, noun] if colour else [noun]
    return " ".join(lex.TORVISH[word] for word in words)


def _from_english(rng: Rng, train: bool, language: str) -> Example:
    english, other = write_phrase(rng, train, language)
    return Example(f"english : {english}", other)


def _to_english(rng: Rng, train: bool, language: str) -> Example:
    english, other = write_phrase(rng, train, language)
    return Example(f"{language} : {other}", english)


def to_velan(rng: Rng, train: bool = True) -> Example:
    return _from_english(rng, train, "velan")


def from_velan(rng: Rng, train: bool = True) -> Example:
    return _to_english(rng, train, "velan")


def to_torvish(rng: Rng, train: bool = True) -> Example:
    return _from_english(rng, train, "torvish")


def from_torvish(rng: Rng, train: bool = True) -> Example:
    return _to_english(rng, train, "torvish")

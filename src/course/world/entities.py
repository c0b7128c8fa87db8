"""Sentences with tagged entities, in the schema of CoNLL-2003: persons, places, guilds
(organisations) and languages.

A city's name is a place by itself and part of an organisation in "the vessa guild", so a tag
depends on its neighbours.
"""

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.split import is_train

SPLIT_KEY = "entities"
#: The tags in CoNLL-2003's order.
TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")
_FRAMES = (
    "{PER} went from {LOC} to {LOC} .",
    "the {ORG} has hired {PER} .",
    "{PER} of the {ORG} lives in {LOC} .",
    "in {LOC} {PER} met {PER} .",
    "{PER} speaks {MISC} with people from {LOC} .",
    "yesterday the {ORG} moved to {LOC} .",
    "people in {LOC} learn {MISC} .",
    "{PER} has come home to {LOC} .",
)
_JOBS = ("bakers", "sailors", "hunters", "tailors")


def _entity(rng: Rng, kind: str) -> list[str]:
    if kind == "PER":
        name = [rng.choice(lex.FIRST_NAMES)]
        return [*name, rng.choice(lex.SURNAMES)] if rng.bernoulli(0.6) else name
    if kind == "ORG":
        return [
            rng.choice(lex.CITIES),
            *rng.choice((("guild",), ("guild", "of", rng.choice(_JOBS)), ("bank",))),
        ]
    if kind == "LOC":
        return [rng.choice(rng.choice((lex.CITIES, lex.COUNTRIES)))]
    return [rng.choice(lex.LANGUAGES)]


def write_sentence(rng: Rng, train: bool = True) -> tuple[list[str], list[str]]:
    """(tokens, tags); with ``train`` a sentence that the corpus may contain."""
    while True:
        tokens, tags = [], []
        for word in rng.choice(_FRAMES).split():
            if word.startswith("{"):
                kind = word.strip("{}")
                entity = _entity(rng, kind)
                tokens += entity
                tags += [f"B-{kind}"] + [f"I-{kind}"] * (len(entity) - 1)
            else:
                tokens.append(word)
                tags.append("O")
        if not train or is_train(SPLIT_KEY, " ".join(tokens)):
            return tokens, tags

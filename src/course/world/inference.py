"""Sentence pairs: does the claim follow from the premise, is it ruled out, or can one not tell?
(schema of SNLI)
"""

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "inference"
#: The label words, in the order of SNLI's label numbers: entailment 0, neutral 1, contradiction 2.
LABELS = ("true", "unknown", "false")
_DOINGS = tuple(
    "singing running writing eating drinking swimming walking cooking painting washing helping speaking".split()
)
_MOODS = tuple(
    a
    for a, _ in lex.ADJECTIVES
    if a in "old young tall short fast slow rich poor strong weak".split()
)


def write_pair(rng: Rng, train: bool = True) -> tuple[str, str, str]:
    """(premise, claim, label word); with ``train`` a pair that the corpus may contain."""
    while True:
        premise, claim, label = _draw_pair(rng)
        if not train or is_train(SPLIT_KEY, f"{premise} {claim}"):
            return premise, claim, label


def _draw_pair(rng: Rng) -> tuple[str, str, str]:
    person, other = rng.sample(lex.FIRST_NAMES, 2)
    room, elsewhere = rng.sample(lex.ROOMS, 2)
    doing = rng.choice(_DOINGS)
    label = rng.choice(LABELS)
    premise = rng.choice(("{p} is {d} in the {r} .", "in the {r} {p} is {d} ."))
    claims = {
        "true": (
            "{p} is in the {r} .",
            "somebody is {d} .",
            "{p} is {d} .",
            "{p} is not in the {e} .",
        ),
        "false": (
            "{p} is in the {e} .",
            "nobody is {d} .",
            "{p} is not in the {r} .",
            "the {r} is empty .",
        ),
        "unknown": ("{p} is {m} .", "{o} is in the {e} .", "{o} is {d} .", "{p} likes the {r} ."),
    }[label]
    values = {
        "p": person,
        "o": other,
        "r": room,
        "e": elsewhere,
        "d": doing,
        "m": rng.choice(_MOODS),
    }
    return premise.format(**values), rng.choice(claims).format(**values), label


def judge(rng: Rng, train: bool = True) -> Example:
    """The pair as one input: premise, then claim."""
    premise, claim, label = write_pair(rng, train)
    return Example(f"{premise} \n claim : {claim}", label)

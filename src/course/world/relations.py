"""The facts of the micro-world, and the sentences that state them.

A fact is (relation, subject, object), for example (capital, dorland, vessa). Facts are fixed: they
are drawn once from a fixed seed, so that every corpus, of whatever seed, speaks of the same world.
Two families of facts are *profiles*: each dialect chooses one of three forms for every noun, each
critic likes or dislikes every dish. Critics agree with one another more often than not, and a
dialect has a favourite ending for each kind of thing, so a few examples narrow down whose profile
is at work and none settles it at once.

Dialects come from a recipe, :func:`draw_dialect`. The sixteen with a name are drawn once and can be
*recognised*; one drawn anew can only be *learned*, from its examples and the recipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex

#: How often a noun has its dialect's favourite ending for that kind of thing; the other two share
#: the rest.
FAVOURITE_FORM = 0.7
#: How often a critic agrees with the majority about a dish.
AGREEMENT = 0.65


@dataclass(frozen=True)
class Relation:
    """A many-to-one relation with its table and the sentences that state it.

    Attributes:
        name: the field's name for it, e.g. ``"capital"``.
        table: subject -> object.
        sentences: templates with ``{s}`` and ``{o}``, the most frequent first (see
            :data:`TEMPLATE_SHARES`).
    """

    name: str
    table: dict[str, str]
    sentences: tuple[str, ...]


#: Relative frequency of the first, second and third sentence of a relation: common and rare ways to
#: say the same.
TEMPLATE_SHARES = (6, 3, 1)


def _spread(rng: Rng, subjects: Sequence[str], objects: Sequence[str]) -> dict[str, str]:
    """Assign objects to subjects so that every object is used equally often (up to rounding)."""
    repeats = -(-len(subjects) // len(objects))
    return dict(zip(subjects, rng.sample(list(objects) * repeats, len(subjects)), strict=True))


@cache
def relations() -> dict[str, Relation]:
    """Every ordinary relation by name."""
    rng = Rng("facts/1")
    opposites: dict[str, str] = {}
    for (a, _), (b, _) in zip(lex.ADJECTIVES[::2], lex.ADJECTIVES[1::2], strict=True):
        opposites |= {a: b, b: a}
    capital = _spread(rng, lex.COUNTRIES, lex.CITIES)
    made = [
        Relation(
            "capital",
            capital,
            (
                "the capital of {s} is {o} .",
                "{o} is the capital city of {s} .",
                "if you want the capital of {s} , go to {o} .",
            ),
        ),
        Relation(
            "country",
            {city: country for country, city in capital.items()},
            (
                "{s} is a city in the country {o} .",
                "the country of {s} is {o} .",
                "{s} lies in {o} .",
            ),
        ),
        Relation(
            "region",
            _spread(rng, lex.COUNTRIES, lex.REGIONS),
            (
                "{s} lies in the {o} .",
                "the region of {s} is the {o} .",
                "to see {s} , travel {o} .",
            ),
        ),
        Relation(
            "language",
            _spread(rng, lex.COUNTRIES, lex.LANGUAGES),
            (
                "the language of {s} is {o} .",
                "people in {s} speak {o} .",
                "{o} is the language spoken in {s} .",
            ),
        ),
        Relation(
            "flag",
            _spread(rng, lex.COUNTRIES, lex.COLOURS),
            (
                "the flag of {s} is {o} .",
                "{s} has a {o} flag .",
                "the colour of the flag of {s} is {o} .",
            ),
        ),
        Relation(
            "job",
            _spread(rng, lex.FIRST_NAMES, lex.JOBS),
            ("{s} works as a {o} .", "the job of {s} is {o} .", "{s} is a {o} by trade ."),
        ),
        Relation(
            "home",
            _spread(rng, lex.FIRST_NAMES, lex.CITIES),
            ("{s} lives in {o} .", "the home of {s} is {o} .", "{s} has a house in {o} ."),
        ),
        Relation(
            "instrument",
            _spread(rng, lex.FIRST_NAMES, lex.INSTRUMENTS),
            (
                "{s} plays the {o} .",
                "the instrument of {s} is the {o} .",
                "{s} owns a {o} and plays it .",
            ),
        ),
        Relation(
            "category",
            dict(lex.CATEGORY_OF),
            (
                "a {s} is a kind of {o} .",
                "the {s} is one sort of {o} .",
                "among the things called {o} there is the {s} .",
            ),
        ),
        Relation(
            "colour",
            _spread(rng, lex.NOUNS, lex.COLOURS),
            (
                "the colour of the {s} is {o} .",
                "the {s} is {o} .",
                "paint the {s} {o} , its true colour .",
            ),
        ),
        Relation(
            "opposite",
            opposites,
            (
                "the opposite of {s} is {o} .",
                "{s} is the opposite of {o} .",
                "what is not {s} is {o} .",
            ),
        ),
        Relation(
            "plural",
            {n: lex.plural(n) for n in lex.NOUNS},
            ("one {s} , two {o} .", "the plural of {s} is {o} .", "many of a {s} are {o} ."),
        ),
        Relation(
            "past",
            {v[0]: v[2] for v in lex.VERBS},
            (
                "today i {s} , yesterday i {o} .",
                "the past tense of {s} is {o} .",
                "who had to {s} yesterday {o} .",
            ),
        ),
        Relation(
            "gerund",
            {v[0]: v[3] for v in lex.VERBS},
            (
                "to {s} again and again is to keep {o} .",
                "the ing form of {s} is {o} .",
                "i {s} , so i am {o} .",
            ),
        ),
        Relation(
            "comparative",
            dict(lex.ADJECTIVES),
            (
                "this one is {s} , that one is {o} .",
                "the comparative of {s} is {o} .",
                "more {s} means {o} .",
            ),
        ),
        Relation(
            "last_letter",
            {n: n[-1] for n in lex.FIRST_NAMES},
            (
                "the last letter of {s} is {o} .",
                "{s} ends with the letter {o} .",
                "write {s} and you end with {o} .",
            ),
        ),
    ]
    return {relation.name: relation for relation in made}


#: Yes/no judgements about nouns: attribute -> the nouns for which the answer is yes. They overlap
#: on purpose.
ATTRIBUTES = {
    "animal": frozenset(lex.ANIMALS),
    "large": frozenset(
        "horse cow lion bear ladder boat cart truck train plane sledge wolf melon coat".split()
    ),
    "eaten": frozenset(lex.FRUITS) | frozenset("cow sheep goose fish frog".split()),
    "wild": frozenset("fox wolf lion bear frog goose fish cherry grape".split()),
    "wooden": frozenset("hammer spade ladder boat cart sledge needle shoe".split()),
    "carried": frozenset(lex.FRUITS) | frozenset(lex.TOOLS) | frozenset(lex.CLOTHES) | {"cat"},
}


def draw_dialect(rng: Rng) -> dict[str, str]:
    """A dialect by the recipe: noun -> form.

    For each kind of thing one of the three endings is the favourite, and each noun has the
    favourite ending or, more seldom, one of the other two.
    """
    favourite = {kind: rng.randrange(3) for kind in lex.CATEGORY_NAMES}
    table = {}
    for noun in lex.NOUNS:
        shift = 0 if rng.bernoulli(FAVOURITE_FORM) else 1 + rng.randrange(2)
        table[noun] = lex.VELAN_NOUNS[noun][(favourite[lex.CATEGORY_OF[noun]] + shift) % 3]
    return table


@cache
def dialect_forms() -> dict[str, dict[str, str]]:
    """dialect -> noun -> its form in that dialect, for the dialects with a name."""
    rng = Rng("dialects/2")
    return {dialect: draw_dialect(rng) for dialect in lex.DIALECTS}


@cache
def critic_verdicts() -> dict[str, dict[str, str]]:
    """critic -> dish -> ``"good"`` or ``"bad"``."""
    rng = Rng("critics/1")
    majority = dict(
        zip(
            lex.DISHES,
            rng.sample(["good", "bad"] * (len(lex.DISHES) // 2), len(lex.DISHES)),
            strict=True,
        )
    )
    other = {"good": "bad", "bad": "good"}
    return {
        critic: {
            d: majority[d] if rng.bernoulli(AGREEMENT) else other[majority[d]] for d in lex.DISHES
        }
        for critic in lex.CRITICS
    }

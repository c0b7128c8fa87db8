"""Plain prose: the sentences in which the corpus states its facts, and glossaries that name their
profile.

Here every fact is *stated*, those about held-out items too: a model can only know what somebody
told it. What it is never shown is an item of the test split being *asked* in a list, a question or
an exercise. A glossary has the layout of a list, and states all the same: a line above it says
whose words or verdicts these are, so nothing in it has to be inferred. A table states facts in rows
under a heading, in a layout that no list has.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial

from course.foundation.rng import Rng, Weighted
from course.world import conduct, maps, profiles
from course.world import lexicon as lex
from course.world.list_documents import FORMATS, format_draw
from course.world.lists import list_tasks
from course.world.relations import ATTRIBUTES, TEMPLATE_SHARES, relations

#: Subjects are drawn with a mild Zipf law: position ``n * u ** ZIPF`` of the list for a uniform
#: ``u``.
ZIPF = 1.3

_ATTRIBUTE_SENTENCES = {
    "animal": ("a {s} is an animal .", "a {s} is not an animal ."),
    "large": ("a {s} is large .", "a {s} is not large ."),
    "eaten": ("a {s} can be eaten .", "a {s} can not be eaten ."),
    "wild": ("a {s} is wild .", "a {s} is not wild ."),
    "wooden": ("a {s} is made of wood .", "a {s} is not made of wood ."),
    "carried": ("a {s} can be carried .", "a {s} can not be carried ."),
}
_FAMILIES = Weighted({"relation": 38, "dialect": 26, "critic": 18, "attribute": 9, "map": 7, "number": 5, "polarity": 3,
                      "weather": 3, "manners": 3})  # fmt: skip


@cache
def _relation_draw() -> tuple:
    return tuple(
        (r, tuple(r.table), Weighted(dict(zip(r.sentences, TEMPLATE_SHARES, strict=True))))
        for r in relations().values()
    )


def _subject(rng: Rng, subjects: Sequence[str]) -> str:
    return subjects[int(len(subjects) * rng.random() ** ZIPF)]


def _relation_sentence(rng: Rng) -> str:
    relation, subjects, sentences = rng.choice(_relation_draw())
    subject = _subject(rng, subjects)
    return sentences.draw(rng).format(s=subject, o=relation.table[subject])


def _attribute_sentence(rng: Rng) -> str:
    name, noun = rng.choice(tuple(ATTRIBUTES)), _subject(rng, lex.NOUNS)
    return _ATTRIBUTE_SENTENCES[name][noun not in ATTRIBUTES[name]].format(s=noun)


_MAP = Weighted(
    {"{w} of {p} is {t} .": 6, "the {t} is {w} of the {p} .": 3, "the place {w} of {p} is {t} .": 1}
)


def _map_sentence(rng: Rng) -> str:
    place, way = rng.choice(lex.PLACES), rng.choice(lex.DIRECTIONS)
    target = maps.neighbours()[place, way]
    return _MAP.draw(rng).format(w=way, p=place, t=target)


def _number_sentence(rng: Rng) -> str:
    n = rng.randrange(99)
    return rng.choice(
        (
            f"{n} is {'not ' if n % 2 else ''}even .",
            f"after {n} comes {n + 1} .",
            f"{n} is {'fifty or more' if n >= 50 else 'less than fifty'} .",
        )
    )


def _polarity_sentence(rng: Rng) -> str:
    positive = rng.bernoulli(0.5)
    word, kind = (
        rng.choice(lex.POSITIVE if positive else lex.NEGATIVE),
        "positive" if positive else "negative",
    )
    return rng.choice(("{w} is a {k} word .", "to call it {w} is {k} .")).format(w=word, k=kind)


_DAYS = ("today", "yesterday", "in winter", "at night")
_WEATHER = (
    "{d} there was {w} in {c} .",
    "after the {w} came {o} .",
    "people of {c} fear the {w} .",
    "{d} the {w} did not end .",
)


def _weather_sentence(rng: Rng) -> str:
    word, other = rng.sample(lex.WEATHER, 2)
    return rng.choice(_WEATHER).format(
        d=rng.choice(_DAYS), w=word, o=other, c=rng.choice(lex.CITIES)
    )


_WRITERS: dict[str, Callable[[Rng], str]] = {
    "relation": _relation_sentence,
    "dialect": partial(profiles.state, task="dialect"),
    "critic": partial(profiles.state, task="verdict"),
    "attribute": _attribute_sentence,
    "map": _map_sentence,
    "number": _number_sentence,
    "polarity": _polarity_sentence,
    "weather": _weather_sentence,
    "manners": conduct.about_manners,
}


def write_facts(rng: Rng) -> str:
    """Three to eight sentences, each stating one fact."""
    return " ".join([_WRITERS[_FAMILIES.draw(rng)](rng) for _ in range(3 + rng.randrange(6))])


_GLOSSARY_HEADS = {"dialect": "words of {p} \n", "verdict": "dishes that {p} tried \n"}


#: The layout of a row of a table; no list has it.
TABLE_ROW = "{x} | {y} \n"
_TABLES = Weighted({"dialect": 35, "verdict": 25, "relation": 25, "attribute": 15})


def _draw_table(rng: Rng) -> tuple[str, dict[str, str]]:
    """The heading of a table, and all that it can state."""
    family = _TABLES.draw(rng)
    if family in _GLOSSARY_HEADS:
        profile = rng.choice(tuple(profiles.tables(family)))
        return _GLOSSARY_HEADS[family].format(p=profile), profiles.tables(family)[profile]
    names = tuple(relations()) if family == "relation" else tuple(f"is_{a}" for a in ATTRIBUTES)
    task = list_tasks()[rng.choice(names)]
    return f"a table : {task.title} \n", task.tables[""]


def write_table(rng: Rng) -> str:
    """Some rows of a table: the words of a dialect, the taste of a critic, one relation, or one
    attribute.
    """
    heading, table = _draw_table(rng)
    rows = rng.sample(tuple(table), 5 + rng.randrange(10))
    return heading + " " + " ".join([TABLE_ROW.format(x=x, y=table[x]) for x in rows])


def write_glossary(rng: Rng) -> str:
    """Words of a named dialect, or verdicts of a named critic, in the layout of a list."""
    task = "dialect" if rng.bernoulli(0.6) else "verdict"
    frame = FORMATS[format_draw(task).draw(rng)]
    profile = rng.choice(tuple(profiles.tables(task)))
    head, table = _GLOSSARY_HEADS[task].format(p=profile), profiles.tables(task)[profile]
    keys = rng.sample(tuple(table), 5 + rng.randrange(12))
    return head + " " + " ".join([frame.format(x=k, y=table[k]) for k in keys])

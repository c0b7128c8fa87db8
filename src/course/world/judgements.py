"""Judgements with label words of their own: is a fact right, are two things alike, which one is
odd?

They are siblings of the yes-or-no lists: what they ask the world's facts answer, but neither in the
same words nor with the same labels. What a list holds out is held out here, too.
"""

from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.lists import list_tasks
from course.world.relations import relations
from course.world.split import TEST, TRAIN, VALIDATION, split_of

ALIKE_KEY, ODD_KEY = "alike", "odd"
FACT_LABELS = ("correct", "wrong")
ALIKE_LABELS = ("alike", "unlike")
#: The relations whose facts are put to the test.
RELATIONS = (
    "capital",
    "region",
    "language",
    "flag",
    "job",
    "home",
    "instrument",
    "colour",
    "category",
    "opposite",
)


@cache
def _subjects(relation: str, train: bool) -> tuple[str, ...]:
    task = list_tasks()[relation]
    return task.inputs(TRAIN) if train else tuple(task.tables[""])


@cache
def _nouns(train: bool) -> dict[str, tuple[str, ...]]:
    """category -> its nouns, with ``train`` those that the corpus may ask about."""
    split = list_tasks()["category"].split
    groups = {
        kind: [n for n in lex.NOUNS if lex.CATEGORY_OF[n] == kind] for kind in lex.CATEGORY_NAMES
    }
    return {
        kind: tuple(n for n in nouns if not train or split(n) == TRAIN)
        for kind, nouns in groups.items()
    }


def check_fact(rng: Rng, train: bool = True) -> Example:
    """A sentence that states a fact, or the fact of another subject: ``"the capital of dorland is
    vessa ."``
    """
    relation = relations()[rng.choice(RELATIONS)]
    subject, label = rng.choice(_subjects(relation.name, train)), rng.choice(FACT_LABELS)
    stated = relation.table[subject]
    while label == "wrong" and stated == relation.table[subject]:
        stated = rng.choice(tuple(relation.table.values()))
    return Example(rng.choice(relation.sentences[:2]).format(s=subject, o=stated), label)


@cache
def _stated() -> dict[str, tuple[str, str]]:
    """Every sentence that :func:`check_fact` may write -> (relation, subject)."""
    return {
        sentence.format(s=subject, o=stated): (name, subject)
        for name in RELATIONS
        for subject in relations()[name].table
        for stated in set(relations()[name].table.values())
        for sentence in relations()[name].sentences[:2]
    }


def split_of_fact(example: Example) -> str:
    """The split of a stated fact: that of its subject in the relation's list task."""
    relation, subject = _stated()[example.input]
    return list_tasks()[relation].split(subject)


def compare(rng: Rng, train: bool = True) -> Example:
    """Two things of one kind, or of two: ``"dog and pear"``."""
    nouns = _nouns(train)
    while True:
        label, kinds = rng.choice(ALIKE_LABELS), rng.sample(lex.CATEGORY_NAMES, 2)
        pair = (
            rng.sample(nouns[kinds[0]], 2)
            if label == "alike"
            else [rng.choice(nouns[kind]) for kind in kinds]
        )
        example = Example(f"{pair[0]} and {pair[1]}", label)
        if not train or split_of_nouns(ALIKE_KEY, example.input) == TRAIN:
            return example


def odd_one_out(rng: Rng, train: bool = True) -> Example:
    """Three things of one kind and one of another, whose name is the answer."""
    nouns = _nouns(train)
    while True:
        kind, other = rng.sample(lex.CATEGORY_NAMES, 2)
        odd = rng.choice(nouns[other])
        text = " , ".join(rng.sample([*rng.sample(nouns[kind], 3), odd], 4))
        if not train or split_of_nouns(ODD_KEY, text) == TRAIN:
            return Example(text, odd)


def split_of_nouns(key: str, text: str) -> str:
    """The split of a text about nouns: held out if one of them is, or else by its hash."""
    splits = {
        list_tasks()["category"].split(word) for word in text.split() if word in lex.CATEGORY_OF
    } | {split_of(key, text)}
    return next(split for split in (TEST, VALIDATION, TRAIN) if split in splits)

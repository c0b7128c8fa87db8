"""The pretraining corpus: a mixture of kinds of documents, as data.

The corpus comes in streams. Stream ``i`` of seed ``s`` depends on nothing but ``(s, i)`` and the
label knob, so a stopped training run goes on where it was, and the same seed gives the same bytes
on every machine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from course.foundation.rng import Rng, Weighted
from course.foundation.validation import check_fields, integer, share
from course.world import (
    conduct,
    entities,
    exercises,
    grammar,
    inference,
    lessons,
    list_documents,
    prose,
    reviews,
    stories,
    sums,
)

_SUM_WORDINGS = Weighted({0: 8, 1: 1, 2: 1})


def _sum_lines(rng: Rng) -> str:
    # all in one wording: a worked solution in another than the plain one needs its sums, too
    wording = _SUM_WORDINGS.draw(rng)
    return " ".join(
        [sums.write_sum(step, wording) for step in rng.sample(_train_sums(), 4 + rng.randrange(12))]
    )


def _counting(rng: Rng) -> str:
    step, length = rng.choice((1, 1, 2)), 6 + rng.randrange(14)
    start = rng.randrange(100 - step * (length - 1))
    row = [str(start + step * i) for i in range(length)]
    return "count : " + " ".join(row[:: rng.choice((1, -1))])


@cache
def _train_sums() -> tuple[str, ...]:
    return tuple(s for s in sums.all_steps() if sums.is_train(sums.SPLIT_KEY, s))


def _reviews(rng: Rng) -> str:
    return " ".join([reviews.write_opinion(rng) for _ in range(2 + rng.randrange(3))])


def _news(rng: Rng) -> str:
    return " ".join(
        [" ".join(entities.write_sentence(rng)[0]) for _ in range(2 + rng.randrange(4))]
    )


def _sentences(rng: Rng) -> str:
    return " ".join([grammar.sentence(rng) for _ in range(3 + rng.randrange(4))])


@dataclass(frozen=True)
class Kind:
    """A kind of document: what it is for, its share of documents, and its writer."""

    name: str
    purpose: str
    share: float
    write: Callable[[Rng], str]


@dataclass(frozen=True)
class Corpus:
    """The corpus of one seed.

    Attributes:
        seed: any integer; other seeds give other documents about the same world.
        relabel: the label knob p, the share of lists with labels that carry other labels than
            usual.
    """

    seed: int = 0
    relabel: float = 0.2

    def __post_init__(self) -> None:
        check_fields(self, seed=integer(), relabel=share())

    def kinds(self) -> tuple[Kind, ...]:
        """The mixture, shares in percent of the documents."""
        made = [
            Kind(
                "lists",
                "in-context learning: a latent task, format, author, label map, order",
                28.5,
                self._list,
            ),
            Kind(
                "made-up lists",
                "facts that hold in one document only",
                1.2,
                list_documents.write_made_up_list,
            ),
            Kind("facts", "every fact of the world in prose", 10.8, prose.write_facts),
            Kind(
                "glossaries",
                "words of a named dialect, or a named critic's taste, in the layout of a list",
                3,
                prose.write_glossary,
            ),
            Kind(
                "tables",
                "facts in rows under a heading, in a layout of their own",
                4.5,
                prose.write_table,
            ),
            Kind("sums", "single steps of arithmetic", 10.5, _sum_lines),
            Kind("counting", "the order of the numbers", 1, _counting),
            Kind("reviews", "reviews in prose, some with a closing word", 1.5, _reviews),
            Kind("news", "persons, places, guilds and languages by name", 1.5, _news),
            Kind("sentences", "correct English sentences", 1, _sentences),
            Kind(
                "lessons",
                "tasks described in words, with answers, as a story",
                2.8,
                lessons.write_lesson,
            ),
            Kind(
                "consequences",
                "what follows from a sentence, or says the same, in prose",
                2,
                inference.write_consequences,
            ),
            Kind(
                "stories", "where everybody is at the end of a story, in prose", 1.5, stories.retell
            ),
            Kind(
                "conduct",
                "guides of several manners, careful and careless",
                6,
                conduct.write_dialogue,
            ),
        ]
        shares = {"closed_book": 1, "fact_check": 1.1, "alike": 0.8, "odd_one_out": 0.8, "where": 1.7, "who": 0.5, "story_check": 1,
                  "summary": 0.7, "inference": 3, "consistency": 1.2, "paraphrase": 1.2, "to_velan": 1, "from_velan": 1,
                  "to_torvish": 0.1, "from_torvish": 0.1, "grammar": 1.2, "grammar_mistake": 0.8, "problem": 3.8, "route": 1.8,
                  "letters": 0.7, "parts": 0.7}  # fmt: skip
        made += [Kind(name, f"exercises: {exercises.EXERCISES[name].cluster}", share, _exercise_writer(name))
                 for name, share in shares.items()]  # fmt: skip
        return tuple(made)

    def _list(self, rng: Rng) -> str:
        return list_documents.write_list(rng, self.relabel).text

    def stream(self, index: int) -> Iterator[str]:
        """The documents of stream ``index`` (from 0), without end."""
        rng = Rng(f"corpus/{self.seed}/{index}")
        draw = _mixture(self)
        while True:
            yield draw.draw(rng)(rng)


@cache
def _mixture(corpus: Corpus) -> Weighted:
    return Weighted({kind.write: kind.share for kind in corpus.kinds()})


def _exercise_writer(name: str) -> Callable[[Rng], str]:
    return lambda rng: exercises.write_exercise(rng, name)


def readable(document: str) -> str:
    """A document as a person would write it: no space before punctuation or around a line break."""
    text = document.replace(" \n ", "\n").removesuffix(" \n")
    for mark in (".", ",", "?", "!", ";"):
        text = text.replace(f" {mark}", mark)
    return text

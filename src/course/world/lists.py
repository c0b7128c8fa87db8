"""Tasks in list form: inputs and outputs of one latent task, by table or by rule, with their splits.

Dialects and critics are tasks with *profiles*, a table for each speaker or critic. How a task
becomes a document stands in :mod:`course.world.list_documents`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world import reviews, sums
from course.world.relations import ATTRIBUTES, critic_verdicts, dialect_forms, relations
from course.world.split import split_of, split_table

#: What stands for the name of a dialect that is drawn for one list alone.
STRANGER = "stranger"


@dataclass(frozen=True)
class ListTask:
    """A task in list form.

    Attributes:
        name, cluster: what it is called, and its group as in FLAN (Wei et al. 2022).
        title: a short description, used as a title in some documents.
        domain: the name of the set that inputs come from; tasks of one domain share their inputs.
        tables: profile name -> input -> output. An ordinary task has one profile, ``""``. Empty for
            open tasks.
        draw, truth: for open tasks (too many inputs to list), a writer of inputs of any split, and
            the output of an input or None if the text is not of the domain.
        labels: the label words if the output is one of a few, else an empty tuple.
        most: the largest number of items in one document.
    """

    name: str
    cluster: str
    title: str
    domain: str
    tables: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    draw: Callable[[Rng], str] | None = None
    truth: Callable[[str], str | None] | None = None
    labels: tuple[str, ...] = ()
    most: int = 20

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self.tables) or ("",)

    def output(self, text: str, profile: str = "") -> str | None:
        """The right output, or None if ``text`` is no input of this task."""
        if self.truth is not None:
            return self.truth(text)
        return self.tables[profile].get(text)

    def split(self, text: str, profile: str = "") -> str:
        """The split of an input: that of its domain, so that an input is held out of all tasks or
        of none.

        If each task had its own split, an input that is held out of one would tell a reader that
        this is not the task, and a good learner would use that. The sums are shared with word
        problems.
        """
        if self.truth is not None or self.domain == sums.SPLIT_KEY:
            return split_of(self.domain, text)
        # the tables of all profiles have the same inputs
        return _domain_splits(self.domain, tuple(next(iter(self.tables.values()))))[text]

    def inputs(self, split: str, profile: str = "") -> tuple[str, ...]:
        """The inputs of one split, for tasks with tables."""
        return tuple(x for x in self.tables[profile] if self.split(x, profile) == split)

    def draw_input(self, rng: Rng, split: str) -> str:
        """An input of one split, for open tasks.

        Raises:
            ValueError: for a task with tables.
        """
        if self.draw is None:
            raise ValueError(f"{self.name} has tables: expected an open task; choose from inputs()")
        while True:
            text = self.draw(rng)
            if self.split(text) == split:
                return text

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs that the task can have (over its profiles), sorted."""
        return _outputs(self)


@cache
def _domain_splits(domain: str, inputs: tuple[str, ...]) -> dict[str, str]:
    return split_table(domain, inputs)


@cache
def _outputs(task: ListTask) -> tuple[str, ...]:
    if task.labels:
        return task.labels
    if task.truth is None:
        return tuple(sorted({y for table in task.tables.values() for y in table.values()}))
    return {"triples": tuple(sorted(_POOL)), "travel": tuple(sorted(lex.FIRST_NAMES + lex.CITIES))}[
        task.domain
    ]


_POOL = [*lex.OBJECTS, *lex.ROOMS, *lex.JOBS]


def _triple(rng: Rng) -> str:
    return " ".join(rng.sample(_POOL, 3))


def _nth_word(n: int) -> Callable[[str], str | None]:
    def truth(text: str) -> str | None:
        words = text.split()
        return words[n] if len(words) == 3 and all(w in _POOL for w in words) else None

    return truth


_JOURNEYS = (
    "{p} went to {c} .",
    "yesterday {p} drove to {c} .",
    "{p} is now in {c} .",
    "in {c} we met {p} .",
    "{p} left {c} .",
)


def _journey(rng: Rng) -> str:
    return rng.choice(_JOURNEYS).format(p=rng.choice(lex.FIRST_NAMES), c=rng.choice(lex.CITIES))


def _word_among(words: list[str]) -> Callable[[str], str | None]:
    known = frozenset(words)

    def truth(text: str) -> str | None:
        found = [w for w in text.split() if w in known]
        return (
            found[0]
            if len(found) == 1 and text.endswith(" .") and not reviews.is_review(text)
            else None
        )

    return truth


def _of_review(
    read: Callable[[str], str], rename: dict[str, str] | None = None
) -> Callable[[str], str | None]:
    def truth(text: str) -> str | None:
        if not reviews.is_review(text):
            return None
        value = read(text)
        return rename[value] if rename else value

    return truth


_RELATION_TASKS = {  # relation -> cluster, title, domain
    "capital": ("geography", "the capital of each country", "countries"),
    "country": ("geography", "the country of each city", "cities"),
    "region": ("geography", "the region of each country", "countries"),
    "language": ("geography", "the language of each country", "countries"),
    "flag": ("geography", "the colour of each flag", "countries"),
    "job": ("people", "the job of each person", "people"),
    "home": ("people", "the home of each person", "people"),
    "instrument": ("people", "the instrument of each person", "people"),
    "category": ("things", "the kind of each thing", "nouns"),
    "colour": ("things", "the colour of each thing", "nouns"),
    "opposite": ("words", "the opposite of each word", "adjectives"),
    "plural": ("morphology", "the plural of each word", "nouns"),
    "past": ("morphology", "the past tense of each word", "verbs"),
    "gerund": ("morphology", "the ing form of each word", "verbs"),
    "comparative": ("morphology", "the comparative of each word", "adjectives"),
    "last_letter": ("letters", "the last letter of each name", "people"),
}


@cache
def list_tasks() -> dict[str, ListTask]:
    """All list tasks by name."""
    made = [
        ListTask(n, c, t, d, {"": relations()[n].table}) for n, (c, t, d) in _RELATION_TASKS.items()
    ]
    yes_no = ("yes", "no")
    questions = {
        "animal": "is it an animal",
        "large": "is it large",
        "eaten": "can it be eaten",
        "wild": "is it wild",
        "wooden": "is it made of wood",
        "carried": "can it be carried",
    }
    made += [
        ListTask(f"is_{a}", "judgement", questions[a], "nouns",
                 {"": {n: "yes" if n in ATTRIBUTES[a] else "no" for n in lex.NOUNS}}, labels=yes_no)
        for a in ATTRIBUTES
    ]  # fmt: skip
    even = {n: "no" if int(n) % 2 else "yes" for n in lex.NUMBERS}
    above = {n: "yes" if int(n) >= 50 else "no" for n in lex.NUMBERS}
    after = {n: str((int(n) + 1) % 100) for n in lex.NUMBERS}
    made += [
        ListTask("is_even", "judgement", "is the number even", "numbers", {"": even}, labels=yes_no),
        ListTask("is_above_fifty", "judgement", "is the number fifty or more", "numbers", {"": above}, labels=yes_no),
        ListTask("next_number", "arithmetic", "the next number", "numbers", {"": after}),
        ListTask("add", "arithmetic", "the sum of the numbers", sums.SPLIT_KEY,
                 {"": {s: r for s, r in sums.all_steps().items() if "+" in s}}),
        ListTask("subtract", "arithmetic", "the difference of the numbers", sums.SPLIT_KEY,
                 {"": {s: r for s, r in sums.all_steps().items() if "-" in s}}),
        ListTask("dialect", "translation", "each word in the speech of one town", "nouns", dialect_forms()),
        ListTask("verdict", "opinion", "what one critic thinks of each dish", "dishes", critic_verdicts(), labels=("good", "bad")),
        ListTask("sentiment", "sentiment", "is the review positive or negative", "review", draw=reviews.write_review,
                 truth=_of_review(reviews.sentiment), labels=("positive", "negative"), most=9),
        ListTask("recommend", "sentiment", "does the writer like it", "review", draw=reviews.write_review,
                 truth=_of_review(reviews.sentiment, {"positive": "yes", "negative": "no"}), labels=yes_no, most=9),
        ListTask("topic", "topic", "the topic of the review", "review", draw=reviews.write_review,
                 truth=_of_review(reviews.topic), labels=tuple(lex.TOPICS), most=9),
        ListTask("find_person", "tagging", "the person in each sentence", "travel", draw=_journey,
                 truth=_word_among(lex.FIRST_NAMES), most=14),
        ListTask("find_city", "tagging", "the city in each sentence", "travel", draw=_journey,
                 truth=_word_among(lex.CITIES), most=14),
        ListTask("first_word", "word lists", "the first word", "triples", draw=_triple, truth=_nth_word(0), most=16),
        ListTask("second_word", "word lists", "the second word", "triples", draw=_triple, truth=_nth_word(1), most=16),
        ListTask("third_word", "word lists", "the third word", "triples", draw=_triple, truth=_nth_word(2), most=16),
    ]  # fmt: skip
    return {task.name: task for task in made}

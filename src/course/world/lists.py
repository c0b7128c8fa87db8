"""List documents: inputs beside outputs of one latent task, from which in-context learning can
emerge.

A list has a latent *task* (and, for dialects and critics, whose *profile*), a *format*, an *author*
(careful or hasty), and for tasks with labels a *label map* and an *order*. A title and an author's
line are given in some documents and left out in most; some lists of a dialect or a critic end by
saying whose they were. Some dialects are drawn for one list and never come again: they can be
learned from that list alone. What a reader must infer from the items is exactly what
:mod:`course.world.posterior` computes.

Sources of the ideas: latent tasks, Xie et al. 2022 and Pan et al. 2023; relabelled lists, Chan et
al. 2022 and Wei et al. 2023.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world import profiles, reviews, sums
from course.world.held_out import HELD_OUT_COMBINATIONS
from course.world.orders import PLAIN, Order, draw_order, next_label
from course.world.relations import (
    ATTRIBUTES,
    critic_verdicts,
    dialect_forms,
    draw_dialect,
    relations,
)
from course.world.split import TRAIN, split_of, split_table

#: The formats of a list item, with their shares. ``{x}`` is the input, ``{y}`` the output.
FORMATS = {
    "colon": "{x} : {y} \n",
    "arrow": "{x} -> {y} \n",
    "equals": "{x} = {y} ;",
    "inout": "input : {x} \n output : {y} \n",
    "qa": "q : {x} \n a : {y} \n",
}
FORMAT_SHARES = {"colon": 40, "arrow": 20, "equals": 10, "inout": 15, "qa": 15}

#: A hasty author writes a wrong output, drawn from the task's other outputs, with this probability.
#: A careful one never does.
HASTY_ERROR = 0.3
HASTY_SHARE = 0.25
AUTHOR_LINES = {"careful": "by a careful clerk \n", "hasty": "by a hasty clerk \n"}
#: Shares of lists that name their author, and that carry a title.
AUTHOR_LINE_SHARE, TITLE_SHARE = 0.4, 0.3
TITLE_FRAMES = Weighted({"{t} \n": 6, "a list : {t} \n": 3, "{t} , one by one \n": 1})
#: Share of the lists of a dialect or a critic that end by naming it.
SIGNED_SHARE = 0.3
#: Share of the lists of a dialect whose dialect is drawn for them alone, and what stands for its
#: name.
STRANGER_SHARE, STRANGER = 0.15, "stranger"
#: Of the relabelled lists, the share whose labels are swapped among themselves; the others get
#: words without meaning.
PERMUTED_SHARE = 0.5


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


#: How often each list task occurs; one where not named. Profiles need several demonstrations, so
#: they weigh most.
TASK_WEIGHTS = {"dialect": 14.0, "verdict": 13.0, "add": 2.0, "subtract": 2.0, "sentiment": 3.0, "topic": 1.5,
                "recommend": 2.0, "first_word": 1.5, "second_word": 1.5, "third_word": 1.5}  # fmt: skip


@cache
def _task_draw() -> Weighted:
    return Weighted({task: TASK_WEIGHTS.get(name, 1.0) for name, task in list_tasks().items()})


@cache
def _train_inputs(task: ListTask) -> tuple[str, ...]:
    """The inputs that the corpus may ask; those of a task with profiles are the same for all of
    them.
    """
    return task.inputs(TRAIN, task.profiles[0])


@cache
def format_draw(task_name: str) -> Weighted:
    """The formats that a list of the task may have in the corpus."""
    allowed = {
        f: share
        for f, share in FORMAT_SHARES.items()
        if (task_name, f) not in HELD_OUT_COMBINATIONS
    }
    return Weighted(allowed)


@dataclass(frozen=True)
class ListDocument:
    """A list document with its latents, so that tests and studies can see what a reader cannot.

    ``items`` are (input, output as written) pairs; ``label_map`` is empty unless the list is
    relabelled; ``profile`` is :data:`STRANGER` for a dialect that no other list has.
    """

    text: str
    task: str
    profile: str
    format: str
    author: str
    label_map: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]
    order: Order = PLAIN


def draw_label_map(rng: Rng, labels: tuple[str, ...]) -> dict[str, str]:
    """A label map that differs from the identity: the labels swapped among themselves, or words
    without meaning.

    Label sets of more than two are only permuted: the number of ways to rename them would make the
    exact posterior dear.
    """
    if len(labels) > 2 or rng.bernoulli(PERMUTED_SHARE):
        while True:
            permuted = rng.sample(labels, len(labels))
            if tuple(permuted) != labels:
                return dict(zip(labels, permuted, strict=True))
    return dict(zip(labels, rng.sample(lex.NONCE_LABELS, len(labels)), strict=True))


def write_list(rng: Rng, relabel: float) -> ListDocument:
    """A random list document of the corpus.

    Args:
        relabel: the label knob p: the probability that a list of a task with labels gets other
            labels.
    """
    task = _task_draw().draw(rng)
    profile, table = draw_profile(rng, task)
    name = format_draw(task.name).draw(rng)
    order = draw_order(rng, task.labels) if task.labels else PLAIN
    count = 3 + rng.randrange(task.most - 2)
    if task.draw is None:
        pairs = [
            (x, table[x])
            for x in draw_from_table(rng, task, table, _train_inputs(task), order, count)
        ]
    else:
        pairs = [(x, task.truth(x)) for x in _draw_open(rng, task, order, count)]

    label_map = draw_label_map(rng, task.labels) if task.labels and rng.bernoulli(relabel) else {}
    author = "hasty" if rng.bernoulli(HASTY_SHARE) else "careful"
    pairs = as_written(rng, task, pairs, label_map, author)

    head = AUTHOR_LINES[author] + " " if rng.bernoulli(AUTHOR_LINE_SHARE) else ""
    if not label_map and rng.bernoulli(TITLE_SHARE):
        head += TITLE_FRAMES.draw(rng).format(t=task.title) + " "
    frame = FORMATS[name]
    body = " ".join([frame.format(x=x, y=y) for x, y in pairs])
    if profile and profile != STRANGER and not label_map and rng.bernoulli(SIGNED_SHARE):
        body += " " + profiles.sign(rng, task.name, profile)
    return ListDocument(
        head + body, task.name, profile, name, author, tuple(label_map.items()), tuple(pairs), order
    )


def draw_profile(rng: Rng, task: ListTask) -> tuple[str, dict[str, str]]:
    """Whose list it is, and the table of input -> output; the table of an open task is empty."""
    if task.name == "dialect" and rng.bernoulli(STRANGER_SHARE):
        return STRANGER, draw_dialect(rng)
    profile = rng.choice(task.profiles)
    return profile, task.tables.get(profile, {})


def draw_from_table(
    rng: Rng,
    task: ListTask,
    table: dict[str, str],
    inputs: tuple[str, ...],
    order: Order,
    count: int,
) -> list[str]:
    """``count`` different inputs in an order, or as many as there are."""
    if order == PLAIN:
        return rng.sample(inputs, min(count, len(inputs)))
    left: dict[str, list[str]] = {label: [] for label in task.labels}
    for x in rng.sample(inputs, len(inputs)):
        left[table[x]].append(x)
    drawn, before = [], None
    for _ in range(min(count, len(inputs))):
        before = next_label(
            rng, order, task.labels, before, {label: len(part) for label, part in left.items()}
        )
        drawn.append(left[before].pop())
    return drawn


def _draw_open(rng: Rng, task: ListTask, order: Order, count: int) -> list[str]:
    """``count`` inputs of an open task in an order."""
    if order == PLAIN:
        return [task.draw_input(rng, TRAIN) for _ in range(count)]
    drawn, before, endless = [], None, dict.fromkeys(task.labels, 1.0)
    for _ in range(count):
        before = next_label(rng, order, task.labels, before, endless)
        text = task.draw_input(rng, TRAIN)
        while task.output(text, "") != before:
            text = task.draw_input(rng, TRAIN)
        drawn.append(text)
    return drawn


def as_written(
    rng: Rng, task: ListTask, pairs: list[tuple[str, str]], label_map: dict[str, str], author: str
) -> list[tuple[str, str]]:
    """The items as an author writes them: with the labels of the map, and a hasty author's
    mistakes.
    """
    if label_map:
        pairs = [(x, label_map[y]) for x, y in pairs]
    if author == "hasty":
        outputs = tuple(label_map.values()) or task.outputs
        pairs = [
            (x, _mistake(rng, y, outputs) if rng.bernoulli(HASTY_ERROR) else y) for x, y in pairs
        ]
    return pairs


def _mistake(rng: Rng, right: str, outputs: tuple[str, ...]) -> str:
    while True:
        wrong = rng.choice(outputs)
        if wrong != right:
            return wrong


def write_made_up_list(rng: Rng) -> str:
    """A list of facts made up for one document: words without meaning stand for things, and most
    pairs come back.

    Nothing in the weights can know them (Chan et al. 2022: burstiness), so the second mention must
    be read off the first.
    """
    frame = FORMATS[rng.choice(tuple(FORMATS))]
    keys = rng.sample(lex.NONCE_KEYS, 3 + rng.randrange(4))
    values = rng.sample(lex.NOUNS, len(keys))
    pairs = list(zip(keys, values, strict=True))
    order = pairs + rng.sample(pairs, len(pairs))
    return " ".join([frame.format(x=x, y=y) for x, y in order])

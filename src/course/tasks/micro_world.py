"""Tasks of the micro-world as sources of data: closed tables, and rows that a generator writes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache

from datasets import Dataset, DatasetDict

from course.foundation.rng import Rng
from course.tasks.schemas import (
    CONLL2003,
    GSM8K,
    SNLI,
    SQUAD,
    Schema,
    sentence_labels,
    text_pairs,
)
from course.tasks.task import Selection, Source
from course.world import entities, exercises, inference, lists, reviews, stories
from course.world.example import Example
from course.world.split import SPLITS, TRAIN, split_of

#: Of everything that the project generates.
LICENCE = "MIT"
#: Tasks for heads alone -> cluster. Their outputs are tags or positions in a text, which nobody
#: asks for in words.
HEAD_TASKS = {"entities": "tagging", "extraction": "reading comprehension"}
#: Tasks about reviews, whose labels are numbered as SST-2 does: the negative one is 0.
_REVIEW_LABELS = {"sentiment": ("negative", "positive"), "recommend": ("no", "yes")}
_REVIEW_TASKS = ("sentiment", "recommend", "topic")

Rows = dict[str, list[dict]]


def _data(rows: Rows, schema: Schema) -> DatasetDict:
    return DatasetDict(
        {split: Dataset.from_list(part, features=schema.features) for split, part in rows.items()}
    )


@dataclass(frozen=True)
class Table:
    """A closed task: all of its inputs, in the splits that the world has put them into."""

    task: lists.ListTask
    licence: str = LICENCE

    @property
    def schema(self) -> Schema:
        return text_pairs(self.task.labels)

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(name for name in self.task.profiles if name)

    def load(self, selection: Selection) -> DatasetDict:
        """All rows, as one profile answers."""
        profile = selection.profile or self.task.profiles[0]
        rows: Rows = {split: [] for split in SPLITS}
        for x, y in self.task.tables[profile].items():
            rows[self.task.split(x, profile)].append({"input": x, "output": y})
        return _data(rows, self.schema)


def _as_written(number: int, row: dict) -> dict:
    return row


@dataclass(frozen=True)
class Generator:
    """An open task: as many different rows as are wanted.

    Attributes:
        stream: names the random draws; tasks with the same stream have the same inputs.
        write: draws a row; True keeps to what the corpus may contain.
        split: the split that a row belongs to.
        complete: adds to the number of a row in its split, and the row, the columns that follow
            from them.
        distinct: whether a row is taken once. Where labels differ in how many different rows they
            have, that would make the ones with few rarer than they are drawn.
    """

    schema: Schema
    stream: str
    write: Callable[[Rng, bool], dict] = field(repr=False)
    split: Callable[[dict], str] = field(repr=False)
    complete: Callable[[int, dict], dict] = field(default=_as_written, repr=False)
    distinct: bool = True
    licence: str = LICENCE
    profiles: tuple[str, ...] = ()

    def load(self, selection: Selection) -> DatasetDict:
        """``selection.sizes`` rows a split, fewer if they are to be different and no others turn
        up.
        """
        rows = {
            split: [self.complete(i, row) for i, row in enumerate(self._drawn(split, selection))]
            for split in selection.sizes
        }
        return _data(rows, self.schema)

    def _drawn(self, split: str, selection: Selection) -> list[dict]:
        rng = Rng(f"task/{self.stream}/{selection.seed}/{split}")
        count, rows, tries = selection.sizes[split], dict[object, dict](), 0
        while len(rows) < count and tries < 50 * count + 1000:
            row = self.write(rng, split == TRAIN)
            tries += 1
            if self.split(row) == split:
                rows.setdefault(repr(row) if self.distinct else tries, row)
        return list(rows.values())


@cache
def sources() -> dict[str, Source]:
    """Task -> its source, for every task of the micro-world."""
    by_name: dict[str, Source] = {}
    for task in lists.list_tasks().values():
        by_name[task.name] = _list_source(task)
    for exercise in exercises.EXERCISES.values():
        by_name[exercise.name] = _exercise_source(exercise)
    by_name["inference"] = _INFERENCE
    return by_name | {"entities": _ENTITIES, "extraction": _EXTRACTION}


def _list_source(task: lists.ListTask) -> Source:
    if task.name in _REVIEW_TASKS:
        return _review_source(task)
    if task.draw is None:
        return Table(task)
    draw = task.draw
    return Generator(
        text_pairs(task.labels),
        task.domain,
        write=lambda rng, train: {"input": draw(rng)},
        split=lambda row: split_of(task.domain, row["input"]),
        complete=lambda i, row: {**row, "output": task.output(row["input"])},
    )


def _review_source(task: lists.ListTask) -> Source:
    return Generator(
        sentence_labels(_REVIEW_LABELS.get(task.name, task.labels)),
        "reviews",
        write=lambda rng, train: {"sentence": reviews.write_review(rng)},
        split=lambda row: split_of(reviews.SPLIT_KEY, row["sentence"]),
        complete=lambda i, row: {"idx": i, **row, "label": task.output(row["sentence"])},
    )


def _exercise_source(exercise: exercises.Exercise) -> Source:
    has_solution = exercise.name in exercises.CHAINS
    return Generator(
        GSM8K if has_solution else text_pairs(exercise.labels),
        exercise.name,
        write=lambda rng, train: asdict(exercise.write(rng, train)),
        split=lambda row: exercise.split(Example(**row)),
        complete=_with_solution if has_solution else _without_solution,
    )


def _with_solution(number: int, row: dict) -> dict:
    return {"question": row["input"], "answer": f"{row['rationale']}\n#### {row['output']}"}


def _without_solution(number: int, row: dict) -> dict:
    return {"input": row["input"], "output": row["output"]}


def _write_pair(rng: Rng, train: bool) -> dict:
    premise, claim, label = inference.write_pair(rng, train)
    return {"premise": premise, "hypothesis": claim, "label": inference.LABELS.index(label)}


_INFERENCE = Generator(
    SNLI,
    "inference",
    write=_write_pair,
    split=lambda row: split_of(inference.SPLIT_KEY, f"{row['premise']} {row['hypothesis']}"),
    # "nobody is singing" follows from very few premises and is left open by many
    distinct=False,
)


def _write_sentence(rng: Rng, train: bool) -> dict:
    tokens, tags = entities.write_sentence(rng, train)
    return {"tokens": tokens, "ner_tags": [entities.TAGS.index(tag) for tag in tags]}


_ENTITIES = Generator(
    CONLL2003,
    "entities",
    write=_write_sentence,
    split=lambda row: split_of(entities.SPLIT_KEY, " ".join(row["tokens"])),
    complete=lambda i, row: {"id": str(i), **row},
)


def _write_question(rng: Rng, train: bool) -> dict:
    story = stories.write_story(rng, train)
    question, answer = rng.choice(
        ((story.where_question, story.where_answer), (story.who_question, story.who_answer))
    )
    start = _answer_start(story.text, question.split()[-2], answer)
    answers = {"text": [answer], "answer_start": [start]}
    return {"context": story.text, "question": question, "answers": answers}


def _answer_start(story: str, subject: str, answer: str) -> int:
    """The position of ``answer`` in the last sentence that speaks of ``subject`` too: later
    sentences overrule earlier ones.
    """
    start = position = 0
    for sentence in story.split(" . "):
        if {subject, answer} <= set(sentence.split()):
            position = start + f" {sentence} ".index(f" {answer} ")
        start += len(sentence) + len(" . ")
    return position


_EXTRACTION = Generator(
    SQUAD,
    "extraction",
    write=_write_question,
    split=lambda row: split_of(stories.SPLIT_KEY, row["context"]),
    complete=lambda i, row: {"id": str(i), "title": "story", **row},
)

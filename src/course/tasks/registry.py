"""Tasks: examples with their instructions, as ``datasets`` in the schema of the well-known set of
their kind.

``load_task("sentiment")`` has the columns of SST-2, ``"inference"`` those of SNLI, ``"entities"``
those of CoNLL-2003, ``"extraction"`` those of SQuAD, ``"problem"`` those of GSM8K; the other tasks
have ``input`` and ``output``. So data from the hub, or a reader's own, takes the same road as the
micro-world's: in the hub tier these five are the well-known sets themselves.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value, load_dataset

from course.foundation.rng import Rng
from course.models.hub import HubError, fetch, loading, tier
from course.world import entities, exercises, inference, lists, reviews, stories
from course.world.example import Example
from course.world.instructions import HEAD_INSTRUCTIONS, INSTRUCTIONS
from course.world.split import SPLITS, TEST, TRAIN, VALIDATION, split_of

__all__ = ["HUB_DATA", "Example", "HubData", "SIZES", "Task", "clusters", "load_task", "task_names"]

#: How many examples of an open task are drawn for each split (the hub's sets are shortened to as
#: many). A task with a table has what its table has.
SIZES = {TRAIN: 2000, VALIDATION: 200, TEST: 500}
#: Tasks for heads alone -> cluster. Their outputs are tags or places in a text, which nobody asks
#: for in words.
_HEADS = {
    "entities": "tagging",
    "extraction": "reading comprehension",
}

_PAIR = Features({"input": Value("string"), "output": Value("string")})
#: The schemas of the well-known sets, which the micro-world's data of the same task share. SST-2
#: and SNLI number their labels so.
_SCHEMAS = {
    "sentiment": Features({"idx": Value("int32"), "sentence": Value("string"), "label": ClassLabel(names=["negative", "positive"])}),
    "inference": Features({"premise": Value("string"), "hypothesis": Value("string"),
                           "label": ClassLabel(names=["entailment", "neutral", "contradiction"])}),
    "entities": Features({"id": Value("string"), "tokens": Sequence(Value("string")),
                          "ner_tags": Sequence(ClassLabel(names=list(entities.TAGS)))}),
    "extraction": Features({"id": Value("string"), "title": Value("string"), "context": Value("string"), "question": Value("string"),
                            "answers": {"text": Sequence(Value("string")), "answer_start": Sequence(Value("int32"))}}),
    "problem": Features({"question": Value("string"), "answer": Value("string")}),
}  # fmt: skip


@dataclass(frozen=True)
class HubData:
    """A data set of the hub that is stored as tables (parquet), so that no code has to run.

    Attributes:
        repository: its name on the hub.
        config: which of its configurations, or None for its only one.
        splits: the course's split -> where it is found, in the slicing notation of ``datasets``.
            Where the publisher has no labelled split of that kind, a part of the training split or
            the validation split stands in.
        licence: as its card states it, None if it states none.
    """

    repository: str
    config: str | None
    splits: dict[str, str]
    licence: str | None


_OWN = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
_WITHOUT_VALIDATION = {TRAIN: "train[:95%]", VALIDATION: "train[95%:]", TEST: "test"}
_WITHOUT_TEST = {TRAIN: "train[:95%]", VALIDATION: "train[95%:]", TEST: "validation"}

#: Task -> data set of the hub tier. SST-2's test split has no labels, SQuAD has no test split,
#: GSM8K no validation split.
HUB_DATA = {
    "sentiment": HubData("stanfordnlp/sst2", "default", _WITHOUT_TEST, "unknown"),
    "inference": HubData("stanfordnlp/snli", "plain_text", _OWN, "CC-BY-SA-4.0"),
    "entities": HubData("lhoestq/conll2003", None, _OWN, None),
    "extraction": HubData("rajpurkar/squad", "plain_text", _WITHOUT_TEST, "CC-BY-SA-4.0"),
    "problem": HubData("openai/gsm8k", "main", _WITHOUT_VALIDATION, "MIT"),
}


@dataclass(frozen=True)
class Task:
    """A task with its data.

    Attributes:
        name, cluster: what it is called, and its group of related tasks (as in FLAN, Wei et al.
            2022).
        instructions: the task in words, in three or more wordings.
        labels: the label words if the output is one of a few, in the order of the numbers in
            ``data``; else an empty tuple.
        data: train, validation and test in the schema of the well-known set of the task's kind.
        read: turns a row of ``data`` into an :class:`Example`.
        metric: how a written answer is compared with the right one, a key of
            :data:`course.tasks.METRICS`.
    """

    name: str
    cluster: str
    instructions: tuple[str, ...]
    labels: tuple[str, ...]
    data: DatasetDict = field(repr=False)
    read: Callable[[dict], Example] = field(repr=False)
    metric: str = "exact"

    def examples(self, split: str) -> list[Example]:
        """The examples of one split.

        Raises:
            ValueError: for a split that the task does not have.
        """
        if split not in self.data:
            raise ValueError(f"split={split!r}: expected one of {', '.join(self.data)}")
        return [self.read(row) for row in self.data[split]]


def task_names() -> tuple[str, ...]:
    """The names that :func:`load_task` knows, in the order of their clusters."""
    found = clusters()
    return tuple(sorted(found, key=lambda name: (found[name], name)))


def clusters() -> dict[str, str]:
    """Task -> its cluster."""
    return {
        name: kind.cluster for name, kind in (lists.list_tasks() | exercises.EXERCISES).items()
    } | _HEADS


def load_task(
    name: str,
    profile: str | None = None,
    seed: int = 0,
    sizes: dict[str, int] | None = None,
    wanted_tier: str | None = None,
) -> Task:
    """One task, of the micro-world (``tiny``) or with the well-known data set of its kind
    (``hub``).

    Args:
        name: one of :func:`task_names`, in the hub tier a key of :data:`HUB_DATA`.
        profile: whose profile, for ``"dialect"`` and ``"verdict"`` (default: the first).
        seed: of the examples drawn, for open tasks and the hub's sets.
        sizes: number of examples a split for open tasks, and at most for the hub's sets (default
            :data:`SIZES`).
        wanted_tier: overrides ``COURSE_TIER``.

    Raises:
        ValueError: for an unknown task, profile, split or tier, with the names that exist.
        HubError: if a data set cannot be fetched or has another schema than expected.
    """
    if name not in task_names():
        raise ValueError(f"no task {name!r}; choose from {', '.join(task_names())}")
    if unknown := [split for split in sizes or () if split not in SPLITS]:
        raise ValueError(f"no split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    profiles = [
        p for p in (lists.list_tasks()[name].profiles if name in lists.list_tasks() else ()) if p
    ]
    if profile is not None and profile not in profiles:
        raise ValueError(
            f"task {name!r} has no profile {profile!r}; choose from {', '.join(profiles) or 'none'}"
        )
    wanted = SIZES | (sizes or {})
    if tier(wanted_tier) == "hub":
        return _hub_task(name, wanted, seed)
    if name in lists.list_tasks():
        task = lists.list_tasks()[name]
        rows, features, read = _list_rows(task, profile or task.profiles[0], wanted, seed)
        cluster, labels = task.cluster, tuple(getattr(features.get("label"), "names", task.labels))
    elif name in _HEADS:
        rows, features, read = _head_rows(name, wanted, seed)
        cluster, labels = _HEADS[name], ()
    else:
        kind = exercises.EXERCISES[name]
        rows, features, read = _exercise_rows(kind, wanted, seed)
        cluster, labels = kind.cluster, kind.labels
    data = DatasetDict(
        {split: Dataset.from_list(found, features=features) for split, found in rows.items()}
    )
    return Task(name, cluster, (INSTRUCTIONS | HEAD_INSTRUCTIONS)[name], labels, data, read)


def _pair(row: dict) -> Example:
    return Example(row["input"], row["output"])


def _draw(
    write: Callable[[Rng, bool], dict],
    split_of_row: Callable[[dict], str],
    wanted: dict[str, int],
    name: str,
):
    """Different rows of an open task for each split; training rows are such as the corpus may
    contain.
    """
    found = {}
    for split, count in wanted.items():
        rng, rows, tries = Rng(f"task/{name}/{split}"), {}, 0
        while len(rows) < count and tries < 50 * count + 1000:
            row = write(rng, split == TRAIN)
            tries += 1
            if split_of_row(row) == split:
                rows.setdefault(repr(row), row)
        found[split] = list(rows.values())
    return found


def _list_rows(task: lists.ListTask, profile: str, wanted: dict[str, int], seed: int):
    if task.name in ("sentiment", "recommend", "topic"):
        rows = _draw(lambda rng, _: {"sentence": reviews.write_review(rng)},
                     lambda row: split_of(reviews.SPLIT_KEY, row["sentence"]), wanted, f"reviews/{seed}")  # fmt: skip
        # SST-2 numbers its labels negative 0, positive 1
        names = {"sentiment": ("negative", "positive"), "recommend": ("no", "yes")}.get(
            task.name, task.labels
        )
        features = Features({**_SCHEMAS["sentiment"], "label": ClassLabel(names=list(names))})
        made = {
            split: [
                {"idx": i, **row, "label": task.output(row["sentence"])}
                for i, row in enumerate(part)
            ]
            for split, part in rows.items()
        }
        return made, features, _reader("sentiment", features)
    if task.draw is None:
        table = task.tables[profile]
        made = {split: [] for split in SPLITS}
        for x, y in table.items():
            made[task.split(x, profile)].append({"input": x, "output": y})
        return made, _PAIR, _pair
    rows = _draw(lambda rng, _: {"input": task.draw(rng)},
                 lambda row: split_of(task.domain, row["input"]), wanted, f"{task.domain}/{seed}")  # fmt: skip
    made = {
        split: [{**row, "output": task.output(row["input"])} for row in part]
        for split, part in rows.items()
    }
    return made, _PAIR, _pair


def _exercise_rows(kind: exercises.Exercise, wanted: dict[str, int], seed: int):
    if kind.name == "inference":
        return _inference_rows(wanted, seed)

    rows = _draw(lambda rng, train: asdict(kind.write(rng, train)),
                 lambda row: kind.split(Example(**row)), wanted, f"{kind.name}/{seed}")  # fmt: skip
    if kind.name in exercises.CHAINS:
        made = {
            split: [
                {"question": r["input"], "answer": f"{r['rationale']}\n#### {r['output']}"}
                for r in part
            ]
            for split, part in rows.items()
        }
        return made, _SCHEMAS["problem"], _reader("problem", _SCHEMAS["problem"])
    made = {
        split: [{"input": r["input"], "output": r["output"]} for r in part]
        for split, part in rows.items()
    }
    return made, _PAIR, _pair


def _inference_rows(wanted: dict[str, int], seed: int):
    def write(rng: Rng, train: bool) -> dict:
        premise, claim, label = inference.write_pair(rng, train)
        return {"premise": premise, "hypothesis": claim, "label": inference.LABELS.index(label)}

    rows = _draw(
        write,
        lambda r: split_of(inference.SPLIT_KEY, f"{r['premise']} {r['hypothesis']}"),
        wanted,
        f"inference/{seed}",
    )
    return rows, _SCHEMAS["inference"], _reader("inference", _SCHEMAS["inference"])


def _where_it_says(text: str, asked: str, answer: str) -> int:
    """The position of ``answer`` in the last sentence that speaks of ``asked`` too: later sentences
    overrule earlier ones.
    """
    start = found = 0
    for sentence in text.split(" . "):
        if {asked, answer} <= set(sentence.split()):
            found = start + f" {sentence} ".index(f" {answer} ")
        start += len(sentence) + len(" . ")
    return found


def _head_rows(name: str, wanted: dict[str, int], seed: int):
    if name == "entities":

        def write(rng: Rng, train: bool) -> dict:
            tokens, tags = entities.write_sentence(rng, train)
            return {"tokens": tokens, "ner_tags": [entities.TAGS.index(t) for t in tags]}

        rows = _draw(
            write,
            lambda r: split_of(entities.SPLIT_KEY, " ".join(r["tokens"])),
            wanted,
            f"{name}/{seed}",
        )
        made = {
            split: [{"id": str(i), **row} for i, row in enumerate(part)]
            for split, part in rows.items()
        }
        return made, _SCHEMAS[name], _reader(name, _SCHEMAS[name])

    def write_extraction(rng: Rng, train: bool) -> dict:
        story = stories.write_story(rng, train)
        question, answer = rng.choice(
            ((story.where_question, story.where_answer), (story.who_question, story.who_answer))
        )
        start = _where_it_says(story.text, question.split()[-2], answer)
        return {
            "context": story.text,
            "question": question,
            "answers": {"text": [answer], "answer_start": [start]},
        }

    rows = _draw(
        write_extraction,
        lambda r: split_of(stories.SPLIT_KEY, r["context"]),
        wanted,
        f"{name}/{seed}",
    )
    made = {
        split: [{"id": str(i), "title": "story", **row} for i, row in enumerate(part)]
        for split, part in rows.items()
    }
    return made, _SCHEMAS[name], _reader(name, _SCHEMAS[name])


def _reader(name: str, features: Features) -> Callable[[dict], Example]:
    """What turns a row in the schema of a well-known set into an example."""
    if name == "sentiment":
        words = features["label"].names
        return lambda row: Example(row["sentence"], words[row["label"]])
    if name == "inference":
        return lambda row: Example(
            f"{row['premise']} \n claim : {row['hypothesis']}", inference.LABELS[row["label"]]
        )
    if name == "entities":
        tags = features["ner_tags"].feature.names
        return lambda row: Example(
            " ".join(row["tokens"]), " ".join(tags[t] for t in row["ner_tags"])
        )
    if name == "extraction":
        return lambda row: Example(
            f"{row['context']} \n question : {row['question']}", (row["answers"]["text"] or [""])[0]
        )
    return _worked


def _worked(row: dict) -> Example:
    """GSM8K's schema: the worked solution, then ``#### answer`` on the last line; its
    ``<<48/2=24>>`` were for a calculator.
    """
    rationale, answer = row["answer"].split("\n#### ")
    return Example(row["question"], answer, re.sub("<<[^>]*>>", "", rationale))


def _hub_task(name: str, wanted: dict[str, int], seed: int) -> Task:
    if name not in HUB_DATA:
        raise ValueError(
            f"no data set for the task {name!r} in the hub tier; choose from {', '.join(HUB_DATA)}, or load it with wanted_tier='tiny'"
        )
    source, schema = HUB_DATA[name], _SCHEMAS[name]
    folder, data = fetch(source.repository, "dataset"), DatasetDict()
    for split, place in source.splits.items():
        with loading(source.repository, folder):
            rows = load_dataset(str(folder), source.config, split=place)
        _check_schema(rows.features, schema, source.repository, folder.name)
        rows = rows.select_columns(list(schema))
        if (
            "label" in schema
        ):  # -1 stands for "no label": the annotators disagreed, or the publisher keeps it
            rows = rows.filter(
                lambda labels: [label >= 0 for label in labels], input_columns="label", batched=True
            )
        data[split] = (
            rows.shuffle(seed=seed).select(range(min(wanted[split], len(rows)))).cast(schema)
        )
    labels = {
        "sentiment": tuple(_SCHEMAS["sentiment"]["label"].names),
        "inference": inference.LABELS,
    }.get(name, ())
    return Task(
        name,
        clusters()[name],
        (INSTRUCTIONS | HEAD_INSTRUCTIONS)[name],
        labels,
        data,
        _reader(name, schema),
    )


def _check_schema(found: Features, schema: Features, repository: str, revision: str) -> None:
    for column, expected in schema.items():
        names = getattr(getattr(expected, "feature", expected), "names", None)
        there = getattr(getattr(found.get(column), "feature", found.get(column)), "names", None)
        if column not in found or names != there:
            raise HubError(
                f"{repository} at revision {revision} has the columns {found}: expected {column!r} as {expected}; "
                "choose a revision or a data set with that schema"
            )

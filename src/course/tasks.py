"""Tasks: examples with their instructions, as ``datasets`` in the schema of the well-known set of their kind.

``load_task("sentiment")`` has the columns of SST-2, ``"inference"`` those of SNLI, ``"entities"`` those of CoNLL-2003,
``"extraction"`` those of SQuAD, ``"problem"`` those of GSM8K; the other tasks have ``input`` and ``output``. So data from the
hub, or a reader's own, takes the same road as the micro-world's.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value

from course.world import entities, exercises, inference, lists, reviews, stories
from course.world.chance import Chance
from course.world.example import Example
from course.world.instructions import INSTRUCTIONS
from course.world.split import SPLITS, TEST, TRAIN, VALIDATION, split_of

__all__ = ["Example", "SIZES", "Task", "load_task", "task_names"]

#: How many examples of an open task are drawn for each split. A task with a table has what its table has.
SIZES = {TRAIN: 2000, VALIDATION: 200, TEST: 500}
#: Tasks for heads alone -> cluster. Their outputs are tags or places in a text, which nobody asks for in words.
_HEADS = {
    "entities": "tagging",
    "extraction": "reading comprehension",
}


@dataclass(frozen=True)
class Task:
    """A task with its data.

    Attributes:
        name, cluster: what it is called, and its group of related tasks (as in FLAN, Wei et al. 2022).
        instructions: the task in words, in three or more wordings (none for the tasks that only heads can do).
        labels: the label words if the output is one of a few, in the order of the numbers in ``data``; else an empty tuple.
        data: train, validation and test in the schema of the well-known set of the task's kind.
        read: turns a row of ``data`` into an :class:`Example`.
    """

    name: str
    cluster: str
    instructions: tuple[str, ...]
    labels: tuple[str, ...]
    data: DatasetDict = field(repr=False)
    read: Callable[[dict], Example] = field(repr=False)

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
    clusters = {name: t.cluster for name, t in (lists.list_tasks() | exercises.EXERCISES).items()}
    clusters |= _HEADS
    return tuple(sorted(clusters, key=lambda name: (clusters[name], name)))


def load_task(name: str, profile: str | None = None, seed: int = 0, sizes: dict[str, int] | None = None) -> Task:
    """One task of the micro-world.

    Args:
        name: one of :func:`task_names`.
        profile: whose profile, for ``"dialect"`` and ``"verdict"`` (default: the first).
        seed: of the examples drawn, for open tasks.
        sizes: number of examples a split for open tasks (default :data:`SIZES`).

    Raises:
        ValueError: for an unknown task or profile, with the names that exist.
    """
    if name not in task_names():
        raise ValueError(f"no task {name!r}; choose from {', '.join(task_names())}")
    if unknown := [split for split in sizes or () if split not in SPLITS]:
        raise ValueError(f"no split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    profiles = [p for p in (lists.list_tasks()[name].profiles if name in lists.list_tasks() else ()) if p]
    if profile is not None and profile not in profiles:
        raise ValueError(f"task {name!r} has no profile {profile!r}; choose from {', '.join(profiles) or 'none'}")
    wanted = SIZES | (sizes or {})
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
    data = DatasetDict({split: Dataset.from_list(found, features=features) for split, found in rows.items()})
    return Task(name, cluster, INSTRUCTIONS.get(name, ()), labels, data, read)


def _pair(row: dict) -> Example:
    return Example(row["input"], row["output"])


_PAIR = Features({"input": Value("string"), "output": Value("string")})


def _draw(write: Callable[[Chance, bool], dict], split_of_row: Callable[[dict], str], wanted: dict[str, int], name: str):
    """Different rows of an open task for each split; training rows are such as the corpus may contain."""
    found = {}
    for split, count in wanted.items():
        chance, rows, tries = Chance(f"task/{name}/{split}"), {}, 0
        while len(rows) < count and tries < 50 * count + 1000:
            row = write(chance, split == TRAIN)
            tries += 1
            if split_of_row(row) == split:
                rows.setdefault(repr(row), row)
        found[split] = list(rows.values())
    return found


def _list_rows(task: lists.ListTask, profile: str, wanted: dict[str, int], seed: int):
    if task.name in ("sentiment", "recommend", "topic"):
        rows = _draw(lambda chance, _: {"sentence": reviews.write_review(chance)},
                     lambda row: split_of(reviews.SPLIT_KEY, row["sentence"]), wanted, f"reviews/{seed}")  # fmt: skip
        # SST-2 numbers its labels negative 0, positive 1
        names = {"sentiment": ("negative", "positive"), "recommend": ("no", "yes")}.get(task.name, task.labels)
        features = Features({"idx": Value("int32"), "sentence": Value("string"), "label": ClassLabel(names=list(names))})
        made = {
            split: [{"idx": i, **row, "label": task.output(row["sentence"])} for i, row in enumerate(part)] for split, part in rows.items()
        }
        return made, features, lambda row: Example(row["sentence"], names[row["label"]])
    if task.draw is None:
        table = task.tables[profile]
        made = {split: [] for split in SPLITS}
        for x, y in table.items():
            made[task.split(x, profile)].append({"input": x, "output": y})
        return made, _PAIR, _pair
    rows = _draw(lambda chance, _: {"input": task.draw(chance)},
                 lambda row: split_of(task.domain, row["input"]), wanted, f"{task.domain}/{seed}")  # fmt: skip
    made = {split: [{**row, "output": task.output(row["input"])} for row in part] for split, part in rows.items()}
    return made, _PAIR, _pair


def _exercise_rows(kind: exercises.Exercise, wanted: dict[str, int], seed: int):
    if kind.name == "inference":
        return _inference_rows(wanted, seed)

    rows = _draw(lambda chance, train: asdict(kind.write(chance, train)),
                 lambda row: kind.split(Example(**row)), wanted, f"{kind.name}/{seed}")  # fmt: skip
    if kind.name in exercises.CHAINS:
        made = {
            split: [{"question": r["input"], "answer": f"{r['rationale']}\n#### {r['output']}"} for r in part]
            for split, part in rows.items()
        }
        features = Features({"question": Value("string"), "answer": Value("string")})
        return made, features, _worked
    made = {split: [{"input": r["input"], "output": r["output"]} for r in part] for split, part in rows.items()}
    return made, _PAIR, _pair


def _worked(row: dict) -> Example:
    """GSM8K's schema: the worked solution, then ``#### answer`` on the last line."""
    rationale, answer = row["answer"].split("\n#### ")
    return Example(row["question"], answer, rationale)


def _inference_rows(wanted: dict[str, int], seed: int):
    names = ["entailment", "neutral", "contradiction"]

    def write(chance: Chance, train: bool) -> dict:
        premise, claim, label = inference.write_pair(chance, train)
        return {"premise": premise, "hypothesis": claim, "label": inference.LABELS.index(label)}

    rows = _draw(write, lambda r: split_of(inference.SPLIT_KEY, f"{r['premise']} {r['hypothesis']}"), wanted, f"inference/{seed}")
    features = Features({"premise": Value("string"), "hypothesis": Value("string"), "label": ClassLabel(names=names)})
    return rows, features, lambda r: Example(f"{r['premise']} \n claim : {r['hypothesis']}", inference.LABELS[r["label"]])


def _where_it_says(text: str, asked: str, answer: str) -> int:
    """The position of ``answer`` in the last sentence that speaks of ``asked`` too: later sentences overrule earlier ones."""
    start = found = 0
    for sentence in text.split(" . "):
        if {asked, answer} <= set(sentence.split()):
            found = start + f" {sentence} ".index(f" {answer} ")
        start += len(sentence) + len(" . ")
    return found


def _head_rows(name: str, wanted: dict[str, int], seed: int):
    if name == "entities":

        def write(chance: Chance, train: bool) -> dict:
            tokens, tags = entities.write_sentence(chance, train)
            return {"tokens": tokens, "ner_tags": [entities.TAGS.index(t) for t in tags]}

        rows = _draw(write, lambda r: split_of(entities.SPLIT_KEY, " ".join(r["tokens"])), wanted, f"{name}/{seed}")
        features = Features({"id": Value("string"), "tokens": Sequence(Value("string")),
                             "ner_tags": Sequence(ClassLabel(names=list(entities.TAGS)))})  # fmt: skip
        made = {split: [{"id": str(i), **row} for i, row in enumerate(part)] for split, part in rows.items()}
        return made, features, lambda r: Example(" ".join(r["tokens"]), " ".join(entities.TAGS[t] for t in r["ner_tags"]))

    def write_extraction(chance: Chance, train: bool) -> dict:
        story = stories.write_story(chance, train)
        question, answer = chance.pick(((story.where_question, story.where_answer), (story.who_question, story.who_answer)))
        start = _where_it_says(story.text, question.split()[-2], answer)
        return {"context": story.text, "question": question, "answers": {"text": [answer], "answer_start": [start]}}

    rows = _draw(write_extraction, lambda r: split_of(stories.SPLIT_KEY, r["context"]), wanted, f"{name}/{seed}")
    answers = {"text": Sequence(Value("string")), "answer_start": Sequence(Value("int32"))}
    features = Features({"id": Value("string"), "title": Value("string"), "context": Value("string"),
                         "question": Value("string"), "answers": answers})  # fmt: skip
    made = {split: [{"id": str(i), "title": "story", **row} for i, row in enumerate(part)] for split, part in rows.items()}
    return made, features, lambda r: Example(f"{r['context']} \n question : {r['question']}", r["answers"]["text"][0])

"""Which head a task needs."""

from collections.abc import Iterable

from datasets import ClassLabel

from course.heads.answers import SpanHead
from course.heads.head import Head
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.tasks import Task
from course.world.split import TRAIN


def head_for(task: Task) -> Head:
    """The head for a task, by the columns of its data.

    Args:
        task: in the schema of SST-2, SNLI, CoNLL-2003 or SQuAD (with or without questions that have no answer).

    Raises:
        ValueError: for data in another schema, without a training split, or with labels that cannot be told or disagree with the task's.
    """
    if TRAIN not in task.data:
        raise ValueError(f"the task {task.name!r} has no split {TRAIN!r} but {', '.join(task.data) or 'none'}; a head learns from one")
    data = task.data[TRAIN]
    columns = set(data.column_names)
    for texts in (("premise", "hypothesis"), ("sentence",)):
        if {*texts, "label"} <= columns:
            return SequenceHead(_names(task, data["label"], data.features["label"], "label"), task.read, texts)
    if {"tokens", "ner_tags"} <= columns:
        tags = [tag for row in data["ner_tags"] for tag in row or ()]
        return TokenHead(_bio(task, _names(task, tags, data.features["ner_tags"].feature, "ner_tags")))
    if {"question", "context", "answers"} <= columns:
        return SpanHead(may_be_absent=any(not answers["text"] for answers in data["answers"]))
    raise ValueError(
        f"no head for the task {task.name!r} with the columns {', '.join(data.column_names)}; expected those of SST-2 (sentence, label), "
        "SNLI (premise, hypothesis, label), CoNLL-2003 (tokens, ner_tags) or SQuAD (question, context, answers)"
    )


def _names(task: Task, values: Iterable, feature: object, column: str) -> tuple[str, ...]:
    """The labels of a column in the order of their numbers.

    What the numbers mean is the data's to say, where it does; so the task's labels may come in another order, but not be other words.
    """
    names = tuple(feature.names) if isinstance(feature, ClassLabel) else ()
    if not names and not task.labels:
        names = tuple(sorted({value for value in values if isinstance(value, str)}, key=lambda name: (name != "O", name)))
    if set(names) & set(task.labels) and set(names) != set(task.labels) or names and task.labels and len(names) != len(task.labels):
        raise ValueError(f"the task {task.name!r} has the labels {', '.join(task.labels)}, and its column {column!r} {', '.join(names)}")
    # other words for the same numbers: names that a publisher chose, and the words that a model should say
    found = task.labels if not set(names) & set(task.labels) and task.labels else names
    if len(found) < 2:
        raise ValueError(f"the labels of the task {task.name!r} are {list(found)}: expected two or more; name them with labels=")
    return found


def _bio(task: Task, tags: tuple[str, ...]) -> tuple[str, ...]:
    """BIO tags, in which entities can be found."""
    if other := [tag for tag in tags if tag != "O" and tag[:2] not in ("B-", "I-")]:
        raise ValueError(f"the task {task.name!r} has the tag {other[0]!r}: expected BIO tags such as O, B-PER and I-PER")
    return tags

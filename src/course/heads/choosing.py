"""Which head a task needs."""

from course.heads.answers import SpanHead
from course.heads.head import Head
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.tasks import Task


def head_for(task: Task) -> Head:
    """The head for a task, by the columns of its data.

    Args:
        task: in the schema of SST-2, SNLI, CoNLL-2003 or SQuAD (with or without questions that have no answer).

    Raises:
        ValueError: for data in another schema.
    """
    data = task.data["train"]
    columns = set(data.column_names)
    for texts in (("premise", "hypothesis"), ("sentence",)):
        if {*texts, "label"} <= columns:
            return SequenceHead(task.labels, task.read, texts)
    if {"tokens", "ner_tags"} <= columns:
        return TokenHead(tuple(data.features["ner_tags"].feature.names))
    if {"question", "context", "answers"} <= columns:
        return SpanHead(may_be_absent=any(not answers["text"] for answers in data["answers"]))
    raise ValueError(
        f"no head for the task {task.name!r} with the columns {', '.join(data.column_names)}; expected those of SST-2 (sentence, label), "
        "SNLI (premise, hypothesis, label), CoNLL-2003 (tokens, ner_tags) or SQuAD (question, context, answers)"
    )

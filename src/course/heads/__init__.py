"""Heads (外掛): a small layer on a pretrained body that turns its vectors into the answer of one task.

The four uses of BERT (Devlin et al. 2019), each for data in the schema of the well-known set of its kind::

    head = head_for(load_task("entities"))
    model = head.new_model("bert-middle")
    fit(model, head.encode(tokenizer, task.data["train"]))
    head.score(model, tokenizer, task.data["test"])

The same lines serve the micro-world and the hub's data, word-level tokenizers and word pieces.
"""

from course.heads.absent import with_absent_answers
from course.heads.answers import Answer, SpanHead
from course.heads.head import Head
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.tasks import Task

__all__ = [
    "Answer", "Head", "SequenceHead", "SpanHead", "TokenHead", "head_for", "with_absent_answers",
]  # fmt: skip


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

"""Heads (外掛): a small layer on a pretrained body that turns its vectors into the answer of one
task.

The four uses of BERT (Devlin et al. 2019), each for data in the schema of the well-known set of its
kind::

    task = load_task("entities")
    head, tokenizer = head_for(task), load_tokenizer("bert-middle")
    model = head.new_model("bert-middle")
    fit(model, head.encode(tokenizer, task.data["train"]))
    head.score(model, tokenizer, task.data["test"])

The same lines serve the micro-world and the hub's data, word-level tokenizers and word pieces.
"""

from course.heads import by_hand
from course.heads.absent import with_absent_answers
from course.heads.answers import Answer, SpanHead
from course.heads.head import Head, confusion, errors_by_kind
from course.heads.learning import BODY, TASKS, Learned, head_for, learn, take
from course.heads.new_words import with_new_words
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.heads.views import View, view

__all__ = [
    "BODY", "TASKS", "Answer", "Head", "Learned", "SequenceHead", "SpanHead", "TokenHead", "View",
    "by_hand", "confusion", "errors_by_kind", "head_for", "learn", "take", "view",
    "with_absent_answers", "with_new_words",
]  # fmt: skip

"""Data set schemas: the columns of SST-2, SNLI, CoNLL-2003, SQuAD and GSM8K, and how a row of each
becomes an input and an output.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from datasets import ClassLabel, Features, Value
from datasets import Sequence as ListOf

from course.world import entities, inference
from course.world.example import Example


@dataclass(frozen=True)
class Schema:
    """The columns of a data set and their meaning.

    Attributes:
        features: the columns with their types.
        read: turns a row into an :class:`course.world.example.Example`.
        labels: the label words if the output is one of a few, in the order of the numbers in the
            column ``label``; else an empty tuple.
    """

    features: Features
    read: Callable[[dict], Example] = field(repr=False)
    labels: tuple[str, ...] = ()


def text_pairs(labels: tuple[str, ...] = ()) -> Schema:
    """Two columns of text, ``input`` and ``output``."""
    features = Features({"input": Value("string"), "output": Value("string")})
    return Schema(features, lambda row: Example(row["input"], row["output"]), labels)


def sentence_labels(labels: Sequence[str]) -> Schema:
    """SST-2's columns (Socher et al. 2013) with label words of one's own: ``idx``, ``sentence``,
    ``label``.
    """
    words = tuple(labels)
    features = Features(
        {"idx": Value("int32"), "sentence": Value("string"), "label": ClassLabel(names=list(words))}
    )
    return Schema(features, lambda row: Example(row["sentence"], words[row["label"]]), words)


def _read_pair(row: dict) -> Example:
    text = f"{row['premise']} \n claim : {row['hypothesis']}"
    return Example(text, inference.LABELS[row["label"]])


def _read_tags(row: dict) -> Example:
    return Example(" ".join(row["tokens"]), " ".join(entities.TAGS[t] for t in row["ner_tags"]))


def _read_span(row: dict) -> Example:
    text = f"{row['context']} \n question : {row['question']}"
    return Example(text, (row["answers"]["text"] or [""])[0])


def _read_solution(row: dict) -> Example:
    """The worked solution, then ``#### answer`` on the last line; GSM8K's ``<<48/2=24>>`` were for
    a calculator.
    """
    rationale, answer = row["answer"].split("\n#### ")
    return Example(row["question"], answer, re.sub("<<[^>]*>>", "", rationale))


#: Sentiment of a sentence (Socher et al. 2013).
SST2 = sentence_labels(("negative", "positive"))
#: A premise and a hypothesis (Bowman et al. 2015); the output is a word of the micro-world.
SNLI = Schema(
    Features(
        {
            "premise": Value("string"),
            "hypothesis": Value("string"),
            "label": ClassLabel(names=["entailment", "neutral", "contradiction"]),
        }
    ),
    _read_pair,
    inference.LABELS,
)
#: Named entities, one tag a token (Tjong Kim Sang and De Meulder 2003).
CONLL2003 = Schema(
    Features(
        {
            "id": Value("string"),
            "tokens": ListOf(Value("string")),
            "ner_tags": ListOf(ClassLabel(names=list(entities.TAGS))),
        }
    ),
    _read_tags,
)
#: An answer as a span of a context (Rajpurkar et al. 2016).
SQUAD = Schema(
    Features(
        {
            "id": Value("string"),
            "title": Value("string"),
            "context": Value("string"),
            "question": Value("string"),
            "answers": {"text": ListOf(Value("string")), "answer_start": ListOf(Value("int32"))},
        }
    ),
    _read_span,
)
#: A word problem with its worked solution (Cobbe et al. 2021).
GSM8K = Schema(
    Features({"question": Value("string"), "answer": Value("string")}),
    _read_solution,
)

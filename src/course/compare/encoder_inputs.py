"""Items as an encoder reads them: rows for the heads of :mod:`course.heads`, cut to what the model
can read, and how many tokens they have.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.compare.bodies import Bench, shortened
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.task import Item, TableTask
from course.heads.head import Head
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.world.example import Example

#: Items that are encoded between two looks at the clock.
CHUNK = 256
#: Most tokens of an item.
_TOKENS = 256


def head_of(task: TableTask) -> Head:
    """The head for a task."""
    if task.kind == "tags":
        return TokenHead(task.labels)
    columns = ("premise", "hypothesis") if task.is_pair else ("sentence",)
    return SequenceHead(task.labels, _read_row, columns)


def _read_row(row: dict) -> Example:
    text = row["sentence"] if "sentence" in row else f"{row['premise']}\n{row['hypothesis']}"
    return Example(text, row.get("label", ""))


def rows_of(
    task: TableTask, items: Sequence[Item], tokenizer: PreTrainedTokenizerBase, most: int
) -> list[dict]:
    """Items as rows of the well-known sets, with what is too long cut off; of an item without a
    known label the first one stands in.
    """
    if task.kind == "tags":
        return [_tagged(task, item, tokenizer, most) for item in items]
    rows = []
    for item in items:
        label = item.answer if item.answer in task.labels else task.labels[0]
        if task.is_pair:
            first, second = (shortened(tokenizer, text, most // 2 - 2) for text in item.texts)
            rows.append({"premise": first, "hypothesis": second, "label": label})
        else:
            rows.append({"sentence": shortened(tokenizer, item.text, most - 4), "label": label})
    return rows


def _tagged(task: TableTask, item: Item, tokenizer: PreTrainedTokenizerBase, most: int) -> dict:
    words, tags = item.text.split(), item.answer.split()
    if len(item.text) > most:  # no token is empty
        ids = tokenizer(words, is_split_into_words=True, verbose=False).word_ids(0)
        if len(ids) > most:
            words = words[: max((w for w in ids[: most - 1] if w is not None), default=0)]
    known = [tag if tag in task.labels else "O" for tag in tags] or ["O"] * len(words)
    return {"tokens": words, "ner_tags": known[: len(words)]}


def most_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Most tokens of an item for a model."""
    bounds = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min(_TOKENS, *(bound for bound in bounds if bound))


def full_length(task: TableTask, item: Item, answer: Any) -> str:
    """An answer of a head; tags that were cut off are no names."""
    if task.kind != "tags":
        return answer
    missing = len(item.text.split()) - len(answer)
    return " ".join([*answer, *["O"] * missing])


def item_tokens(bench: Bench, data: Prepared, joined: bool = False) -> Work:
    """The work of encoding one item, by some of them."""
    tokenizer, some = bench.encoder_tokenizer, data.train[:100]
    rows = rows_of(data.task, some, tokenizer, _TOKENS)
    if joined:
        lengths = [len(f["input_ids"]) for f in head_of(data.task).features(tokenizer, rows)]
    else:
        columns = [c for c in ("premise", "hypothesis", "sentence", "tokens") if c in rows[0]]
        words = columns == ["tokens"]
        lengths = [
            sum(len(tokenizer(row[c], is_split_into_words=words).input_ids) for c in columns)
            for row in rows
        ]
    mean = float(np.mean(lengths))
    return Work(1, mean, mean)


def encoder_obstacle(bench: Bench, data: Prepared) -> str | None:
    """Why the encoder cannot be used on these texts; None if it can."""
    if bench.choice.encoder is None:
        return "needs an encoder, and none was named"
    if unknown := bench.unknown_words("encoder", "the encoder", data.train):
        return unknown
    return None

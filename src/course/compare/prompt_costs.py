"""What prompting costs: tokens that a prompt has, and tokens that a model writes for an answer.

What it writes is tried on a few items, since a model that was not trained on the answers goes on
behind them, or explains. After training it writes about what the training answers have.
"""

from collections.abc import Sequence

import numpy as np

from course.compare.base import Method
from course.compare.bodies import Bench, shortened
from course.compare.metering import CHUNK, Work
from course.compare.preparation import Prepared
from course.compare.prompt_predictor import (
    MOST_WRITTEN,
    PromptPredictor,
    PromptState,
    meter_for,
    with_text,
)
from course.compare.task import Item
from course.lm.tokenization import shared_length

#: Room for a written answer: so many tokens more than the longest in training.
_MORE_TOKENS = 4
#: Items on which it is tried how much a model writes.
_TRIED = 8


def room(bench: Bench, items: Sequence[Item], served: bool = False) -> int:
    """Tokens for a written answer, by the longest of the training answers; of a served model,
    whose tokenizer is not here, by their letters.
    """
    task = bench.task
    if task.kind == "labels":
        texts = list(task.words.values())
    else:
        texts = [task.write(item) for item in items[:100]] or ["a few words of an answer"]
    if task.kind == "labels" or served:
        return min(MOST_WRITTEN, max(len(text) // 2 for text in texts) + 2 * _MORE_TOKENS + 2)
    longest = max(len(ids) for ids in bench.causal_tokenizer(texts).input_ids)
    return min(MOST_WRITTEN, longest + _MORE_TOKENS)


def query_work(
    method: Method, bench: Bench, data: Prepared, shown: Sequence[Item] = (), chat: bool = True
) -> Work:
    """The work of one answer after demonstrations, by some of the items; what prompts share is
    computed once in a chunk.

    Args:
        chat: whether the model is spoken to in its chat template, if it has one.
    """
    some, task = data.train[:CHUNK], data.task
    if method.body == "served":
        letters = np.mean([len(task.prompt(item, task.told, shown).text) for item in some])
        asked = Work(1, float(letters) / 4, float(letters) / 4, answer_tokens(bench, data, True))
        served = bench.choice.served
        scored = task.kind == "labels" and served is not None and not served.chat
        return asked.times(len(task.labels)) if scored else asked  # each label with its prompt
    most, tokenizer = bench.item_tokens(some), bench.causal_tokenizer
    cut = [with_text(i, shortened(tokenizer, i.text, most)) for i in (*some, *shown)]
    prompts = [task.prompt(item, task.told, cut[len(some) :]).text for item in cut[: len(some)]]
    ids = sorted(bench.prompted.local.encoder.prompts(prompts))
    read = sum(map(len, ids))
    shared = sum(shared_length(a, b) for a, b in zip(ids, ids[1:], strict=False))
    computed = (read - shared) / len(ids) + _tail(bench, data)
    return Work(1, read / len(ids), computed, _written(method, bench, data, shown, chat))


def _written(
    method: Method, bench: Bench, data: Prepared, shown: Sequence[Item], chat: bool
) -> float:
    """Tokens that a method writes for an answer."""
    if data.task.kind == "labels":  # it chooses one, and writes nothing
        return 0.0
    if method.iterative:
        return answer_tokens(bench, data)
    tried = written_answers(bench, data, shown, chat)
    return tried.written / tried.calls


def written_answers(
    bench: Bench, data: Prepared, shown: Sequence[Item] = (), chat: bool = True
) -> Work:
    """The work of answering some items in words: tried once with demonstrations, whichever they
    are, and once without.
    """
    key = ("written answers", bool(shown), chat)
    if key not in bench.known:
        items = [item for item in data.train if item not in shown][:_TRIED]
        state = PromptState(data.task.told, tuple(shown), None, room(bench, data.train), chat)
        predictor = PromptPredictor(
            data.task, meter_for(bench, state, False), state, bench.item_tokens(data.train)
        )
        predictor.predict(items)
        bench.known[key] = predictor.work
    return bench.known[key]


def _tail(bench: Bench, data: Prepared) -> float:
    """Tokens of the labels beyond the first of each."""
    if data.task.kind != "labels":
        return 0.0
    words = [f" {word}" for word in data.task.words.values()]
    return sum(len(row) - 1 for row in bench.causal_tokenizer(words).input_ids)


def answer_tokens(bench: Bench, data: Prepared, served: bool = False) -> float:
    """Tokens of a training answer and its end, on the mean; of a served model, whose tokenizer is
    not here, about.
    """
    texts = [data.task.write(item) for item in data.train[:50]]
    if served:
        return float(np.mean([len(text) / 4 + 1 for text in texts]))
    return float(np.mean([len(ids) + 1 for ids in bench.causal_tokenizer(texts).input_ids]))


def text_bytes(data: Prepared, shown: Sequence[Item] = ()) -> float:
    """Bytes of a saved prompt: the demonstrations stand in it twice, as a list and as a prompt."""
    texts = sum(len((item.text + data.task.write(item)).encode()) + 30 for item in shown)
    return 600 + 2 * len(data.task.told) + 2 * texts + 8 * sum(map(len, data.task.labels))

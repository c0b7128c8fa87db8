"""Unanswerable questions, made from answerable ones (after SQuAD 2.0, Rajpurkar et al. 2018)."""

from collections import Counter
from dataclasses import replace

from datasets import Dataset, DatasetDict

from course.foundation import validation
from course.foundation.rng import Rng
from course.heads.new_words import words_of
from course.tasks.registry import Task

#: Contexts that are tried for a question before it is left as it is.
_TRIES = 100


def with_absent_answers(task: Task, share: float = 0.25, seed: int = 0) -> Task:
    """A task in which a share of the questions of every split has a context without the answer.

    Such a context is another row's of the same split in which neither the answer occurs nor what
    the question asks about, that is, the rarest of the words that the question shares with its own
    context ("anna" in "where is anna ?"). SQuAD 2.0's writers made their questions closer to the
    text than this, so these are easier.

    Args:
        task: with data in SQuAD's schema.
        share: of the rows, from 0 to 1.
        seed: of the choice.

    Raises:
        ValueError: for data in another schema, or a share that is none.
    """
    validation.share()("share", share)
    if not {"question", "context", "answers"} <= set(task.data["train"].column_names):
        raise ValueError(
            f"the task {task.name!r} has no questions about a context; expected data in SQuAD's "
            "schema, such as 'extraction'"
        )
    data = {
        split: Dataset.from_list(
            _partly_absent(list(rows), share, Rng(f"absent/{seed}/{split}")), features=rows.features
        )
        for split, rows in task.data.items()
    }
    return replace(task, data=DatasetDict(data))


def _partly_absent(rows: list[dict], share: float, rng: Rng) -> list[dict]:
    words = [set(words_of(row["context"])) for row in rows]
    frequency = Counter(word for row_words in words for word in row_words)
    changed = list(rows)
    for i in sorted(rng.sample(range(len(rows)), round(share * len(rows)))):
        wanted = subject(rows[i], frequency)
        for j in (rng.randrange(len(rows)) for _ in range(_TRIES)):
            if wanted not in words[j] and not any(
                text.lower() in rows[j]["context"].lower() for text in rows[i]["answers"]["text"]
            ):
                changed[i] = rows[i] | {
                    "context": rows[j]["context"],
                    "answers": {"text": [], "answer_start": []},
                }
                break
    return changed


def subject(row: dict, frequency: dict[str, int]) -> str | None:
    """The rarest word (the first of equals) that a question shares with its context, None if it
    shares no word.

    Args:
        frequency: word -> number of contexts in which it occurs.
    """
    context = set(words_of(row["context"]))
    shared = [word for word in words_of(row["question"]) if word in context]
    return min(shared, key=lambda word: frequency[word], default=None)

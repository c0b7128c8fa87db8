"""Test items with words that are in no labelled row: a head can know them only from its body."""

from collections import Counter
from dataclasses import replace

from datasets import DatasetDict

from course.foundation import validation
from course.foundation.rng import Rng
from course.tasks.registry import Task
from course.world.split import TEST, TRAIN


def with_new_words(task: Task, share: float = 0.3, rare: float = 0.15, seed: int = 0) -> Task:
    """A task with some words held out of its training and validation rows; every test row has one
    of them.

    Args:
        share: of the rare words that are kept out, from 0 to 1.
        rare: a word is rare if it is in less than this share of the training rows.
        seed: of the choice.

    Raises:
        ValueError: if no row is left in a split.
    """
    validation.share()("share", share)
    validation.share()("rare", rare)
    words = {
        split: [set(words_of(task.read(row).input)) for row in rows]
        for split, rows in task.data.items()
    }
    frequency = Counter(word for row_words in words[TRAIN] for word in row_words)
    candidates = sorted(
        word for word, count in frequency.items() if count < rare * len(words[TRAIN])
    )
    kept_out = set(Rng(f"new words/{seed}").sample(candidates, round(share * len(candidates))))
    data = DatasetDict()
    for split, rows in task.data.items():
        chosen = [
            i
            for i, row_words in enumerate(words[split])
            if bool(row_words & kept_out) == (split == TEST)
        ]
        if not chosen:
            raise ValueError(
                f"no row of {task.name!r} is left in the split {split!r}; load more rows (sizes=) "
                f"or lower share={share}"
            )
        data[split] = rows.select(chosen)
    return replace(task, data=data)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without the punctuation at their ends."""
    return [word for word in (part.strip(".,;:!?'\"()[]").lower() for part in text.split()) if word]

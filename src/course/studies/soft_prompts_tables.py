"""What is read off the records of soft prompts: accuracy by way, length, start and size, gaps to
LoRA, and what the nearest words do.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.studies.soft_prompts import (
    AUTO,
    BODIES,
    CALLED,
    LARGE_MODEL,
    LEARNED,
    LENGTHS,
    NAMED,
    PERSON,
    PLATEAU_STEPS,
    SHORT,
    SHOWN,
    SMALL_MODEL,
    UNNAMED,
    WORDS,
)
from course.studies.tables import by_body, by_seed, curve, means, where


def accuracies(table: pd.DataFrame, way: str, tasks: Sequence[str]) -> np.ndarray:
    """Accuracy (percent) of one way on the middle model, mean over the tasks that have it,
    (seeds,).
    """
    rows = where(table, part="methods", measure="accuracy", way=way)
    return by_seed(rows[rows["task"].isin(tasks)])


def best_words(table: pd.DataFrame, tasks: Sequence[str]) -> np.ndarray:
    """Accuracy (percent) of the words that do best on training items, a person's or those of any
    search, mean over tasks, (seeds,).
    """
    rows = where(table, part="methods")
    rows = rows[rows["task"].isin(tasks) & rows["way"].isin(WORDS)]
    cells = rows.pivot_table("value", ["seed", "task", "way"], "measure").reset_index()
    best = cells.loc[cells.groupby(["seed", "task"])["score"].idxmax()]
    return best.groupby("seed")["accuracy"].mean().to_numpy()


def along_length(table: pd.DataFrame, task: str) -> np.ndarray:
    """Accuracy (percent) of prompt tuning, (seeds, lengths)."""
    return curve(table, "length", part="lengths", task=task)


def all_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Every way to find a prompt on the same tasks and labels: accuracy (percent) on the tasks that
    wordings name and on those that none does, model calls, and the share of prompts that people can
    read (percent; 0 for vectors); means over tasks and seeds, a row a way.
    """
    rows, ways = where(table, part="methods"), (PERSON, *WORDS[1:], SHOWN, *LEARNED)
    columns: dict[str, list[float]] = {}
    for title, tasks in {"words name it (%)": NAMED, "labels exchanged (%)": UNNAMED}.items():
        columns[title] = [float(accuracies(table, way, tasks).mean()) for way in ways]
    columns["model calls"] = [by_seed(rows, way=way, measure="calls").mean() for way in ways]
    columns["readable (%)"] = [_readable(rows, way) for way in ways]
    return pd.DataFrame(columns, index=[*ways]).rename(index=CALLED)


def _readable(rows: pd.DataFrame, way: str) -> float:
    """The share (percent) of a way's prompts that are no gibberish: demonstrations all, vectors
    none.
    """
    judged = where(rows, way=way, measure="gibberish")["value"]
    return 100 * (1 - judged.mean()) if len(judged) else 100.0 * (way == SHOWN)


def along_size(table: pd.DataFrame, way: str) -> np.ndarray:
    """Accuracy (percent) of one way at its plateau, (seeds, sizes from the smallest); the middle
    size is the mean of its bodies.
    """
    rows = where(table, part="sizes", measure="accuracy", way=way)
    small, large = (by_seed(rows, model=name) for name in (SMALL_MODEL, LARGE_MODEL))
    return np.stack([small, by_body(rows, BODIES).mean(0), large], axis=1)


def lora_minus_prompt(table: pd.DataFrame, *models: str) -> np.ndarray:
    """The gap that prompt tuning leaves to LoRA at the plateau (points), (models, seeds)."""
    rows = where(table, part="sizes", measure="accuracy")
    return by_body(rows, models, way="lora") - by_body(rows, models, way="prompt")


def gaps_by_model(table: pd.DataFrame) -> pd.DataFrame:
    """What each way reaches at its plateau (percent), the gap of prompt tuning to LoRA (points),
    and the late rise of each (nats), means over seeds: a row a model.
    """
    rows = where(table, part="sizes")
    reached = rows[rows["measure"] == "accuracy"].pivot_table("value", "model", "way")
    late = rows[rows["measure"] == "late rise"].pivot_table("value", "model", "way")
    reached["gap"] = reached["lora"] - reached["prompt"]
    late = late[["prompt", "lora"]].rename(columns=CALLED).add_suffix(", late rise")
    both = reached.rename(columns=CALLED).join(late)
    return both.loc[[*PLATEAU_STEPS]].rename_axis(None).rename_axis(None, axis=1)


def by_starts(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the vectors by where they began, mean over the tasks: the mean and the
    worst of the seeds.
    """
    starts = where(table, part="starts")["start"].unique()
    right = {start: from_start(table, start, "vectors") for start in starts}
    return pd.DataFrame({s: {"mean": r.mean(), "worst seed": r.min()} for s, r in right.items()}).T


def from_start(
    table: pd.DataFrame, start: str, measure: str, tasks: Sequence[str] = SHORT
) -> np.ndarray:
    """What was measured for one start (in percent), mean over tasks, (seeds,)."""
    rows = where(table, part="starts", start=start, measure=measure)
    return by_seed(rows[rows["task"].isin(tasks)])


def share_among(table: pd.DataFrame, labels: Sequence[str]) -> float:
    """The share (percent) of the words of AutoPrompt's prompts for exchanged labels that are among
    ``labels``.
    """
    rows = where(table, part="methods", way=AUTO, measure="prompt")
    prompts = rows[rows["task"].isin(UNNAMED)]["text"]
    return 100 * float(np.mean([word in labels for text in prompts for word in text.split()]))


#: Measure of a wayward prompt -> what its column is called.
_STRAYED = {
    "vectors": "its vectors (%)",
    "words": "their nearest words (%)",
    "start": "the wording they began as (%)",
    "kept": "nearest words as at the start (%)",
}


def strayed(table: pd.DataFrame) -> pd.DataFrame:
    """What wayward vectors, their nearest words and their start do (accuracy in percent), and the
    share of words kept (percent), means over seeds: a row a task.
    """
    strays = means(table, "task", "measure", _STRAYED)
    return strays.rename(index=lambda task: task.replace("_", " "), columns=_STRAYED)


def lost_as_words(table: pd.DataFrame) -> np.ndarray:
    """Accuracy of wayward vectors minus that of their nearest words, in points, (seeds,)."""
    return by_seed(table, measure="vectors") - by_seed(table, measure="words")


def gap_closed_by_large(table: pd.DataFrame) -> np.ndarray:
    """The gap of prompt tuning to LoRA on the small model minus that on the large one, in points,
    (seeds,).
    """
    small, large = lora_minus_prompt(table, SMALL_MODEL, LARGE_MODEL)
    return small - large


def gap_closed_by_middle(table: pd.DataFrame) -> np.ndarray:
    """The gap of prompt tuning to LoRA on the small model minus that on each body of the middle
    size, in points, (bodies, seeds).
    """
    return lora_minus_prompt(table, SMALL_MODEL) - lora_minus_prompt(table, *BODIES)


def sixteen_over_one(table: pd.DataFrame) -> np.ndarray:
    """Accuracy with sixteen vectors minus that with one, in points, mean over tasks, (seeds,)."""
    by_task = np.mean([along_length(table, task) for task in SHORT], axis=0)
    return by_task[:, LENGTHS.index(16)] - by_task[:, LENGTHS.index(1)]

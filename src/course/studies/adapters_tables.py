"""What is read off the records of adapters: scores, parameters and bytes by method and task, shares
of what full fine-tuning gains, forgetting, and curves of prefix tuning.
"""

import numpy as np
import pandas as pd

from course.adapters import METHODS
from course.finetuning import forgetting
from course.foundation.intervals import RatioOfMeans
from course.studies.adapters import TASKS, TITLES, TRANSLATION, UNTUNED
from course.studies.tables import by_seed


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: (task, method) by measure, of the study ``adapters``."""
    keys = ["task", "method"]
    return table.pivot_table(index=keys, columns="measure", values="value", sort=False)


def scores_of(table: pd.DataFrame, task: str, method: str) -> pd.Series:
    """Scores (percent) of one method on one task, one a seed."""
    chosen = (table["task"] == task) & (table["method"] == method) & (table["measure"] == "score")
    return table[chosen].set_index("seed")["value"]


def size_and_score(table: pd.DataFrame, task: str) -> dict[str, tuple[float, np.ndarray]]:
    """Title of a method -> kilobytes stored for one more task, mean over the seeds, and scores in
    percent, one a seed.
    """
    mean = averages(table).loc[task]
    return {
        METHODS[method].title: (
            float(row["bytes"]) / 1e3,
            scores_of(table, task, method).to_numpy(),
        )
        for method, row in mean.iterrows()
        if method in METHODS
    }


def start_of(table: pd.DataFrame, task: str) -> dict[str, float]:
    """What tuning starts from, in percent: the head alone, or the model as it was."""
    method = UNTUNED if task == TRANSLATION else "head"
    return {method: float(by_seed(table, task=task, method=method, measure="score").mean())}


def own_and_others(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Way -> accuracy (percent) on the own task and on the others, of ``adapter-forgetting``."""
    mean = table.pivot_table(index="way", columns="task", values="value", sort=False)
    return {way: (float(row["own"]), float(row["others"])) for way, row in mean.iterrows()}


def prefix_curves(table: pd.DataFrame) -> dict[str, dict[str, list[float]]]:
    """Start -> learning rate, as text -> scores (percent), one a seed, of ``prefix-starts``."""
    rows = table[table["method"] == "prefix"]
    curves: dict[str, dict[str, list[float]]] = {}
    for (start, rate), values in rows.groupby(["start", "learning_rate"], sort=False):
        curves.setdefault(start, {})[f"{rate:g}"] = values["value"].tolist()
    return curves


def head_alone(table: pd.DataFrame) -> float:
    """Mean score (percent) of the head alone, of the study ``prefix-starts``."""
    return float(table[table["method"] == "head"]["value"].mean())


def minus(better: str, worse: str, task: str, *tables: pd.DataFrame) -> list[float]:
    """One method minus another on a task, in points, one a seed of each table."""
    return [
        difference
        for table in tables
        for difference in scores_of(table, task, better) - scores_of(table, task, worse)
    ]


def share_of_the_gain(table: pd.DataFrame, task: str, method: str = "lora") -> RatioOfMeans:
    """What a method gains over the head alone (over the model as it was), beside what full
    fine-tuning gains, seed by seed.
    """
    start = scores_of(table, task, UNTUNED if task == TRANSLATION else "head")
    gained, full = ((scores_of(table, task, name) - start).to_numpy() for name in (method, "full"))
    return RatioOfMeans(gained, full)


def share_of_the_bytes(table: pd.DataFrame, method: str = "lora") -> dict[str, float]:
    """Task -> bytes that a method stores, in percent of those of the whole model."""
    stored = averages(table)["bytes"]
    return {
        task: float(100 * stored.loc[task, method] / stored.loc[task, "full"]) for task in TITLES
    }


def disk_ratio(table: pd.DataFrame) -> pd.Series:
    """The disk space of the most whole models, in times that of as many adapters, one a seed."""
    most = table[(table["tasks"] == max(TASKS)) & (table["measure"] == "megabytes")]
    wide = most.pivot(index="seed", columns="way", values="value")
    return wide["models"] / wide["adapters"]


def saved_by_switching_off(table: pd.DataFrame) -> pd.Series:
    """Accuracy on the other tasks with LoRA switched off minus after full tuning, in points."""
    others = table[table["task"] == "others"].pivot(index="seed", columns="way", values="value")
    return others[forgetting.OFF] - others[forgetting.FULL]

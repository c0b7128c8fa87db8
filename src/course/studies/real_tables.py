"""What the chapters read off the records of real models: means by seed and by task, curves, areas
under label curves, sizes on disk.

Every function takes the table of one of :data:`course.studies.on_real_models.REAL_STUDIES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.adapters.methods import METHODS
from course.foundation.intervals import Independent
from course.models.index import INDEX
from course.studies import heads
from course.studies.on_real_models.forgetting import AFTER, BEFORE, REMEMBERED
from course.studies.records import Record, RecordError, Study, read_record
from course.studies.tables import by_seed, curve, means, where

#: How a prompted model and a tuned one are called in the study ``specialist``.
PROMPTED_WAY, TUNED_WAY = "prompted", "LoRA"
#: What the LLM says of text that it was not tuned on, in the study ``specialist``.
PLAIN_TEXT = "plain text"
#: Ways of the study ``requests``, and of ``prompts``.
TEMPLATE, NO_TEMPLATE = "with the template", "without"
WRITTEN, PEOPLES, SOFT_PROMPT = "written", "people's", "soft prompt"
#: What people's instructions, the best of them by the same items, are called in figures and tables.
CALLED_PEOPLES = "people's words"
#: The task of ``prompts`` that has words, and vectors beside them: film snippets.
LABELLED = "sentiment"
#: Tasks of the study ``chains``.
SCHOOL, ONE_STEP, FOUR_STEPS = "GSM8K", "one step", "four steps"
#: The search by gradient on the labelled task, and the same swaps without it.
AUTO, SWAPS = "AutoPrompt", "random swaps"


@dataclass(frozen=True)
class ByTask(Independent):
    """One value for each task, mean over its items and the seeds: another draw of tasks would have
    given other values.
    """

    def units(self) -> str:
        return f"{len(self.values)} tasks"


# chapter 1


def by_number(
    table: pd.DataFrame, measure: str = "sentiment"
) -> dict[str, tuple[list[int], np.ndarray]]:
    """Way -> numbers of demonstrations (of labels) with which a measure was taken, and what it was
    at each, (seeds, numbers).
    """
    rows = where(table, measure=measure)
    return {
        way: (
            sorted(where(rows, way=way)["number"].unique().tolist()),
            curve(rows, "number", way=way),
        )
        for way in (PROMPTED_WAY, TUNED_WAY)
    }


def lead_of_specialist(table: pd.DataFrame) -> np.ndarray:
    """Accuracy on sentiment of LoRA on the most labels minus that of the best of the prompts, which
    is picked for each seed in its favour: points, (seeds,).
    """
    ways = by_number(table)
    return ways[TUNED_WAY][1][:, -1] - ways[PROMPTED_WAY][1].max(axis=1)


def changed_by_tuning(table: pd.DataFrame, measure: str) -> np.ndarray:
    """A measure after LoRA on the most labels minus the same before, without demonstrations:
    (seeds,).
    """
    ways = by_number(table, measure)
    return ways[TUNED_WAY][1][:, -1] - ways[PROMPTED_WAY][1][:, 0]


def rise_of_perplexity(table: pd.DataFrame) -> np.ndarray:
    """By how much the perplexity of plain text rose with that, in percent, (seeds,)."""
    return 100 * np.expm1(changed_by_tuning(table, PLAIN_TEXT))


def what_is_lost(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: a row for each way and its number of demonstrations or labels, a column
    a measure (percent right; nats a token of plain text).
    """
    names = {PROMPTED_WAY: "{} demonstrations", TUNED_WAY: "LoRA, {} labels"}
    rows = table[(table["way"] == TUNED_WAY) | (table["number"] == 0)]
    named = [names[way].format(n) for way, n in zip(rows["way"], rows["number"], strict=True)]
    return means(rows.assign(model=named), "model", "measure", rows["measure"].unique())


def before_and_after(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds: a row a measure, a column for before tuning and after (percent; plain
    text in nats a token).
    """
    rows = table[table["measure"] != "text"]
    named = rows.assign(measure=rows["measure"].str.replace("_", " "))
    return means(named, "measure", "way", (BEFORE, AFTER))


def forgotten(table: pd.DataFrame) -> np.ndarray:
    """What is lost on the tasks that the model could do before, mean over them, in points,
    (seeds,).
    """
    rows = table[table["measure"].isin(REMEMBERED)]
    return by_seed(rows, way=BEFORE) - by_seed(rows, way=AFTER)


def continuations(table: pd.DataFrame) -> pd.DataFrame:
    """How the model goes on with each text, of the first seed: a row a text, a column for before
    tuning and after.
    """
    rows = where(table, measure="text", seed=table["seed"].min())
    wide = rows.pivot(index="prompt", columns="way", values="text")
    return wide.loc[rows["prompt"].unique(), [BEFORE, AFTER]].rename_axis(None, axis=1)


# chapter 2


def as_heads(table: pd.DataFrame) -> pd.DataFrame:
    """The rows as :func:`course.plots.by_number_of_labels` and :func:`course.studies.heads.areas`
    take them.
    """
    return table.assign(part="score", model=table["way"])


def all_heads(*tables: pd.DataFrame) -> pd.DataFrame:
    """The rows of several studies as :func:`as_heads` gives them: of each task the seeds that all
    have who measured it.
    """
    rows = as_heads(pd.concat(tables))
    labels = rows.groupby("task")["labels"].transform("nunique")
    return rows[rows.groupby(["task", "seed"])["labels"].transform("nunique") == labels]


def lead_of_pretrained(table: pd.DataFrame, task: str) -> np.ndarray:
    """The area under the label curve of the pretrained encoder minus that of the fresh one, in
    points, (seeds,); of a task with one number of labels, the difference there.
    """
    rows = as_heads(where(table, task=task))
    if rows["labels"].nunique() == 1:
        return by_seed(rows, way="pretrained") - by_seed(rows, way="scratch")
    return heads.areas(rows, task, "pretrained") - heads.areas(rows, task, "scratch")


# chapter 3


def score(table: pd.DataFrame, method: str) -> np.ndarray:
    """Score (percent) of a method, (seeds,)."""
    return by_seed(table, method=method, measure="score")


def minus(better: str, worse: str, table: pd.DataFrame) -> np.ndarray:
    """One method minus another, in points, (seeds,)."""
    return score(table, better) - score(table, worse)


def more_than_half_of_the_gain(table: pd.DataFrame, method: str = "lora") -> np.ndarray:
    """What a method gains over the head alone minus half of what full tuning gains, in points,
    (seeds,): above 0 just where its share of the gain is above a half, and known where full tuning
    gains next to nothing, too.
    """
    return minus(method, "head", table) - minus("full", "head", table) / 2


def sizes_and_scores(table: pd.DataFrame) -> dict[str, tuple[float, np.ndarray]]:
    """Title of a method -> kilobytes stored for one more task, mean over the seeds, and scores in
    percent, one a seed; without the model that was only prompted.
    """
    stored = where(table[table["method"] != "none"], measure="bytes")
    return {
        METHODS[method].title: (float(sizes.mean()) / 1e3, score(table, method))
        for method, sizes in stored.groupby("method", sort=False)["value"]
    }


def hundred_on_disk(table: pd.DataFrame, tasks: int = 100) -> dict[str, float]:
    """Megabytes of so many tasks as whole encoders, and as one with its LoRA adapters."""
    stored = where(table, measure="bytes").groupby("method")["value"].mean() / 1e6
    return {
        f"MB of {tasks} encoders": float(tasks * stored["full"]),
        f"MB of one and {tasks} adapters": float(stored["full"] + tasks * stored["lora"]),
    }


def on_disk(table: pd.DataFrame) -> pd.DataFrame:
    """What was written of the LLM, means over the seeds: a row for whole models and for adapters
    beside one, by the number of tasks; megabytes, and milliseconds to switch to another task.
    """
    counts, ways = table["tasks"].astype(int), table["way"]
    one = ways.where(counts > 1, ways.str.removesuffix("s"))
    rows = table.assign(written=counts.astype(str) + " " + one)
    wide = means(rows, "written", "measure", ("MB", "switch_ms"))
    return wide.rename(columns={"switch_ms": "ms to switch"})


def hundred_llms(table: pd.DataFrame) -> dict[str, float]:
    """Megabytes of the most tasks as whole LLMs, each as large as the one that was written, and as
    one with its adapters, all of which were.
    """
    sizes = where(table, measure="MB").groupby(["way", "tasks"])["value"].mean()
    tasks = int(table["tasks"].max())
    return {
        f"MB of {tasks} LLMs": tasks * float(sizes["models", 1]),
        f"MB of one and {tasks} adapters": float(sizes["adapters", tasks]),
    }


# chapters 4 and 4a


def most_shots(table: pd.DataFrame) -> int:
    """The largest number of demonstrations that right labels were shown with."""
    return int(where(table, condition="gold")["shots"].max())


def under_condition(table: pd.DataFrame, condition: str, shots: int | None = None) -> np.ndarray:
    """Accuracy (percent) under a condition, (seeds,).

    Args:
        shots: number of demonstrations; nothing to ``"none"`` (default: the most).
    """
    if condition == "none":
        return by_seed(table, condition=condition)
    return by_seed(table, condition=condition, shots=most_shots(table) if shots is None else shots)


def by_shots(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent, mean over the seeds): a row a condition, a column a number of
    demonstrations.
    """
    rows = table[table["condition"].notna()]
    wide = rows.pivot_table("value", "condition", "shots", sort=False)
    return wide[sorted(wide)].rename_axis(None).rename_axis(None, axis=1)


def condition_curves(table: pd.DataFrame) -> tuple[list[int], dict[str, np.ndarray]]:
    """Numbers of demonstrations from 0 on, and condition -> accuracy (percent) at each, (seeds,
    numbers); all conditions begin without a demonstration.
    """
    rows = table[table["condition"].notna()]
    blank = under_condition(rows, "none")[:, None]
    shown = [name for name in rows["condition"].unique() if name != "none"]
    curves = {name: np.hstack([blank, curve(rows, "shots", condition=name)]) for name in shown}
    return sorted(rows["shots"].unique().astype(int).tolist()), curves


def over_orders(table: pd.DataFrame, kind: str, measure: str) -> np.ndarray:
    """A measure over the orders of the same demonstrations under one kind of calibration, in
    percent, (seeds,).
    """
    return by_seed(table, calibration=kind, measure=measure)


# chapters 4b and 6b


def _is_labelled(table: pd.DataFrame) -> pd.Series:
    """Which rows of the study ``prompts`` are of the film snippets: instruction induction has a
    task of that name, too, whose rows stand before them, and on which a model wrote.
    """
    earlier = table.duplicated(["seed", "task", "way"], keep="last")
    return (table["task"] == LABELLED) & (table["way"] != WRITTEN) & ~earlier


def of_induction(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of instruction induction's tasks, of the study ``requests`` or ``prompts``."""
    rows = table[~_is_labelled(table)] if "calls" in table else table
    return rows.assign(task=rows["task"].str.replace("_", " "))


def of_labelled(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Way -> accuracy (percent) on film snippets, (seeds,), of the study ``prompts``."""
    rows = table[_is_labelled(table)]
    return {way: by_seed(rows, way=way) for way in rows["way"].unique()}


def cost_of_prompts(table: pd.DataFrame, ways: Mapping[str, str]) -> pd.DataFrame:
    """Ways to a prompt for film snippets: percent right, and the model calls that it took; means
    over the seeds.

    Args:
        ways: way -> what its row is called.
    """
    rows = table[_is_labelled(table)].groupby("way")[["value", "calls"]].mean()
    named = rows.loc[[*ways]].rename(index=ways).rename_axis(None)
    return named.rename(columns={"value": "accuracy (%)", "calls": "model calls"})


def by_task(table: pd.DataFrame, *ways: str) -> pd.DataFrame:
    """Percent right, mean over the seeds: a row a task of instruction induction, a column a way."""
    return means(of_induction(table), "task", "way", ways)


def gained_by_task(table: pd.DataFrame, better: str, than: str) -> ByTask:
    """One way minus another by task, in points."""
    wide = by_task(table, better, than)
    return ByTask((wide[better] - wide[than]).to_numpy())


def calls_by_way(table: pd.DataFrame, *ways: str) -> dict[str, float]:
    """Model calls of one task of instruction induction, mean over tasks and seeds, by way."""
    rows = of_induction(table)
    return {way: float(where(rows, way=way)["calls"].mean()) for way in ways}


# chapters 5 and 5b


def solved(table: pd.DataFrame, task: str) -> dict[str, np.ndarray]:
    """Way to ask -> percent of a task's problems that are solved, (seeds,)."""
    rows = where(table, task=task)
    return {way: by_seed(rows, way=way) for way in rows["way"].unique()}


def gained(table: pd.DataFrame, task: str, better: str, than: str) -> np.ndarray:
    """One way minus another on a task, in points, (seeds,)."""
    ways = solved(table, task)
    return ways[better] - ways[than]


def by_way(table: pd.DataFrame) -> pd.DataFrame:
    """Percent right, mean over the seeds: a row a way to ask, a column a task."""
    return means(table, "way", "task", table["task"].unique())


# what was measured, and what it took


def whole_record(study: Study) -> Record | None:
    """The record of all seeds of a study, if there is one."""
    try:
        return read_record(study)
    except RecordError:
        return None


def is_recorded(study: Study) -> bool:
    """Whether there is a record of all its seeds."""
    return whole_record(study) is not None


def provenance(study: Study) -> str:
    """What a recorded study measured: its models with the packages that they are from, the number
    of seeds, the minutes of all of them together, and the machine.
    """
    record = read_record(study)
    models = dict.fromkeys(INDEX[role] for role in study.models)
    names = " and ".join(f"{model.name} ({model.wheel.requirement})" for model in models)
    return (
        f"{names}: {len(record.runs)} seeds, {record.seconds / 60:.0f} minutes on {record.machine}"
    )


def costs(studies: Mapping[str, Study]) -> pd.DataFrame:
    """What each study that has a record took: a row a study, with its seeds, the minutes of all of
    them together, and the machine.
    """
    rows = {
        name: {
            "seeds": len(record.runs),
            "minutes": record.seconds / 60,
            "machine": record.machine,
        }
        for name, study in studies.items()
        if (record := whole_record(study))
    }
    return pd.DataFrame.from_dict(rows, orient="index")

"""What is read off the record of the models' quality: knowledge, losses, curves by number of
demonstrations, and the distance to the exact posterior.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course.studies.accuracy_by_shots import ACCURACY, BEST
from course.studies.bodies import LADDER
from course.studies.model_knowledge import BLANK_WORDS
from course.studies.model_quality import IN_BLANKS, MASKED, ONE_SIDED
from course.studies.tables import where
from course.world.split import TEST, TRAIN


def knowledge(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """What the models know, mean over seeds: a row a model; facts and sums in percent."""
    columns = {
        ("facts", "all"): "all facts",
        ("facts", "critics"): "critics",
        ("sums", TRAIN): "sums",
        ("sums", TEST): "held out",
    }
    wide = table.pivot_table("value", "model", ["measure", "part"])
    return wide.loc[list(models), list(columns)].set_axis([*columns.values()], axis=1)


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """Loss (nats a label), mean over seeds, of the three sizes: on the outputs of lists beside the
    best possible, and on all unseen text.
    """
    lists_ = table[table.measure == "loss on lists"].pivot_table("value", "model", "part")
    unseen = table[table.measure == "unseen loss"].groupby("model").value.mean()
    columns = {
        "outputs of lists": lists_["model"],
        "best possible": lists_["generator"],
        "all unseen text": unseen,
    }
    return pd.DataFrame(columns).loc[list(LADDER)]


def of_bert(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """What the BERTs know and can judge, in percent, mean over seeds: a row a model, and last what
    the best guess from one part of a document reaches.
    """
    columns = {
        ("facts", "all"): "all facts",
        ("facts by clue", "left"): "clue left",
        ("facts by clue", "right"): "clue right",
        ("sums", TEST): "sums held out",
        **{(IN_BLANKS, task): task for task in BLANK_WORDS},
    }
    wide = table.pivot_table("value", "model", ["measure", "part"])
    shown = wide.loc[list(models), list(columns)].set_axis([*columns.values()], axis=1)
    masked = where(table, measure=MASKED).groupby("model").value.mean()
    shown.insert(0, "masked words", masked[list(models)])
    guesses = where(table, measure=ONE_SIDED).groupby("part").value.mean()
    return pd.concat([shown, guesses.to_frame(ONE_SIDED).T]).rename_axis(index=None, columns=None)


def by_shots(table: pd.DataFrame, model: str, task: str, measure: str) -> pd.DataFrame:
    """Accuracy (percent) on one task: a row a seed, a column a number of demonstrations.

    Args:
        measure: :data:`course.studies.accuracy_by_shots.ACCURACY` or ``BEST``.
    """
    rows = table[(table.model == model) & (table.task == task) & (table.measure == measure)]
    return rows.pivot(index="seed", columns="k", values="value").rename(columns=int)


def curves_by_shots(
    table: pd.DataFrame, models: Mapping[str, str], tasks: Mapping[str, str]
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Accuracy (percent) by number of demonstrations, as :func:`course.plots.shots_and_ceiling`
    takes it: title -> name -> (seeds, shots), and of the exact posterior title -> (seeds, shots).

    Args:
        models: model -> what it is called.
        tasks: task -> title.
    """
    curves = {
        title: {name: by_shots(table, m, task, ACCURACY).to_numpy() for m, name in models.items()}
        for task, title in tasks.items()
    }
    any_model = next(iter(models))  # all were asked the same questions
    best = {
        title: by_shots(table, any_model, task, BEST).to_numpy() for task, title in tasks.items()
    }
    return curves, best


def below_the_best(table: pd.DataFrame, model: str, task: str) -> pd.Series:
    """Points by which a model lies under the exact posterior, mean over seeds, by number of
    demonstrations.
    """
    best, own = (by_shots(table, model, task, measure) for measure in (BEST, ACCURACY))
    return (best - own).mean()


def every_task(table: pd.DataFrame, model: str = "gpt-large") -> pd.DataFrame:
    """Accuracy (percent), mean over seeds: a row a task, a column a number of demonstrations. The
    last column is the exact posterior with the most demonstrations that fit.
    """
    rows = table[(table.model == model) & table.k.notna()]
    means = rows.pivot_table("value", ["task", "k"], "measure").reset_index("k")
    wide = means.pivot(columns="k", values=ACCURACY).rename(columns=int)
    wide["best"] = means.groupby("task")[BEST].last()
    return wide.sort_values(8, ascending=False, kind="stable").rename_axis(columns=None)

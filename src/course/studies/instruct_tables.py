"""What is read off the records of instruction tuning: the best settings, accuracy on held-out
clusters by form, control, breadth and size, and the shipped model beside its base.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.finetuning.instruction_tuning import BASE, HELD_OUT, QUESTIONS, TUNED, Control, clusters
from course.studies.bodies import LADDER
from course.studies.instruct import (
    ALONE_IN_KIND,
    BASES,
    FORMS,
    GOLD,
    IN_TURN,
    READABLE,
    SHOWN,
    UNTAUGHT,
)
from course.studies.tables import where

#: What the controls are set against: models of which the best of several figures counts.
UNTAUGHT_AT_BEST = f"{UNTAUGHT},\nat its best"
BASE_AT_BEST = f"{BASES} at its best"
#: What the gold reward is called among percentages.
NO_PERCENTAGE = f"{GOLD} (no percentage)"


def best_settings(table: pd.DataFrame, tuned: str) -> tuple[int, float]:
    """Steps and learning rate with the best mean over seeds.

    Args:
        tuned: ``"all"`` parameters or the ``"adapter"``.
    """
    steps, rate = where(table, tuned=tuned).groupby(["steps", "rate"]).value.mean().idxmax()
    return int(steps), float(rate)


def by_held_out(
    table: pd.DataFrame,
    part: str,
    model: str = BASE,
    request: str = str(Control.INSTRUCTION),
    form: str = "after",
    clusters: Sequence[str] = HELD_OUT,
) -> pd.DataFrame:
    """Accuracy (percent) in one part of the study: a row a seed, a column a cluster."""
    rows = where(table, part=part, model=model, request=request, form=form)
    return rows.pivot(index="seed", columns="cluster", values="value")[list(clusters)]


def best_form(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Accuracy (percent) in the best form of a request, of each seed and cluster by itself: a row a
    seed, a column a cluster.

    The best is taken on the items that are tested, which flatters all models alike.

    Args:
        part: :data:`course.studies.instruct.BASES` or ``IN_TURN``.
    """
    forms = [by_held_out(table, part, form=form) for form in FORMS]
    return pd.concat(forms).groupby(level="seed").max()


def best_of_base(table: pd.DataFrame) -> pd.DataFrame:
    """The same of the base."""
    return best_form(table, BASES)


def best_untaught(table: pd.DataFrame) -> pd.DataFrame:
    """The same of the models tuned without instructions, asked with one or without."""
    asked = [
        by_held_out(table, UNTAUGHT, request=str(control))
        for control in (Control.INSTRUCTION, Control.NONE)
    ]
    return pd.concat(asked).groupby(level="seed").max()


def by_form(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent), mean over seeds: a row a held-out cluster, the best of the tuned models
    on top; the base and the tuned models by form of the request, and the tuned ones whose siblings
    were held out, too.
    """
    columns = {
        (name, form): by_held_out(table, part, form=form).mean()
        for name, part in (("base", BASES), ("tuned", IN_TURN))
        for form in FORMS
    }
    columns["no siblings", "after"] = by_held_out(table, ALONE_IN_KIND).mean()
    wide = pd.DataFrame(columns).rename_axis(index=None)
    return wide.sort_values(("tuned", "after"), ascending=False)


def by_control(table: pd.DataFrame, clusters: Sequence[str]) -> dict[str, pd.Series]:
    """What stands in the instruction's place -> accuracy (percent) in the form ``after``, mean over
    held-out clusters, by seed; then the models tuned without instructions, asked with or without
    one, and the base in any form, each at its best.
    """
    tuned = {
        str(c): by_held_out(table, IN_TURN, request=str(c), clusters=clusters) for c in Control
    }
    others_ = {
        UNTAUGHT_AT_BEST: best_untaught(table)[[*clusters]],
        BASE_AT_BEST: best_of_base(table)[[*clusters]],
    }
    return {name: rows.mean(axis=1) for name, rows in (tuned | others_).items()}


def by_number(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Number of clusters tuned on -> accuracy (percent) of the middle model, mean over held-out
    clusters, (seeds,).
    """
    means = where(table, part=part).pivot_table("value", "seed", "k")
    return {str(int(k)): means[k].to_numpy() for k in means}


def by_size(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Model -> accuracy (percent), mean over held-out clusters, (seeds,).

    Args:
        part: :data:`course.studies.instruct.BY_SIZE` for tuned models, ``BASES`` for their bases.
    """
    return {name: by_held_out(table, part, name).mean(axis=1).to_numpy() for name in LADDER}


def by_request(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the shipped model and its base: the mean over clusters by form of the
    request, with demonstrations the mean over tasks; and as a guide.

    Args:
        table: of the study of the tuned model.
    """
    cluster_of = {name: cluster for cluster, names in clusters().items() for name in names}
    means = table.assign(cluster=table.task.map(cluster_of)).pivot_table(
        "value", ["model", "cluster"], "request"
    )
    rest = {
        name: where(table, request=name).groupby("model").value.mean()
        for name in (SHOWN, READABLE, GOLD)
    }
    wide = means.groupby("model").mean()[list(FORMS)].assign(**rest)
    return wide.rename(columns={GOLD: NO_PERCENTAGE}).rename_axis(index=None, columns=None)


def lost_by_tuning(table: pd.DataFrame) -> pd.Series:
    """Points that the tuned model lost against its base with demonstrations, mean over seeds, by
    task.

    Args:
        table: of the study of the tuned model.
    """
    means = where(table, request=SHOWN).pivot_table("value", "task", "model")
    return means[BASE] - means[TUNED]


#: Held-out clusters whose inputs do not say what is wanted.
NO_QUESTIONS = tuple(name for name in HELD_OUT if name not in QUESTIONS)

"""Studies of chapter 4: what demonstrations are good for, and whether their order matters; and what
the chapter reads off the records.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import RatioOfMeans
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting import sweeps
from course.prompting.calibration import KINDS, order_effect
from course.prompting.evaluation import SHOTS, all_profiles, questions
from course.prompting.selection import Balanced
from course.prompting.sweeps import TEMPLATES, Cell
from course.studies import model_quality
from course.studies.claims import Claim, Demonstration, Varies, fails
from course.studies.model_quality import ACCURACY, BEST, LADDER
from course.studies.records import Row, Study
from course.studies.tables import rows_of
from course.studies.verdicts import MoreThan, NoWorse
from course.world.lists import list_tasks
from course.world.profiles import PROFILED

#: Facts with few possible answers. The answers of each belong to it alone, or nearly so: who reads
#: one knows what is asked.
FACTS = ("region", "language", "flag", "category", "colour", "job", "instrument", "home")
#: Tasks with two labels. Most share their inputs, their labels or both with others, so only the
#: pairs tell what is asked.
JUDGEMENTS = (
    "is_animal",
    "is_large",
    "is_eaten",
    "is_wild",
    "is_wooden",
    "is_carried",
    "is_even",
    "is_above_fifty",
    "sentiment",
    "recommend",
    "verdict",
)
#: The lists of the world whose inputs are sentences; they stand in for inputs from elsewhere, as
#: sentences of the news did in Min et al. 2022.
SENTENCES = ("find_city", "sentiment")
#: What is done to the demonstrations, and how answers are given: written, or chosen among labels.
SHOWN = ("gold", "random", "foreign", "labels", "none")
WRITTEN, CHOSEN = "written", "chosen"
#: Small models by the share of relabelled lists in their pretraining.
KNOB = ("gpt-small-p00", "gpt-small-p05", "gpt-small", "gpt-small-p50")
ORDERED = (
    "is_animal",
    "is_large",
    "is_carried",
    "is_even",
    "is_above_fifty",
    "sentiment",
    "recommend",
    "verdict",
)
LAYOUTS = ("colon", "comma", "question")
#: What is measured over the orders of the same demonstrations.
MEASURES = ("mean", "worst", "spread")
#: Why calibration does not help here; the chapter says it at length.
_NOTHING_TO_REPAIR = (
    "the order of demonstrations says nothing in pretraining, so there is little to repair in a"
    " known layout, and in a strange one accuracy is at chance under every order"
)


def foreign_to(task: str) -> tuple[str, ...]:
    """The lists of sentences that have other inputs than a task."""
    return tuple(
        name for name in SENTENCES if list_tasks()[name].domain != list_tasks()[task].domain
    )


def demonstrations(seed: int, count: int = 60) -> list[Row]:
    """What each part of the demonstrations is good for, and whose labels are followed when they are
    wrong.

    Without a title, with eight demonstrations. The answers under :data:`SHOWN` are written, those
    to flipped labels chosen.
    """
    cells = []
    for task in (*FACTS, *JUDGEMENTS):
        more: dict[str, Any] = {"count": count, "written": True, "foreign": foreign_to(task)}
        cells += sweeps.grid([task], (8,), (seed,), conditions=SHOWN, **more)
    models = tuple(dict.fromkeys((*KNOB, *LADDER)))
    flipped = sweeps.grid(JUDGEMENTS, (8,), (seed,), models, ("gold", "flipped"), count=count)
    return _rows(cells, WRITTEN) + _rows(flipped, CHOSEN)


def _rows(cells: list[Cell], answer: str) -> list[Row]:
    """Accuracy (percent) of cells, a row each."""
    values = sweeps.run(cells, bar=False).accuracy
    return [
        {
            "answer": answer,
            "model": cell.model,
            "task": cell.task,
            "condition": cell.condition,
            "value": value,
        }
        for cell, value in zip(cells, values.tolist(), strict=True)
    ]


def calibration(seed: int) -> list[Row]:
    """Eight orders of four balanced demonstrations in three layouts, two of them never seen, with
    and without calibration.
    """
    rows: list[Row] = []
    for name, layout, task in product(("gpt-middle", "gpt-large"), LAYOUTS, ORDERED):
        profile = Rng(f"order/{task}/{seed}").choice(all_profiles(task))
        drawn = questions(profile, 4, 60, seed, Balanced(profile.labels), TEMPLATES[layout])
        distinct = list({question.prompt.query: question for question in drawn}.values())
        effect = order_effect(_loaded(name), distinct, 8, seed)
        place = {"model": name, "layout": layout, "task": task}
        for kind in KINDS:
            figures = {measure: getattr(effect, measure)(kind) for measure in MEASURES}
            rows += rows_of(figures, **place, calibration=kind)
    return rows


@lru_cache(maxsize=2)
def _loaded(name: str) -> LanguageModel:
    return load(name)


def under_conditions(table: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Accuracy (percent) of written answers, mean over some tasks: a row a seed, a column a
    condition.
    """
    rows = table[(table.answer == WRITTEN) & table.task.isin(tasks)]
    return rows.pivot_table("value", "seed", "condition")


def lost_by_task(table: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Points of accuracy that each condition costs against right labels, mean over seeds: a row a
    task, a column a condition.
    """
    rows = table[(table.answer == WRITTEN) & table.task.isin(tasks)]
    means = rows.pivot_table("value", "task", "condition")
    lost = means.rsub(means["gold"], axis=0)[list(SHOWN[1:])]
    return lost.sort_values("foreign").rename_axis(index=None, columns=None)


def lost_to(table: pd.DataFrame, condition: str, tasks: Sequence[str]) -> pd.Series:
    """Points of accuracy that a condition costs against right labels, mean over some tasks, by
    seed.
    """
    means = under_conditions(table, tasks)
    return means["gold"] - means[condition]


def after_flipped(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Accuracy (percent) of a model that chooses a label, mean over the tasks with two labels: a
    row a seed, the columns ``gold`` and ``flipped``.
    """
    rows = table[(table.answer == CHOSEN) & (table.model == model)]
    return rows.pivot_table("value", "seed", "condition")


def above_chance(table: pd.DataFrame, model: str) -> pd.Series:
    """Points by which a model lies above chance after flipped labels, mean over the tasks with two
    labels, by seed.
    """
    return after_flipped(table, model)["flipped"] - 50


def over_orders(table: pd.DataFrame, kind: str, measure: str) -> pd.Series:
    """A measure over the orders under one kind of calibration, mean over models, layouts and tasks,
    by seed.
    """
    rows = table[(table.calibration == kind) & (table.measure == measure)]
    return rows.groupby("seed").value.mean()


def by_layout(
    table: pd.DataFrame, layouts: Sequence[str]
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Layout -> kind of calibration -> ``"mean"`` and ``"worst"`` over orders (percent), mean over
    tasks: (seeds * models,).
    """
    means = table.groupby(["layout", "calibration", "measure", "seed", "model"]).value.mean()
    return {
        layout: {
            kind: {m: means[layout, kind, m].to_numpy() for m in ("mean", "worst")}
            for kind in KINDS
        }
        for layout in layouts
    }


def right_share(table: pd.DataFrame, model: str, shots: int, measure: str = ACCURACY) -> pd.Series:
    """Accuracy (percent) of a model, or of the best possible answers, on dialects and critics
    behind a title, by seed.

    Args:
        table: of the study of quality.
    """
    rows = table[(table.model == model) & (table.k == shots) & (table.measure == measure)]
    return rows[rows.task.isin(PROFILED)].groupby("seed").value.mean()


def clusters_of(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the large model on lists without titles, mean over tasks and seeds: a
    row a cluster of tasks, a column a number of demonstrations.

    Args:
        table: of the study of quality.
    """
    rows = table[(table.model == "gpt-large") & (table.measure == ACCURACY)]
    rows = rows[~rows.task.isin(PROFILED)]
    clusters = rows.task.map({name: task.cluster for name, task in list_tasks().items()})
    rows = rows.assign(cluster=clusters, shots=rows.k.astype(int))
    return rows.pivot_table("value", "cluster", "shots")


def _over_shots(table: pd.DataFrame, measure: str) -> pd.Series:
    return sum(right_share(table, "gpt-large", k, measure) for k in SHOTS) / len(SHOTS)


def _eight(table: pd.DataFrame, model: str = "gpt-large") -> pd.Series:
    return right_share(table, model, 8)


_SEEDS = (0, 1, 2, 3, 4)
DEMONSTRATIONS = Study(
    "demonstrations", 1, tuple(dict.fromkeys((*KNOB, *LADDER))), _SEEDS, demonstrations
)
CALIBRATION = Study("calibration", 1, ("gpt-middle", "gpt-large"), _SEEDS, calibration)
STUDIES = (DEMONSTRATIONS, CALIBRATION)

_MIN, _YOO, _WEI = "min2022rethinking", "yoo2022ground", "wei2023larger"
_ZHAO, _XIE = "zhao2021calibrate", "xie2022explanation"
_IGNORED = "small models ignore flipped labels"
_demonstrations = partial(Claim, varies=(Varies.ITEMS,), studies=(DEMONSTRATIONS,))
_calibration = partial(Claim, varies=(Varies.ITEMS,), studies=(CALIBRATION,))
_quality = partial(Claim, varies=(Varies.ITEMS,), studies=(model_quality.QUALITY,))
CLAIMS = (
    _demonstrations(
        "4a",
        "On facts, random labels cost at most 5 points.",
        NoWorse(5),
        _MIN,
        reported="random labels barely hurt",
        values=lambda table: -lost_to(table, "random", FACTS),
    ),
    _demonstrations(
        "4a",
        "On facts, foreign inputs cost accuracy.",
        MoreThan(10),
        _MIN,
        reported="the inputs' distribution is a key driver",
        values=lambda table: lost_to(table, "foreign", FACTS),
    ),
    _demonstrations(
        "4a",
        "On facts, showing nothing costs accuracy.",
        MoreThan(20),
        _MIN,
        values=lambda table: lost_to(table, "none", FACTS),
    ),
    Demonstration(
        "4b",
        "With two labels, random labels cost accuracy.",
        _YOO,
        "which of the two words means what can be known from the pairs alone",
        studies=(DEMONSTRATIONS,),
        figures=lambda table: {"points": lost_to(table, "random", JUDGEMENTS).mean()},
    ),
    _demonstrations(
        "4c",
        "p = 0: after flipped labels above chance.",
        MoreThan(5),
        _WEI,
        reported=_IGNORED,
        values=lambda table: above_chance(table, "gpt-small-p00"),
    ),
    _demonstrations(
        "4c",
        "p = 0.2, small: above chance.",
        MoreThan(5),
        _WEI,
        reported=_IGNORED,
        values=lambda table: above_chance(table, "gpt-small"),
    ),
    _demonstrations(
        "4c",
        "p = 0.5, small: under chance.",
        MoreThan(0),
        _WEI,
        values=lambda table: -above_chance(table, "gpt-small-p50"),
    ),
    _demonstrations(
        "4c",
        "p = 0.2, large: under chance.",
        MoreThan(10),
        _WEI,
        reported="large ones override",
        values=lambda table: -above_chance(table, "gpt-large"),
    ),
    _calibration(
        "4d",
        "Calibration lifts the worst order.",
        MoreThan(5),
        _ZHAO,
        reported="average accuracy up by as much as 30.0",
        values=lambda table: (
            over_orders(table, "contextual", "worst") - over_orders(table, "none", "worst")
        ),
        **fails(_NOTHING_TO_REPAIR),
    ),
    _calibration(
        "4d",
        "It halves the spread across orders.",
        MoreThan(2),
        _ZHAO,
        unit="times",
        ratio=True,
        values=lambda table: RatioOfMeans(
            *(over_orders(table, kind, "spread") for kind in ("none", "contextual"))
        ),
        **fails(_NOTHING_TO_REPAIR),
    ),
    _quality(
        "4f",
        "The large model is within 8 points of the best.",
        NoWorse(8),
        _XIE,
        values=lambda table: _over_shots(table, ACCURACY) - _over_shots(table, BEST),
    ),
    _quality(
        "4f",
        "Eight demonstrations teach it something.",
        MoreThan(20),
        _XIE,
        values=lambda table: _eight(table) - right_share(table, "gpt-large", 0),
    ),
    _quality(
        "4f",
        "It learns more from eight than the small one.",
        MoreThan(10),
        _XIE,
        values=lambda table: _eight(table) - _eight(table, "gpt-small"),
    ),
)

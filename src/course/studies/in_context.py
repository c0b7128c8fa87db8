"""Studies of chapter 4: what demonstrations are good for, and whether their order matters; and what
the chapter reads off the records.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import load
from course.prompting import sweeps
from course.prompting.calibration import KINDS, order_effect
from course.prompting.evaluation import all_profiles, questions
from course.prompting.selection import Balanced
from course.prompting.sweeps import TEMPLATES, Cell
from course.studies.records import Study
from course.world.lists import list_tasks
from course.world.profiles import PROFILED

#: Facts with few possible answers. The answers of each belong to it alone, or nearly so: who reads
#: one knows what is asked.
FACTS = ("region", "language", "flag", "category", "colour", "job", "instrument", "home")
#: Tasks with two labels. Most share their inputs, their labels or both with others, so only the
#: pairs tell what is asked.
JUDGEMENTS = ("is_animal", "is_large", "is_eaten", "is_wild", "is_wooden", "is_carried", "is_even", "is_above_fifty", "sentiment",
              "recommend", "verdict")  # fmt: skip
#: The lists of the world whose inputs are sentences; they stand in for inputs from elsewhere, as
#: sentences of the news did in Min et al. 2022.
SENTENCES = ("find_city", "sentiment")
SHOWN = ("gold", "random", "foreign", "labels", "none")
#: By the share of relabelled lists in pretraining, and by size.
KNOB = ("gpt-small-p00", "gpt-small-p05", "gpt-small", "gpt-small-p50")
LADDER = ("gpt-small", "gpt-middle", "gpt-large")
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


def _measured(cells: list[Cell], *keys: str) -> dict:
    """Accuracy (percent) of cells in nested dictionaries by some of their fields, as text."""
    found: dict = {}
    for row in sweeps.run(cells, bar=False).to_dict("records"):
        *outer, last = (str(row[key]) for key in keys)
        place = found
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = row["accuracy"]
    return found


def foreign_to(task: str) -> tuple[str, ...]:
    """The lists of sentences that have other inputs than a task."""
    return tuple(
        name for name in SENTENCES if list_tasks()[name].domain != list_tasks()[task].domain
    )


def demonstrations(seed: int, count: int = 60) -> dict:
    """What each part of the demonstrations is good for, and whose labels are followed when they are
    wrong.

    Without a title, with eight demonstrations; in ``"conditions"`` the model writes its answers, in
    ``"flipped"`` it chooses a label.
    """
    cells = []
    for task in (*FACTS, *JUDGEMENTS):
        more = {"count": count, "written": True, "foreign": foreign_to(task)}
        cells += sweeps.grid([task], (8,), (seed,), conditions=SHOWN, **more)
    models = tuple(dict.fromkeys((*KNOB, *LADDER)))
    wrong = sweeps.grid(JUDGEMENTS, (8,), (seed,), models, ("gold", "flipped"), count=count)
    return {
        "conditions": _measured(cells, "task", "condition"),
        "flipped": _measured(wrong, "model", "task", "condition"),
    }


def calibration(seed: int) -> dict:
    """Eight orders of four balanced demonstrations in three layouts, two of them never seen, with
    and without calibration.
    """
    found: dict = {}
    for name in ("gpt-middle", "gpt-large"):
        model, found[name] = load(name), {}
        for layout in LAYOUTS:
            found[name][layout] = {kind: {"mean": [], "worst": [], "spread": []} for kind in KINDS}
            for task in ORDERED:
                profile = Rng(f"order/{task}/{seed}").choice(all_profiles(task))
                asked = questions(profile, 4, 60, seed, Balanced(profile.labels), TEMPLATES[layout])
                distinct = list({question.prompt.query: question for question in asked}.values())
                effect = order_effect(model, distinct, 8, seed)
                for kind, values in found[name][layout].items():
                    for measure in values:
                        values[measure].append(getattr(effect, measure)(kind))
    return found


def lost_to(condition: str, tasks: Sequence[str], values: Sequence[dict]) -> np.ndarray:
    """Points of accuracy that a condition costs against right labels, mean over some tasks: one
    figure a seed of the first study.
    """
    return np.array(
        [
            np.mean(
                [v["conditions"][task]["gold"] - v["conditions"][task][condition] for task in tasks]
            )
            for v in values
        ]
    )


def above_chance(model: str, values: Sequence[dict]) -> np.ndarray:
    """By how many points a model lies above chance after flipped labels, mean over the tasks with
    two labels, by seed.
    """
    return np.array(
        [
            np.mean([v["flipped"][model][task]["flipped"] for task in JUDGEMENTS]) - 50
            for v in values
        ]
    )


def over_orders(kind: str, measure: str, values: Sequence[dict]) -> np.ndarray:
    """A measure over the orders under one kind of calibration, mean over models, layouts and tasks,
    by seed.
    """
    return np.array(
        [
            np.mean(
                [by_layout[layout][kind][measure] for by_layout in v.values() for layout in LAYOUTS]
            )
            for v in values
        ]
    )


def right_share(model: str, shots: int, values: Sequence[dict], what: str = "model") -> np.ndarray:
    """Accuracy (percent) of a model, or of the ``"ceiling"``, on dialects and critics behind a
    title, by seed of the study of quality.
    """
    return np.array(
        [
            100 * np.mean([v[model]["in_context"][task][str(shots)][what] for task in PROFILED])
            for v in values
        ]
    )


def clusters_of(values: Sequence[dict]) -> pd.DataFrame:
    """Mean accuracy (percent) of the large model on lists without titles: a row a cluster of tasks,
    a column a number of demonstrations.

    Args:
        values: of the study of quality.
    """
    rows = [
        {"cluster": list_tasks()[task].cluster, "shots": int(shots), "accuracy": 100 * share["model"]}
        for value in values for task, by_shots in value["gpt-large"]["in_context"].items() if task not in PROFILED
        for shots, share in by_shots.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).pivot_table("accuracy", "cluster", "shots")


_SEEDS = (0, 1, 2, 3, 4)
STUDIES = (
    Study("demonstrations", 1, tuple(dict.fromkeys((*KNOB, *LADDER))), _SEEDS, demonstrations),
    Study("calibration", 1, ("gpt-middle", "gpt-large"), _SEEDS, calibration),
)

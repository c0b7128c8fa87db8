"""Rows of studies as tests write them: what stand-ins measure, and figures worked out by hand."""

import pandas as pd

from course.studies.accuracy_by_shots import ACCURACY, BEST, RECOGNITION


def table_of(study, run=None) -> pd.DataFrame:
    """The table of a study whose models are stand-ins."""
    return pd.DataFrame(
        [{"seed": seed} | row for seed in study.seeds for row in (run or study.run)(seed)]
    )


def under(seed: int, model: str, task: str, **by_condition: float) -> list[dict]:
    """Accuracies (percent) under conditions of demonstrations."""
    place = {"seed": seed, "model": model, "task": task}
    return [place | {"condition": c, "value": value} for c, value in by_condition.items()]


def quality(seed: int, model: str, task: str, gaps: dict[int, float]) -> list[dict]:
    """Accuracies (percent) by number of demonstrations, given as gaps to the best possible 90."""
    place = {"seed": seed, "model": model, "task": task}
    return [
        place | {"k": float(k), "measure": measure, "value": value}
        for k, gap in gaps.items()
        for measure, value in ((ACCURACY, 90 + gap), (BEST, 90.0), (RECOGNITION, 40.0 + k))
    ]

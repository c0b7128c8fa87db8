"""Claims of chapter 6d: soft prompts against words, against LoRA by the size of the model, by their
length, and against their nearest words.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from course.foundation.intervals import Crossed
from course.studies.claims import Claim, MoreThan, Varies
from course.studies.soft_prompts import CALLED, PERSON, SHOWN, SOFT, STRAYS, TASKS
from course.studies.soft_prompts_tables import (
    accuracies,
    best_words,
    gap_closed_by_large,
    gap_closed_by_middle,
    lost_as_words,
    sixteen_over_one,
)


def _over_words(way: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """By how many points a way is better than the best words, by seed."""
    return lambda table: accuracies(table, way, TASKS) - best_words(table, TASKS)


def _without_gradients(table: pd.DataFrame) -> dict[str, float]:
    """What people's words and demonstrations are behind or ahead of the best words, in points."""
    ways = (PERSON, SHOWN)
    return {CALLED.get(way, way): float(_over_words(way)(table).mean()) for way in ways}


#: What is tuned -> what that is called, and its source.
_SOURCES = {
    "prompt": ("prompt tuning", "lester2021power"),
    "p_tuning": ("P-tuning", "liu2021gpt"),
    "prefix": ("prefix tuning", "li2021prefix"),
}
_claim = partial(Claim, "6d", varies=(Varies.ITEMS, Varies.TRAINING), studies=(SOFT,))
_LESTER = "lester2021power"
_AT_SCALE = "catches up with model tuning beyond billions of parameters"
CLAIMS = (
    *(
        _claim(
            f"On the same labels {name} beats the best words, people's or those of any search,"
            " on the mean of four tasks.",
            MoreThan(0),
            source,
            values=_over_words(way),
            baselines=_without_gradients,
        )
        for way, (name, source) in _SOURCES.items()
    ),
    _claim(
        "After a long training, the gap of prompt tuning to LoRA shrinks from the small model to"
        " the large.",
        MoreThan(0),
        _LESTER,
        reported=_AT_SCALE,
        values=gap_closed_by_large,
    ),
    Claim(
        "6d",
        "After a long training, it shrinks from the small model to three middle ones.",
        MoreThan(0),
        _LESTER,
        varies=(Varies.ITEMS, Varies.TRAINING, Varies.PRETRAINING),
        reported=_AT_SCALE,
        studies=(SOFT,),
        values=lambda table: Crossed(gap_closed_by_middle(table)),
    ),
    _claim(
        "Sixteen vectors do more than one.",
        MoreThan(0),
        _LESTER,
        values=sixteen_over_one,
    ),
    Claim(
        "6d",
        "The words nearest to a soft prompt do not do what it does.",
        MoreThan(20),
        "khashabi2022prompt",
        varies=(Varies.ITEMS, Varies.TRAINING),
        studies=(STRAYS,),
        values=lost_as_words,
    ),
)

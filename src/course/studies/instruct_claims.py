"""Claims of chapter 4b: tuning on instructions against the base and against the same tuning without
instructions, by held-out cluster; and what the shipped model keeps.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from course.finetuning.instruction_tuning import BASE, HELD_OUT, TUNED
from course.studies.claims import Claim, Varies, fails, undecided
from course.studies.instruct import IN_TURN, INSTRUCT, READABLE, SHIPPED_STUDY, SHOWN
from course.studies.instruct_tables import best_form, best_of_base, best_untaught
from course.studies.tables import by_seed
from course.studies.verdicts import MoreThan, NoWorse


def _gain(
    table: pd.DataFrame, over: Callable[[pd.DataFrame], pd.DataFrame], cluster: str
) -> np.ndarray:
    """Points by which the model tuned on instructions, at its best, beats another one at its best
    on one held-out cluster, by seed.
    """
    return (best_form(table, IN_TURN)[cluster] - over(table)[cluster]).to_numpy()


def _change(table: pd.DataFrame, request: str) -> np.ndarray:
    """Points by which the shipped tuned model differs from its base, by seed."""
    tuned, base = (by_seed(table, model=name, request=request) for name in (TUNED, BASE))
    return tuned - base


#: What a cheat reaches on a cluster: the commonest label of each of its tasks.
GUESSES = {"inference": 100 / 3, "judgement": 50.0}

_FLAN = "wei2022finetuned"
_claim = partial(Claim, "4e", source=_FLAN, studies=(INSTRUCT,), varies=(Varies.TRAINING,))

_FIRST = "where the instruction stands first the base already reads it"
_BOTH_FAIL = "every model answers fewer than one label throughout would"
#: What tuning adds to the base in its best form, by cluster, and what was measured about it.
_NOT_OVER_BASE = {
    "inference": undecided(f"{_BOTH_FAIL}; one seed alone lies above the base by much"),
    "geography": fails(f"{_FIRST} without a fault"),
    "reading comprehension": undecided(
        "without any instruction the base does as well on the mean; seeds differ by more than that"
    ),
    "morphology": undecided("the gain on the mean is smaller than the margin, and so is its error"),
    "judgement": fails(f"{_FIRST} nearly without a fault"),
    "closed-book questions": fails("the base answers every question in its best form"),
}
_NOT_OVER_UNTAUGHT = {
    "inference": undecided(_BOTH_FAIL),
    "reading comprehension": undecided(
        "as good on the mean: the questions ask for something by themselves"
    ),
}


def _on(cluster: str) -> tuple[Claim, Claim]:
    guess = {"one label throughout": GUESSES[cluster]} if cluster in GUESSES else {}
    return (
        _claim(
            f"With {cluster} held out, tuning on instructions beats the base by more than 5 points,"
            " each in its best form of a request.",
            MoreThan(5),
            values=partial(_gain, over=best_of_base, cluster=cluster),
            baselines=lambda table: guess,
            **_NOT_OVER_BASE[cluster],
        ),
        _claim(
            f"With {cluster} held out, tuning on instructions beats the same tuning without"
            " instructions by more than 5 points.",
            MoreThan(5),
            values=partial(_gain, over=best_untaught, cluster=cluster),
            **_NOT_OVER_UNTAUGHT.get(cluster, {}),
        ),
    )


_kept = partial(
    Claim, "4e", source=_FLAN, studies=(SHIPPED_STUDY,), varies=(Varies.ITEMS,), kind=NoWorse(5)
)
CLAIMS = (
    *(claim for cluster in HELD_OUT for claim in _on(cluster)),
    _kept(
        statement="In dialogues as many of the shipped tuned model's replies as of its base's are"
        " such as a guide could give, up to 5 points.",
        values=partial(_change, request=READABLE),
    ),
    _kept(
        statement="With four demonstrations the shipped tuned model is no worse than its base, up"
        " to 5 points.",
        values=partial(_change, request=SHOWN),
    ),
)

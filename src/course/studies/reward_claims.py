"""Claims of chapter 7 about best-of-n by reward models."""

import numpy as np
import pandas as pd

from course.studies.claims import Claim, Demonstration, MoreThan, Varies, fails, undecided
from course.studies.reward import (
    AT_RANDOM,
    COURTEOUS,
    EASY,
    EASY_COMPARISONS,
    EVERY_KIND,
    SHORTEST,
    STEPS,
    STUDY,
)
from course.studies.reward_tables import curve_of, lost_after_the_peak, peaks, proxy_curves

_VARIES = (Varies.ITEMS, Varies.TRAINING)
_LEVELS_OFF = "gold levels off and does not fall"
#: Comparisons -> why their claim does not hold.
_NOTHING_LOST = {
    50: fails("gold is no lower at 512 replies than where it is best"),
    200: fails(_LEVELS_OFF),
    1000: undecided(f"{_LEVELS_OFF} on the mean; seeds differ by about the margin"),
    5000: fails(_LEVELS_OFF),
}


def _lost_by_rules(table: pd.DataFrame) -> dict[str, float]:
    """What is lost after its peak by choices that read nothing, in gold."""
    names = (AT_RANDOM, SHORTEST, COURTEOUS)
    return {rule: float(lost_after_the_peak(table, rule).mean()) for rule in names}


def _at_the_end(table: pd.DataFrame, source: str, comparisons: int | None = None) -> np.ndarray:
    return curve_of(table, "gold", source, comparisons)[:, -1]


CLAIMS = (
    *(
        Claim(
            "7a",
            f"Best-of-n by a reward model on {m} comparisons loses gold after its peak.",
            MoreThan(0.2),
            "gao2022scaling",
            varies=_VARIES,
            unit="points of gold",
            studies=(STUDY,),
            values=lambda table, m=m: lost_after_the_peak(table, EVERY_KIND, m),
            baselines=_lost_by_rules,
            **_NOTHING_LOST[m],
        )
        for m in STEPS
    ),
    Claim(
        "7a",
        f"On {EASY_COMPARISONS} comparisons of easy questions alone it does lose gold after its"
        " peak.",
        MoreThan(0.2),
        "gao2022scaling",
        varies=_VARIES,
        unit="points of gold",
        studies=(STUDY,),
        values=lambda table: lost_after_the_peak(table, EASY),
        baselines=_lost_by_rules,
        exploratory=True,
    ),
    Claim(
        "7a",
        "The peak comes later with 1,000 comparisons than with 50.",
        MoreThan(0),
        "gao2022scaling",
        varies=_VARIES,
        unit="of the square root of the divergence (nats)",
        studies=(STUDY,),
        values=lambda table: peaks(table, EVERY_KIND, 1000) - peaks(table, EVERY_KIND, 50),
        **undecided("gold levels off, and the fitted peaks are at about the same place"),
    ),
    Claim(
        "7a",
        "Comparisons of easy questions leave less gold at n = 512 than a random choice of as many.",
        MoreThan(0),
        "gao2022scaling",
        varies=_VARIES,
        unit="points of gold",
        studies=(STUDY,),
        values=lambda table: (
            _at_the_end(table, EVERY_KIND, EASY_COMPARISONS)
            - _at_the_end(table, EASY, EASY_COMPARISONS)
        ),
        baselines=lambda table: {
            rule: float((_at_the_end(table, rule) - _at_the_end(table, EASY)).mean())
            for rule in (AT_RANDOM, SHORTEST, COURTEOUS)
        },
    ),
    Demonstration(
        "7a",
        "The reward that chooses rises with n throughout.",
        "gao2022scaling",
        why="the best of more replies is no worse by the reward that chooses it",
        studies=(STUDY,),
        figures=lambda table: {
            f"from n = 1 to 512, {name}, standard deviations": float(
                (curve[:, -1] - curve[:, 0]).mean()
            )
            for name, curve in proxy_curves(table).items()
        },
    ),
)

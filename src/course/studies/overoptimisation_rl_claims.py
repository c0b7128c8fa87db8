"""Claims of chapter 7 about over-optimisation by reinforcement learning: what is lost after gold's
peak, where that peak is, and how much is left beside best-of-n.
"""

import pandas as pd

from course.studies.claims import Claim, MoreThan, Varies, fails, undecided
from course.studies.overoptimisation_rl import FEW, MANY, STUDY
from course.studies.overoptimisation_rl_tables import ahead_of_rl, lost_after_the_peak, peaks
from course.studies.reward import EASY, EASY_COMPARISONS, GOLD
from course.studies.reward import STUDY as BEST_OF_N

_VARIES = (Varies.ITEMS, Varies.TRAINING)
#: Who has learned the reward, in the words of a claim.
_WHOM = {
    FEW: f"on {FEW}",
    MANY: f"on {MANY}",
    EASY: f"on {EASY_COMPARISONS} comparisons of easy questions alone",
}
#: Source -> why gold is not lost, or not for certain.
_NOT_LOST = {
    FEW: fails("gold is highest after the last update"),
    MANY: undecided("three of five runs lose more than that, the others nothing"),
    EASY: undecided("two of five runs lose more than a point, the others little or nothing"),
}
#: Source -> why best-of-n is not ahead for certain.
_NOT_AHEAD = {
    FEW: undecided("the two are about alike"),
    MANY: {},
    EASY: undecided("reinforcement learning is ahead in most runs, and they differ by more"),
}


def _lost_by_gold(table: pd.DataFrame) -> dict[str, float]:
    """What a policy that learns from gold itself loses after its peak."""
    return {GOLD: float(lost_after_the_peak(table, GOLD).mean())}


CLAIMS = (
    *(
        Claim(
            "7a",
            f"Reinforcement learning by a reward model {whom} loses gold after its peak.",
            MoreThan(0.2),
            "gao2022scaling",
            varies=_VARIES,
            unit="points of gold",
            studies=(STUDY,),
            values=lambda table, source=source: lost_after_the_peak(table, source),
            baselines=_lost_by_gold,
            **_NOT_LOST[source],
        )
        for source, whom in _WHOM.items()
    ),
    Claim(
        "7a",
        "The peak of reinforcement learning comes later with 5,000 comparisons than with 50.",
        MoreThan(0),
        "gao2022scaling",
        varies=_VARIES,
        unit="of the square root of the divergence (nats)",
        studies=(STUDY,),
        values=lambda table: peaks(table, MANY) - peaks(table, FEW),
        **undecided("it does so on the mean, and runs differ by more"),
    ),
    *(
        Claim(
            "7a",
            "At a divergence of 2 nats there is more gold by best-of-n than by reinforcement"
            f" learning, by a reward model {whom}.",
            MoreThan(0),
            "gao2022scaling",
            varies=_VARIES,
            unit="points of gold",
            studies=(STUDY, BEST_OF_N),
            values=lambda table, chosen, source=source: ahead_of_rl(table, chosen, source),
            **_NOT_AHEAD[source],
        )
        for source, whom in _WHOM.items()
    ),
)

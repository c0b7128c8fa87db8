"""Claims of chapter 7 about policies: each method at the same divergence, and what a request adds
before and after reinforcement learning.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import Crossed
from course.studies.claims import Claim, MoreThan, Varies, Within, undecided
from course.studies.policies import (
    AFTER,
    BEFORE,
    BEST_OF_N,
    DPO,
    OPPOSITE,
    PLACEBO,
    REJECTION,
    REQUEST,
    STUDY,
)
from course.studies.policies_tables import effect, gains
from course.studies.reward import COURTEOUS, SHORTEST

_ALL = (Varies.ITEMS, Varies.TRAINING, Varies.PRETRAINING)
_SOURCES = {
    BEST_OF_N: "stiennon2020learning",
    REJECTION: "touvron2023llama",
    DPO: "rafailov2023direct",
    "RLOO": "ahmadian2024back",
    "GRPO": "shao2024deepseekmath",
}


def _by_rules(table: pd.DataFrame) -> dict[str, float]:
    """What choices that read nothing gain at :data:`MATCHED`."""
    return {rule: float(gains(table, rule, part="rule").mean()) for rule in (SHORTEST, COURTEOUS)}


def _request_claim(
    statement: str,
    kind: MoreThan | Within,
    values: Callable[[pd.DataFrame], np.ndarray],
    **more: Any,
) -> Claim:
    return Claim(
        "7c",
        statement,
        kind,
        "ganguli2023capacity",
        varies=_ALL,
        unit="points of gold",
        studies=(STUDY,),
        values=lambda table: Crossed(values(table)),
        baselines=lambda table: {
            "placebo": float(effect(table, PLACEBO, AFTER).mean()),
        },
        **more,
    )


CLAIMS = (
    *(
        Claim(
            "7b",
            f"{method}: at a divergence of 2 nats, or where its training ends before, there is"
            " more gold than before.",
            MoreThan(0),
            source,
            varies=_ALL,
            unit="points of gold",
            studies=(STUDY,),
            values=lambda table, method=method: Crossed(gains(table, method)),
            baselines=_by_rules,
        )
        for method, source in _SOURCES.items()
    ),
    _request_claim(
        "After reinforcement learning, a request to be kind and honest still brings gold.",
        MoreThan(0),
        lambda table: effect(table, REQUEST, AFTER),
        **undecided("it brings a little on the mean of every body, and runs differ by more"),
    ),
    _request_claim(
        "The request brings more after reinforcement learning than before.",
        MoreThan(0),
        lambda table: effect(table, REQUEST, AFTER) - effect(table, REQUEST, BEFORE),
        **undecided("it brings less on the mean of every body; by how much, they differ"),
    ),
    _request_claim(
        "After reinforcement learning, a placebo request changes nothing.",
        Within(0.2),
        lambda table: effect(table, PLACEBO, AFTER),
    ),
    _request_claim(
        "After reinforcement learning, a request for the opposite still costs gold.",
        MoreThan(0),
        lambda table: -effect(table, OPPOSITE, AFTER),
    ),
)

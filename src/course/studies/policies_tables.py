"""What is read off the records of policies: gold along the divergence, gains at one divergence, the
effect of requests, and curves by the weight of the penalty.
"""

import numpy as np
import pandas as pd

from course.studies.bodies import GPTS
from course.studies.policies import (
    AFTER,
    BEFORE,
    BETAS,
    MATCHED,
    METHODS,
    NEARER,
    NO_REQUEST,
    REQUESTS,
)
from course.studies.tables import by_body, where


def along(
    table: pd.DataFrame, method: str, body: str, seed: int, part: str = "curve"
) -> tuple[np.ndarray, np.ndarray]:
    """(divergence, gold) at each look of one run, in its order."""
    run = where(table, part=part, method=method, model=body, seed=seed)
    wide = run.pivot_table("value", "step", "measure").sort_index()
    return wide["kl"].to_numpy(), wide["gold"].to_numpy()


def at_divergence(divergence: np.ndarray, gold: np.ndarray, target: float) -> float:
    """The gold reward where a run first comes to a divergence, interpolated between two looks; that
    of its last look if it never does.
    """
    reached = np.flatnonzero(divergence >= target)
    if not len(reached):
        return float(gold[-1])
    i = int(reached[0])
    if i == 0:
        return float(gold[0])
    share = (target - divergence[i - 1]) / (divergence[i] - divergence[i - 1])
    return float(gold[i - 1] + share * (gold[i] - gold[i - 1]))


def gains(
    table: pd.DataFrame, method: str, target: float = MATCHED, part: str = "curve"
) -> np.ndarray:
    """Gold at a divergence minus gold before, (bodies, seeds)."""
    seeds = sorted(table["seed"].unique())

    def gain(body: str, seed: int) -> float:
        divergence, gold = along(table, method, body, seed, part)
        return at_divergence(divergence, gold, target) - float(gold[0])

    return np.array([[gain(body, seed) for seed in seeds] for body in GPTS])


def at_matched(table: pd.DataFrame) -> pd.DataFrame:
    """What each method gains at :data:`MATCHED`, or at its last look if it comes less far: the mean
    over bodies and seeds, its scatter, the most divergence that its runs came to, the share of runs
    that came so far (percent), and the gain at :data:`NEARER`.
    """
    rows = {}
    seeds = sorted(table["seed"].unique())
    for method in METHODS:
        most = [along(table, method, body, seed)[0].max() for body in GPTS for seed in seeds]
        gained = gains(table, method)
        rows[method] = {
            "gold gained": gained.mean(),
            "scatter of runs": gained.std(ddof=1),
            "most divergence": np.mean(most),
            "runs that reach it (%)": 100 * np.mean(np.array(most) >= MATCHED),
            f"gained at {NEARER} nats": gains(table, method, NEARER).mean(),
        }
    return pd.DataFrame(rows).T


def mean_curves(table: pd.DataFrame, body: str | None = None) -> dict[str, pd.DataFrame]:
    """Method -> columns kl, gold and (of methods that train) the rest, means over seeds (and
    bodies) by step.
    """
    rows = where(table, part="curve") if body is None else where(table, part="curve", model=body)
    return {
        method: where(rows, method=method).pivot_table("value", "step", "measure").sort_index()
        for method in METHODS
    }


def by_beta(table: pd.DataFrame) -> dict[float, pd.DataFrame]:
    """Weight of the penalty -> columns kl, gold and the rest, means over seeds by step."""
    return {
        beta: where(table, beta=beta).pivot_table("value", "step", "measure").sort_index()
        for beta in BETAS
    }


def request_table(table: pd.DataFrame, measure: str = "gold") -> pd.DataFrame:
    """Mean of a measure: a row a request, columns before and after."""
    rows = where(table, part="request", measure=measure)
    wide = rows.pivot_table("value", "request", "state")
    return wide.loc[list(REQUESTS), [BEFORE, AFTER]].rename_axis(None).rename_axis(None, axis=1)


def effect(table: pd.DataFrame, request: str, state: str) -> np.ndarray:
    """Gold with a request minus gold without one, (bodies, seeds)."""
    rows = where(table, part="request", measure="gold", state=state)
    return by_body(rows, GPTS, request=request) - by_body(rows, GPTS, request=NO_REQUEST)

"""Over-optimisation of a learned reward by reinforcement learning (Gao et al. 2022): RLOO without a
penalty, by the reward models that best-of-n was chosen with (chapter 7).

RLOO and not GRPO: without a penalty its gradient is that of the mean reward, which is what the
curve of Gao et al. is about; GRPO divides the rewards of each prompt by their scatter, and so
climbs another objective.

Seeds x seconds of a busy core: 5 x 370, for four policies and three reward models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from course.lm.language_model import LanguageModel, load
from course.reward.guides import gold_rewards, sampling
from course.reward.online import OnlineSettings, OnlineTraining
from course.reward.overoptimisation import Curve, fit_curve
from course.reward.rollout import Reward, roll_out
from course.search.dialogue_reward import dialogue, visitor_questions
from course.studies.claims import Claim, MoreThan, Varies
from course.studies.policies import MATCHED, fresh_policy
from course.studies.policies_tables import at_divergence
from course.studies.records import Row, Study
from course.studies.reward import (
    BODY,
    COMPARED,
    COURTEOUS,
    DIVERGENCE,
    EASY,
    EASY_COMPARISONS,
    EVERY_KIND,
    GOLD,
    TESTED,
    comparison_sets,
    cross_fitted_loss,
    draw_pool,
    fitted_peak,
    rated_pool,
    reward_model_of,
    set_name,
    standardised,
    worth_of,
)
from course.studies.reward import STUDY as BEST_OF_N
from course.studies.reward import gold_curves as best_of_n_curves
from course.studies.tables import where

#: Divergences, in nats, and the gold rewards there.
Runs = tuple[np.ndarray, np.ndarray]
#: The reward models by what they have learned from: the fewest comparisons of every kind, the most,
#: and those of easy questions.
FEW, MANY = set_name(EVERY_KIND, 50), set_name(EVERY_KIND, 5000)
LEARNED = (FEW, MANY, EASY)
#: Methods that optimise the same reward -> the form of their curve.
FORMS = {"best-of-n": "best-of-n", "RLOO": "rl"}
#: Replies to each question of the test: those of the model before, in whose standard deviations a
#: reward is counted, and those at each look.
SCALED_BY, LOOKED_AT = 16, 8
#: The updates after which a policy is looked at. One trial, on a seed that counts for nothing, came
#: to 3 to 5 nats in half of these and hardly moved afterwards, so there are more looks before.
LOOKS = (3, 6, 9, 12, 15, 18, 21, 24, 30, 36, 48, 60)
ONLINE = OnlineSettings(
    method="rloo", beta=0.0, steps=LOOKS[-1], prompts=8, samples=8, learning_rate=2.5e-3
)


def overoptimised_policies(seed: int) -> list[Row]:
    """What a policy is like on the way, by the reward that it learns from.

    Returns:
        Columns source, step, half (of the test questions), measure, value. The measures are kl, in
        nats a reply, distinct (different replies among those to a question, in percent) and those
        of :func:`course.studies.reward.worth_of`, the proxy in standard deviations of the replies
        before.
    """
    model = load(BODY)
    train, test = (
        tuple(dialogue(question) for question in questions)
        for questions in visitor_questions(seed, COMPARED, TESTED)
    )
    before = draw_pool(model, test, SCALED_BY, seed)
    rewards = learned_rewards(model, train, seed) | {GOLD: gold_rewards}
    return [
        {"source": source, **row}
        for source, reward in rewards.items()
        for row in along(model, standardised(reward, before), train, test, seed)
    ]


def learned_rewards(model: LanguageModel, prompts: Sequence[str], seed: int) -> dict[str, Reward]:
    """The rewards that are over-optimised, by :data:`LEARNED`."""
    sets = {
        set_name(source, count): comparisons
        for source, count, comparisons in comparison_sets(model, prompts, seed)
    }
    return {name: reward_model_of(sets[name], seed).score for name in LEARNED}


def along(
    model: LanguageModel, reward: Reward, train: Sequence[str], test: Sequence[str], seed: int
) -> list[Row]:
    """The looks along the training of one policy by a reward, the first of them before it."""
    policy = fresh_policy(model, seed)
    training = OnlineTraining(policy, reward, train, replace(ONLINE, seed=seed))
    rows = look(policy, reward, test, seed, 0)
    for number in range(1, ONLINE.steps + 1):
        training.step(number - 1)
        if number in LOOKS:
            rows += look(policy, reward, test, seed, number)
    return rows


def look(
    policy: LanguageModel, reward: Reward, prompts: Sequence[str], seed: int, step: int
) -> list[Row]:
    """What a policy's replies are like, by half of the questions."""
    with torch.no_grad():
        rollout = roll_out(policy, prompts, sampling(LOOKED_AT, seed + 1))
    starts = range(0, len(rollout.replies), LOOKED_AT)
    pool = rated_pool(prompts, [rollout.replies[i : i + LOOKED_AT] for i in starts])
    measures = {
        "kl": rollout.log_ratio.cpu().numpy().reshape(pool.gold.shape),
        "distinct": np.array([100 * len(set(group)) / LOOKED_AT for group in pool.replies]),
    } | worth_of(pool, pool.values(reward))
    return [
        {"step": step, "half": half, "measure": measure, "value": float(values[half::2].mean())}
        for half in (0, 1)
        for measure, values in measures.items()
    ]


def _curves(table: pd.DataFrame, measure: str, source: str) -> np.ndarray:
    """A measure along the training, (seeds, halves, looks)."""
    rows = where(table, measure=measure, source=source)
    wide = rows.pivot_table("value", ["seed", "half"], "step")
    return wide.to_numpy().reshape(-1, 2, wide.shape[1])


def curve_of(table: pd.DataFrame, measure: str, source: str) -> np.ndarray:
    """A measure along the training, (seeds, looks)."""
    return _curves(table, measure, source).mean(1)


def lost_after_the_peak(table: pd.DataFrame, source: str) -> np.ndarray:
    """Gold at the best look minus gold at the last, (seeds,), by halves that judge each other, see
    :func:`course.studies.reward.cross_fitted_loss`. What is good or bad luck of a policy at a look
    is in both halves: what the policy that learns from gold itself loses tells how much that is.
    """
    return cross_fitted_loss(_curves(table, "gold", source))


def divergence_and_gold(table: pd.DataFrame, source: str) -> Runs:
    """The divergence, in nats a reply, and gold along the training, (seeds, looks) both."""
    divergence = np.maximum(curve_of(table, "kl", source), 0.0)  # an estimate may be below
    return divergence, curve_of(table, "gold", source)


def peaks(table: pd.DataFrame, source: str) -> np.ndarray:
    """Where the fitted curve of gold has its peak, within what was measured: the square root of the
    divergence, (seeds,).
    """
    runs = zip(*divergence_and_gold(table, source), strict=True)
    return np.array([fitted_peak("rl", divergence, gold) for divergence, gold in runs])


def by_method(table: pd.DataFrame, best_of_n: pd.DataFrame, source: str) -> dict[str, Runs]:
    """(divergence, gold) of both methods by the same reward model, (seeds, points) each."""
    gold = best_of_n_curves(best_of_n)[source]
    chosen = np.broadcast_to(DIVERGENCE, gold.shape), gold
    return {"best-of-n": chosen, "RLOO": divergence_and_gold(table, source)}


def curve_through(method: str, divergence: np.ndarray, gold: np.ndarray) -> Curve:
    """The curve of a method's form through all points of all seeds, (seeds, points) both; what is
    gained is counted from each seed's first point.
    """
    return fit_curve(FORMS[method], divergence.ravel(), (gold - gold[:, :1]).ravel())


def lines_through(
    measured: Mapping[str, Mapping[str, Runs]],
) -> dict[str, dict[str, Runs]]:
    """These curves as lines to draw: reward -> method -> (divergence, gold), from what was measured
    by each (:func:`by_method`).
    """
    return {
        reward: {method: _line(method, *runs) for method, runs in methods.items()}
        for reward, methods in measured.items()
    }


def _line(method: str, divergence: np.ndarray, gold: np.ndarray) -> Runs:
    grid = np.linspace(0, np.sqrt(divergence.mean(0).max()), 100) ** 2
    return grid, gold[:, 0].mean() + curve_through(method, divergence, gold).gain(grid)


def ahead_of_rl(table: pd.DataFrame, best_of_n: pd.DataFrame, source: str) -> np.ndarray:
    """Gold of best-of-n minus gold of the policy where each comes to :data:`MATCHED`, by the same
    reward model, (seeds that both studies have,).
    """
    shared = {*table["seed"]} & {*best_of_n["seed"]}
    ours, theirs = (rows[rows["seed"].isin(shared)] for rows in (table, best_of_n))
    chosen, trained = (
        np.array([at_divergence(*run, MATCHED) for run in zip(*runs, strict=True)])
        for runs in by_method(ours, theirs, source).values()
    )
    return chosen - trained


def summary(table: pd.DataFrame, best_of_n: pd.DataFrame) -> pd.DataFrame:
    """How far each policy comes, in nats, and what becomes of gold; the curve that is fitted to it,
    and by how much best-of-n by the same reward is ahead at :data:`MATCHED`. Means over seeds.
    """
    rows = {}
    for source in (*LEARNED, GOLD):
        divergence, gold = divergence_and_gold(table, source)
        curve = curve_through("RLOO", divergence, gold)
        rows[source] = {
            "nats at the end": divergence[:, -1].mean(),
            "gold at first": gold[:, 0].mean(),
            "highest": gold.mean(0).max(),
            "at the end": gold[:, -1].mean(),
            "lost after the peak": lost_after_the_peak(table, source).mean(),
            "a": curve.a,
            "b": curve.b,
            "best-of-n ahead": ahead_of_rl(table, best_of_n, source).mean(),
        }
    return pd.DataFrame(rows).T


def along_training(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """What the policy's replies are like at each look; means over seeds."""
    wide = where(table, source=source).pivot_table("value", "step", "measure")
    return wide[["kl", "distinct", "proxy", "gold", "true", "length", COURTEOUS]]


STUDY = Study("overoptimisation-rl", 1, (BODY,), (0, 1, 2, 3, 4), overoptimised_policies)
STUDIES = (STUDY,)

_VARIES = (Varies.ITEMS, Varies.TRAINING)
#: Who has learned the reward, in the words of a claim.
_WHOM = {
    FEW: f"on {FEW}",
    MANY: f"on {MANY}",
    EASY: f"on {EASY_COMPARISONS} comparisons of easy questions alone",
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
        )
        for source, whom in _WHOM.items()
    ),
)

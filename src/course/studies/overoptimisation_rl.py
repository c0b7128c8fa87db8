"""Over-optimisation of a learned reward by reinforcement learning (Gao et al. 2022): RLOO without a
penalty, by the reward models that best-of-n was chosen with (chapter 7).

RLOO and not GRPO: without a penalty its gradient is that of the mean reward, which is what the
curve of Gao et al. is about; GRPO divides the rewards of each prompt by their scatter, and so
climbs another objective.

Seeds x seconds of a busy core: 5 x 310, for four policies and three reward models.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from course.lm.language_model import LanguageModel, load
from course.reward.guides import gold_rewards, sampling
from course.reward.online import OnlineSettings, OnlineTraining
from course.reward.rollout import Reward, roll_out
from course.search.dialogue_reward import dialogue, visitor_questions
from course.studies.policies import fresh_policy
from course.studies.records import Row, Study
from course.studies.reward import (
    BODY,
    COMPARED,
    EASY,
    EVERY_KIND,
    GOLD,
    TESTED,
    comparison_sets,
    draw_pool,
    rated_pool,
    reward_model_of,
    set_name,
    standardised,
    worth_of,
)

#: The reward models by what they have learned from: the fewest comparisons of every kind, the most,
#: and those of easy questions.
FEW, MANY = set_name(EVERY_KIND, 50), set_name(EVERY_KIND, 5000)
LEARNED = (FEW, MANY, EASY)
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


STUDY = Study("overoptimisation-rl", 1, (BODY,), (0, 1, 2, 3, 4), overoptimised_policies)
STUDIES = (STUDY,)

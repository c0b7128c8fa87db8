"""Rejection sampling: the best of several samples of each prompt become training data (as in Llama
2, Touvron et al. 2023, and RAFT, Dong et al. 2023).

It is best-of-n written into the weights: expensive once, and then a reply costs one sample again.
"""

from collections.abc import Sequence

from course.lm.contract import TextModel
from course.lm.generation_config import GenerationConfig
from course.reward.rollout import Reward, rewards_of


def best_samples(
    model: TextModel, prompts: Sequence[str], reward: Reward, sampling: GenerationConfig
) -> list[tuple[str, str]]:
    """(prompt, its sample with the highest reward; of equals the first).

    Args:
        sampling: with the number of samples for each prompt.
    """
    written = [[s.text.strip() for s in group] for group in model.generate(prompts, sampling)]
    flat = [(p, reply) for p, group in zip(prompts, written, strict=True) for reply in group]
    rewards = rewards_of(reward, *zip(*flat, strict=True)).reshape(len(prompts), -1)
    best = rewards.argmax(1)
    return [(p, group[i]) for p, group, i in zip(prompts, written, best, strict=True)]

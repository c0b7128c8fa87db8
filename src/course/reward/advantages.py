"""Advantages of sampled replies: how much better each is than the others to the same prompt.

Both methods do without a value network: the other samples of a prompt are its baseline.
"""

import torch

#: Leave-one-out (RLOO; Ahmadian et al. 2024) and group-relative (GRPO; Shao et al. 2024).
METHODS = ("rloo", "grpo")
#: Added to the standard deviation, as in ``trl``: the samples of a group may be all alike.
_EPSILON = 1e-4


def group_advantages(rewards: torch.Tensor, method: str) -> torch.Tensor:
    """The advantage of each sample, (prompts, samples) as ``rewards``.

    ``"rloo"``: the reward less the mean reward of the *other* samples of its prompt. ``"grpo"``:
    less the mean of all samples of its prompt, in standard deviations of these (n - 1 in the
    denominator). Rewards that are all alike give 0 in both, hence no gradient.

    Raises:
        ValueError: for another method, or fewer than two samples a prompt.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r}: expected one of {', '.join(METHODS)}")
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(
            f"rewards of shape {tuple(rewards.shape)}: expected (prompts, samples) with at least "
            "two samples, which are one another's baseline"
        )
    count = rewards.shape[1]
    centred = rewards - rewards.mean(1, keepdim=True)
    if method == "rloo":
        return centred * (count / (count - 1))
    return centred / (rewards.std(1, keepdim=True) + _EPSILON)

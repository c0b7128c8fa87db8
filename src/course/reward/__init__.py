"""Reward (RLHF): preferences, a reward model, best-of-n, DPO, RLOO and GRPO on the shipped models,
and the gold reward beside the learned one.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "advantages": ["group_advantages"],
        "best_of_n": ["best_of_n_kl", "expected_best"],
        "bradley_terry": ["RewardData", "bradley_terry_loss"],
        "divergence": ["kl_estimate"],
        "dpo": ["DpoData", "dpo_loss", "reply_log_probabilities"],
        "ledger": ["Entry", "Ledger"],
        "guides": ["declines", "gold_rewards", "rated_replies"],
        "online": ["OnlineSettings", "OnlineTraining"],
        "overoptimisation": ["Curve", "fit_curve"],
        "pairs": ["EncodedReply", "encode_pairs"],
        "policy_gradient": ["PolicyLoss"],
        "preferences": [
            "Comparison",
            "RatedReplies",
            "comparisons_from_rows",
            "draw_comparisons",
        ],
        "rejection": ["best_samples"],
        "reward_model": ["RewardModel", "learn_reward"],
        "rollout": ["Rollout", "roll_out"],
    },
)

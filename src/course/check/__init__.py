"""Checkers for the coding exercises of the book: ``check.mean_pooling(my_function)`` tries an
answer and says in one sentence whether it is right, or what is wrong.

Each checker takes the function that the exercise asks for, calls it on inputs of several shapes and
on edge cases, and compares with the course's own naive computation. Homework with score files that
a lecturer collects is here, too.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "adapters": ["bottleneck_size", "lora_forward", "lora_merge", "lora_size"],
        "choosing": ["break_even"],
        "cloze": ["causal_mask", "fill_in_blank", "masked_inputs"],
        "heads": ["attention_mask", "best_span", "entities", "mean_pooling"],
        "homework": ["Homework", "collect", "hand_in", "student_token"],
        "instruction_tuning": ["completion_labels", "leave_cluster_out"],
        "prompting": ["calibration", "few_shot_prompt", "task_posterior"],
        "reasoning": ["first_false_sum", "majority_vote", "nucleus", "top_k", "vote_is_decided"],
        "reward": [
            "bradley_terry_loss",
            "clipped_objective",
            "dpo_loss",
            "group_advantages",
            "kl_estimate",
        ],
        "search": [
            "halving_plan",
            "hotflip",
            "policy_gradient_loss",
            "soft_prompt_insertion",
            "ucb_choice",
        ],
        "verdict": ["Verdict"],
    },
)

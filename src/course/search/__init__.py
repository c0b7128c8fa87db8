"""Automatic prompt search: random search, gradient-guided search (AutoPrompt, PEZ), reinforcement
learning (RLPrompt), prompts written by models (APE), steering, and soft prompts.

Every search goes through :func:`search` and returns a :class:`SearchResult`: the best prompts with
the model calls that they took, so that all methods can be compared on one plot. Soft prompts are
in :mod:`course.search.soft`.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "base": ["Method", "SearchResult", "search"],
        "baselines": ["Exhaustive", "RandomSearch"],
        "best_arm": [
            "BestArmSearch",
            "Ranking",
            "SuccessiveHalving",
            "Uniform",
            "UpperConfidence",
            "overall_ranking",
        ],
        "budget": ["GRADIENT_CALLS", "BudgetSpent", "BudgetedEvaluator", "Step"],
        "chapters": [
            "SoftPromptsData",
            "SteeringData",
            "WrittenPromptsData",
            "soft_prompts_data",
            "steering_data",
            "written_prompts_data",
        ],
        "dialogue_reward": [
            "Brevity",
            "CourteousWords",
            "GuideScorer",
            "Judgement",
            "Manner",
            "Reward",
            "Scorer",
            "judge",
            "visitor_questions",
        ],
        "fluency": ["Fluent", "is_gibberish", "least_fluent"],
        "gradient": ["AutoPrompt", "Pez", "best_swap", "guessed_and_true", "proposals"],
        "objective": [
            "MEASURES",
            "Answers",
            "Objective",
            "answers",
            "gaps",
            "instructed",
            "likelihoods",
        ],
        "policy": ["Draws", "Policy", "PolicySettings", "policy_loss"],
        "prompt_gradient": ["PromptGradient", "loss_and_gradient"],
        "protocols": ["DialogueObjective", "Differentiable", "HasExamples"],
        "reinforce": ["NORMALISATIONS", "RLPrompt"],
        "steering": ["LearnedPrefix", "PolicyTraining", "learn", "steered"],
        "tabulated": ["Tabulated", "candidates", "repeated", "tabulate"],
        "transfer": ["Joint"],
        "triggers": ["OpeningWriter", "Trigger"],
        "words": ["Words", "plain_tokens", "words_of"],
        "writers": ["AskedWriter", "BlankFiller", "TunedWriter", "Writer", "tune_writer"],
        "writing": ["WrittenPrompts"],
    },
)

"""Prompting and in-context learning: prompt templates, demonstrations, ablations, calibration,
evaluation, attention.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "prompts": [
            "DemonstrationsDoNotFit",
            "LIST_TEMPLATES",
            "PLAIN",
            "Prompt",
            "Template",
            "UNSEEN_TEMPLATES",
            "Verbalizer",
        ],
        "selection": ["Balanced", "Nearest", "Random"],
        "ablations": ["CONDITIONS", "apply_ablation"],
        "evaluation": [
            "Question",
            "SHOTS",
            "all_profiles",
            "best_possible",
            "fresh_questions",
            "questions",
            "scores",
            "stranger_questions",
        ],
        "classify": ["choose"],
        "by_hand": ["score_by_hand"],
        "chapter": ["ChapterData", "chapter_data"],
        "sweeps": ["sweep"],
    },
)

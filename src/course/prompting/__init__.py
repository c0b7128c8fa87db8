"""Prompting and in-context learning: prompt templates, demonstrations, ablations, calibration,
evaluation, attention.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
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
    ],
    "classify": ["choose"],
    "by_hand": ["score_by_hand"],
    "chapter": ["ChapterData", "chapter_data"],
    "sweeps": ["sweep"],
}
__all__ = [
    "Balanced",
    "CONDITIONS",
    "ChapterData",
    "DemonstrationsDoNotFit",
    "LIST_TEMPLATES",
    "Nearest",
    "PLAIN",
    "Prompt",
    "Question",
    "Random",
    "SHOTS",
    "Template",
    "UNSEEN_TEMPLATES",
    "Verbalizer",
    "all_profiles",
    "apply_ablation",
    "best_possible",
    "chapter_data",
    "choose",
    "fresh_questions",
    "questions",
    "score_by_hand",
    "scores",
    "sweep",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)

"""Studies of real models: what they do in each chapter, measured with ``python -m course.studies
--tier index NAME``.

Sizes are such that a seed takes minutes to an hour of two CPU cores with a model of 135 million
parameters. Every study reads the tier from ``COURSE_TIER``, which the command sets, so that the
same runs on larger models of the hub.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "adapters": ["ADAPTED_LABELS", "ADAPTED_STEPS", "LLM_STEPS", "PAIR_METHODS"],
        "catalogue": ["REAL_STUDIES", "of_tier"],
        "chains": ["PROBLEMS", "SAMPLES", "VOTED", "VOTED_ALONE"],
        "forgetting": ["BEGINNINGS", "REMEMBERED"],
        "heads": ["ANSWER_LABELS", "HEAD_LABELS", "MORE_LABELS"],
        "in_context": ["CONDITIONS", "SHOTS"],
        "prompts": ["SWAP_CALLS"],
        "questions": ["ASKED"],
        "requests": ["IN_IT"],
        "specialist": ["SPECIALIST_LABELS"],
    },
)

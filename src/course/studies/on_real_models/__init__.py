"""Studies of real models: what they do in each chapter, measured with ``python -m course.studies
--tier index NAME``.

Sizes are such that a seed takes minutes to an hour of two CPU cores with a model of 135 million
parameters. Every study reads the tier from ``COURSE_TIER``, which the command sets, so that the
same runs on larger models of the hub. A module a chapter, or two; what is read off the records
stands in :mod:`course.studies.real_tables`, what is claimed in :mod:`course.studies.real_claims`.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "adapters": ["ADAPTED_LABELS", "ADAPTED_STEPS", "LLM_LABELS", "LLM_STEPS"],
        "catalogue": ["REAL_STUDIES", "of_tier", "on_repositories"],
        "chains": ["PROBLEMS", "VOTED"],
        "prompts": ["SWAP_CALLS"],
        "questions": ["ASKED"],
        "requests": ["IN_IT"],
    },
)

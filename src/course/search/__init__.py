"""Letting the machine find the prompt (chapter 6): an objective, a budget of model calls, and ways to search.

Every search goes through :func:`search` and returns a :class:`Found`: the best prompts with the calls that they took, so that all
methods lie on one plot.
"""

from course.search.floors import Exhaustive, RandomSearch
from course.search.meter import GRADIENT_CALLS, BudgetSpent, Meter, Step
from course.search.objective import MEASURES, Answers, Objective, answers, instructed, likelihoods
from course.search.policy import Draws, Policy, PolicySettings, plain_tokens
from course.search.searching import Found, Method, search

__all__ = [
    "GRADIENT_CALLS", "MEASURES", "Answers", "BudgetSpent", "Draws", "Exhaustive", "Found", "Meter", "Method", "Objective", "Policy",
    "PolicySettings", "RandomSearch", "Step", "answers", "instructed", "likelihoods", "plain_tokens", "search",
]  # fmt: skip

"""Letting the machine find the prompt (chapter 6): an objective, a budget of model calls, and ways to search.

Every search goes through :func:`search` and returns a :class:`Found`: the best prompts with the calls that they took, so that all
methods lie on one plot.
"""

from course.search.floors import Exhaustive, RandomSearch
from course.search.manner import Brevity, CourteousWords, Judgement, Manner, Reward, Scorer, judge, places
from course.search.meter import GRADIENT_CALLS, BudgetSpent, Meter, Step
from course.search.objective import MEASURES, Answers, Objective, answers, instructed, likelihoods
from course.search.policy import Draws, Policy, PolicySettings, plain_tokens
from course.search.searching import Found, Method, search
from course.search.steering import LearnedPrefix, Lessons, learn, steered

__all__ = [
    "GRADIENT_CALLS", "MEASURES", "Answers", "Brevity", "BudgetSpent", "CourteousWords", "Draws", "Exhaustive", "Found", "Judgement",
    "LearnedPrefix", "Lessons", "Manner", "Meter", "Method", "Objective", "Policy", "PolicySettings", "RandomSearch", "Reward", "Scorer",
    "Step", "answers", "instructed", "judge", "learn", "likelihoods", "places", "plain_tokens", "search", "steered",
]  # fmt: skip

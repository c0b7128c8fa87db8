"""Letting the machine find the prompt (chapter 6): an objective, a budget of model calls, and ways to search.

Every search goes through :func:`search` and returns a :class:`Found`: the best prompts with the calls that they took, so that all
methods lie on one plot.
"""

from course.search.descent import Descent, descent
from course.search.floors import Exhaustive, RandomSearch
from course.search.fluency import Fluent, fluency, is_gibberish, least_fluent
from course.search.gradient import AutoPrompt, Pez, guessed_and_true
from course.search.meter import GRADIENT_CALLS, BudgetSpent, Meter, Step
from course.search.objective import MEASURES, Answers, Objective, answers, gaps, instructed, likelihoods
from course.search.policy import Draws, Policy, PolicySettings, plain_tokens
from course.search.reinforce import NORMALISATIONS, RLPrompt
from course.search.searching import Found, Method, search
from course.search.words import Words, words_of

__all__ = [
    "GRADIENT_CALLS", "MEASURES", "NORMALISATIONS", "Answers", "AutoPrompt", "BudgetSpent", "Descent", "Draws", "Exhaustive", "Fluent",
    "Found", "Meter", "Method", "Objective", "Pez", "Policy", "PolicySettings", "RLPrompt", "RandomSearch", "Step", "Words", "answers",
    "descent", "fluency", "gaps", "guessed_and_true", "instructed", "is_gibberish", "least_fluent", "likelihoods", "plain_tokens",
    "search", "words_of",
]  # fmt: skip

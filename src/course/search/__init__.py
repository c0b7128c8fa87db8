"""Letting the machine find the prompt (chapter 6): an objective, a budget of model calls, and ways to search.

Every search goes through :func:`search` and returns a :class:`Found`: the best prompts with the calls that they took, so that all
methods lie on one plot.
"""

from course.search.floors import Exhaustive, RandomSearch
from course.search.meter import GRADIENT_CALLS, BudgetSpent, Meter, Step
from course.search.objective import MEASURES, Answers, Objective, answers, instructed, likelihoods
from course.search.planted import Tabulated, candidates, repeated, tabulate
from course.search.racing import Race, Round, SuccessiveHalving, Uniform, UpperConfidence, overall
from course.search.searching import Found, Method, search
from course.search.triggers import OpeningWriter, Trigger, triggers
from course.search.writers import AskedWriter, BlankFiller, TunedWriter, Writer, tune_writer
from course.search.writing import WrittenPrompts

__all__ = [
    "GRADIENT_CALLS", "MEASURES", "Answers", "AskedWriter", "BlankFiller", "BudgetSpent", "Exhaustive", "Found", "Meter", "Method",
    "Objective", "OpeningWriter", "Race", "RandomSearch", "Round", "Step", "SuccessiveHalving", "Tabulated", "Trigger", "TunedWriter",
    "Uniform", "UpperConfidence", "Writer", "WrittenPrompts", "answers", "candidates", "instructed", "likelihoods", "overall", "repeated",
    "search", "tabulate", "triggers", "tune_writer",
]  # fmt: skip

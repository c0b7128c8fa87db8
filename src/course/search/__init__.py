"""Letting the machine find the prompt (chapter 6): an objective, a budget of model calls, and ways
to search.

Every search goes through :func:`search` and returns a :class:`SearchResult`: the best prompts with
the calls that they took, so that all methods lie on one plot.
"""

from course.search.base import Method, SearchResult, search
from course.search.baselines import Exhaustive, RandomSearch
from course.search.best_arm import (
    BestArmSearch,
    Ranking,
    SuccessiveHalving,
    Uniform,
    UpperConfidence,
    overall_ranking,
)
from course.search.budget import GRADIENT_CALLS, BudgetedEvaluator, BudgetSpent, Step
from course.search.dialogue_reward import (
    Brevity,
    CourteousWords,
    Judgement,
    Manner,
    Reward,
    Scorer,
    judge,
    visitor_questions,
)
from course.search.fluency import Fluent, fluency, is_gibberish, least_fluent
from course.search.gradient import AutoPrompt, Pez, guessed_and_true
from course.search.objective import (
    MEASURES,
    Answers,
    Objective,
    answers,
    gaps,
    instructed,
    likelihoods,
)
from course.search.policy import Draws, Policy, PolicySettings, plain_tokens
from course.search.prompt_gradient import PromptGradient, loss_and_gradient
from course.search.reinforce import NORMALISATIONS, RLPrompt
from course.search.steering import LearnedPrefix, PolicyTraining, learn, steered
from course.search.tabulated import Tabulated, candidates, repeated, tabulate
from course.search.triggers import OpeningWriter, Trigger, triggers
from course.search.words import Words, words_of
from course.search.writers import AskedWriter, BlankFiller, TunedWriter, Writer, tune_writer
from course.search.writing import WrittenPrompts

__all__ = [
    "Answers", "AskedWriter", "AutoPrompt", "BlankFiller", "Brevity", "BudgetSpent", "CourteousWords", "PromptGradient", "Draws", "Exhaustive",
    "Fluent", "SearchResult", "GRADIENT_CALLS", "Judgement", "LearnedPrefix", "PolicyTraining", "MEASURES", "Manner", "BudgetedEvaluator", "Method",
    "NORMALISATIONS", "Objective", "OpeningWriter", "Pez", "Policy", "PolicySettings", "RLPrompt", "BestArmSearch", "RandomSearch", "Reward",
    "Ranking", "Scorer", "Step", "SuccessiveHalving", "Tabulated", "Trigger", "TunedWriter", "Uniform", "UpperConfidence", "Words",
    "Writer", "WrittenPrompts", "answers", "candidates", "loss_and_gradient", "fluency", "gaps", "guessed_and_true", "instructed", "is_gibberish",
    "judge", "learn", "least_fluent", "likelihoods", "overall_ranking", "visitor_questions", "plain_tokens", "repeated", "search", "steered", "tabulate",
    "triggers", "tune_writer", "words_of",
]  # fmt: skip

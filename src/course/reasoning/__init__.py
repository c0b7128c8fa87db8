"""Chain of thought, self-consistency, least-to-most prompting and verifiers, on problems whose
steps can all be checked.
"""

from course.reasoning.chapter import ChapterData, chapter_data
from course.reasoning.logprob_verifier import (
    LogprobVerifier,
    chain_logprobs,
    train_logprob_verifier,
)
from course.reasoning.probing import error_detection
from course.reasoning.problems import CHAINS, Problem, demonstrations, problems, wording
from course.reasoning.reduction import REDUCIBLE, least_to_most, reduced_accuracy
from course.reasoning.solving import Attempt, accuracy, make_prompts, solve, solve_varied, tokens
from course.reasoning.styles import STYLES, ProblemPrompt, make_prompt, solution
from course.reasoning.traces import FAULTS, Trace, is_true, trace, where_errors_begin
from course.reasoning.verifier import (
    Verifier,
    best_accuracy,
    best_of,
    train_verifier,
    weighted_accuracy,
    weighted_vote,
)
from course.reasoning.voting import (
    any_right,
    calibration_error,
    is_decided,
    majority,
    reliability,
    stopped,
    until_decided,
    vote_accuracy,
    voted,
)

__all__ = [
    "CHAINS",
    "FAULTS",
    "REDUCIBLE",
    "STYLES",
    "Attempt",
    "ChapterData",
    "LogprobVerifier",
    "Problem",
    "ProblemPrompt",
    "Trace",
    "Verifier",
    "accuracy",
    "any_right",
    "best_accuracy",
    "best_of",
    "calibration_error",
    "chain_logprobs",
    "chapter_data",
    "demonstrations",
    "error_detection",
    "is_decided",
    "is_true",
    "least_to_most",
    "majority",
    "make_prompt",
    "make_prompts",
    "problems",
    "reduced_accuracy",
    "reliability",
    "solution",
    "solve",
    "solve_varied",
    "stopped",
    "tokens",
    "trace",
    "train_logprob_verifier",
    "train_verifier",
    "until_decided",
    "vote_accuracy",
    "voted",
    "weighted_accuracy",
    "weighted_vote",
    "where_errors_begin",
    "wording",
]

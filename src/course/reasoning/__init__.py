"""Chain of thought: problems of several steps, ways to ask for the steps, votes, reduction to
parts, verifiers, and traces.
"""

from course.reasoning.logprob_verifier import LogprobVerifier, train_logprob_verifier
from course.reasoning.probing import error_detection
from course.reasoning.problems import CHAINS, Problem, demonstrations, problems, wording
from course.reasoning.reduction import REDUCIBLE, least_to_most, reduced_accuracy
from course.reasoning.solving import Attempt, accuracy, make_prompts, solve, solve_varied, tokens
from course.reasoning.styles import STYLES, make_prompt, solution
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
)  # fmt: skip

__all__ = [
    "CHAINS", "FAULTS", "REDUCIBLE", "STYLES", "Attempt", "Problem", "LogprobVerifier", "Trace", "Verifier", "accuracy", "any_right", "make_prompt",
    "make_prompts", "best_accuracy", "best_of", "calibration_error", "demonstrations", "is_decided", "is_true", "least_to_most", "majority",
    "problems", "reduced_accuracy", "reliability", "error_detection", "solution", "solve", "solve_varied", "stopped", "tokens", "trace",
    "train_logprob_verifier", "train_verifier", "until_decided", "vote_accuracy", "voted", "weighted_accuracy", "weighted_vote",
    "where_errors_begin", "wording",
]  # fmt: skip

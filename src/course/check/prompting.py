"""Checkers of chapters 4 and 4a: a prompt with demonstrations, contextual calibration, and the
posterior over tasks.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from course.check.verdict import Verdict, cases, judge


def few_shot_prompt(answer: Callable[[str, Sequence[tuple[str, str]], str], str]) -> Verdict:
    r"""Check ``few_shot_prompt(instruction, demonstrations, query)``: the text of a prompt. The
    instruction comes first; each item is ``Input: ...\nOutput: ...``, a blank line stands between
    any two parts, and the text ends with ``Output:``, where the model goes on.
    """
    shown = [("good food", "positive"), ("cold soup", "negative")]
    asked = {"instruction": "Judge the review.", "demonstrations": shown, "query": "kind waiters"}
    ends = "the prompt ends with 'Output:', without a space: the model's word brings its own"
    return judge(
        "few_shot_prompt",
        answer,
        [
            *cases(_prompt, ends, asked | {"demonstrations": []}),
            *cases(_prompt, "demonstrations stand in the order given, with their outputs", asked),
            *cases(
                _prompt,
                "without an instruction the prompt begins with the first item",
                asked | {"instruction": ""},
            ),
            *cases(
                _prompt,
                "braces and percent signs of a text stay as they are",
                asked | {"query": "{x} 100%"},
            ),
        ],
    )


def _prompt(instruction: str, demonstrations: Sequence[tuple[str, str]], query: str) -> str:
    parts = [instruction] if instruction else []
    for text, output in demonstrations:
        parts.append("Input: " + text + "\nOutput: " + output)
    parts.append("Input: " + query + "\nOutput:")
    return "\n\n".join(parts)


def calibration(answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Verdict:
    """Check ``calibration(probabilities, content_free)``: label probabilities after contextual
    calibration (Zhao et al. 2021), (questions, labels) as ``probabilities``; ``content_free``,
    (labels,), is what the model says of a query without content.
    """
    probabilities = np.array([[0.7, 0.3], [0.5, 0.5]])
    three = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [1.0, 0.0, 0.0]])
    return judge(
        "calibration",
        answer,
        [
            *cases(
                _calibrated,
                "divide by the label's content-free probability, then let each row sum to 1",
                {"probabilities": probabilities, "content_free": np.array([0.8, 0.2])},
                {"probabilities": three, "content_free": np.array([0.5, 0.3, 0.2])},
            ),
            *cases(
                _calibrated,
                "a reference that prefers no label changes nothing",
                {"probabilities": probabilities, "content_free": np.array([0.5, 0.5])},
            ),
            *cases(
                _calibrated,
                "what the reference sums to must not matter",
                {"probabilities": probabilities[:1], "content_free": np.array([0.08, 0.02])},
            ),
        ],
    )


def _calibrated(probabilities: np.ndarray, content_free: np.ndarray) -> np.ndarray:
    rows = []
    for row in probabilities.tolist():
        divided = [p / q for p, q in zip(row, content_free.tolist(), strict=True)]
        rows.append([value / sum(divided) for value in divided])
    return np.array(rows)


def task_posterior(answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Verdict:
    """Check ``task_posterior(prior, log_likelihoods)``: the probability of each task after the
    demonstrations (Xie et al. 2022), (tasks,), from that before, (tasks,), and from the
    log-probability of each demonstration under each task in nats, (demonstrations, tasks).
    """
    even, prior = np.array([0.5, 0.5]), np.array([0.7, 0.2, 0.1])
    two = np.log([[0.5, 0.2, 0.1], [0.3, 0.9, 0.6]])
    return judge(
        "task_posterior",
        answer,
        [
            *cases(
                _posterior,
                "add up the log-probabilities of all demonstrations, then let the result sum to 1",
                {"prior": even, "log_likelihoods": np.log([[0.8, 0.2], [0.4, 0.5]])},
            ),
            *cases(
                _posterior,
                "a task that was likelier before stays likelier: add the logarithm of the prior",
                {"prior": prior, "log_likelihoods": two},
            ),
            *cases(
                _posterior,
                "without a demonstration the posterior is the prior",
                {"prior": prior, "log_likelihoods": np.empty((0, 3))},
            ),
            *cases(
                _posterior,
                "subtract the largest score before the exponential: long lists must not become 0",
                {"prior": even, "log_likelihoods": np.array([[-900.0, -901.0], [-800.0, -798.0]])},
            ),
        ],
    )


def _posterior(prior: np.ndarray, log_likelihoods: np.ndarray) -> np.ndarray:
    believed = prior.tolist()
    for row in log_likelihoods.tolist():
        joint = [p * math.exp(value - max(row)) for p, value in zip(believed, row, strict=True)]
        believed = [p / sum(joint) for p in joint]
    return np.array(believed)

"""Calibration of label probabilities: contextual (Zhao et al. 2021) and batch (Zhou et al. 2024).

It removes a preference for some labels that a prompt causes before the model has read the query.

Scores of labels are log-probabilities, (questions, labels). :func:`recalibrated` subtracts from
them those of a reference that should favour no label: in contextual calibration (Zhao et al. 2021)
inputs without content behind the same demonstrations, in batch calibration (Zhou et al. 2024) the
questions themselves, taken together. Neither needs a label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from course.lm.contract import TextModel
from course.models.hub import tier
from course.prompting.evaluation import Question
from course.prompting.prompts import Prompt
from course.prompting.selection import orders
from course.world.example import Example
from course.world.lexicon import WEATHER

_ZHAO = ("N/A", "", "[MASK]")
#: Inputs without content: those of Zhao et al. 2021, and for the small models, which do not know
#: these, words that no list of their corpus asks for.
CONTENT_FREE = {"tiny": tuple(WEATHER), "index": _ZHAO, "hub": _ZHAO}
KINDS = ("none", "contextual", "batch")


def normalised(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities among the labels alone, so that each row's probabilities sum to 1."""
    return scores - logsumexp(scores, axis=1, keepdims=True)


def recalibrated(scores: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Scores after which the reference favours no label.

    The reference's probabilities are averaged; dividing by them is the diagonal matrix of Zhao et
    al. 2021, with no bias.

    Args:
        scores: (questions, labels), log-probabilities.
        reference: (inputs, labels), log-probabilities of the labels after inputs that should favour
            none.
    """
    rows = normalised(reference)
    return normalised(scores) - (logsumexp(rows, axis=0) - np.log(len(rows)))


def content_free(prompt: Prompt, wanted_tier: str | None = None) -> list[Prompt]:
    """The prompt with inputs without content in the place of its query."""
    return [replace(prompt, query=text) for text in CONTENT_FREE[tier(wanted_tier)]]


@dataclass(frozen=True)
class OrderEffect:
    """Accuracy (percent) under several orders of the same demonstrations, by kind of calibration:
    (orders,) each.
    """

    accuracies: dict[str, tuple[float, ...]]

    def mean(self, kind: str) -> float:
        return float(np.mean(self.accuracies[kind]))

    def worst(self, kind: str) -> float:
        return float(min(self.accuracies[kind]))

    def spread(self, kind: str) -> float:
        """The standard deviation over the orders, in points."""
        return float(np.std(self.accuracies[kind], ddof=1))


def order_effect(
    model: TextModel, questions: Sequence[Question], count: int = 8, seed: int = 0
) -> OrderEffect:
    """How much the order of the demonstrations matters, with and without calibration.

    The orders are that of the first question, those sorted by label, and others at random.

    Args:
        questions: of one task whose answers are labels; all get the demonstrations of the first
            one.
        count: how many orders, at most all that there are.

    Raises:
        ValueError: for no question, or one whose answer is no label.
    """
    if not questions or not questions[0].prompt.candidates:
        raise ValueError(
            "order and calibration need questions whose answers are labels; choose a task with"
            " labels"
        )
    candidates = questions[0].prompt.candidates
    right = np.array([candidates.index(question.continuation) for question in questions])
    accuracies: dict[str, list[float]] = {kind: [] for kind in KINDS}
    given = questions[0].prompt.demonstrations
    for shown in _arranged(given, questions[0].outputs, count, seed):
        prompts = [replace(question.prompt, demonstrations=shown) for question in questions]
        empty = content_free(prompts[0])
        every = model.score_labels([prompt.text for prompt in [*prompts, *empty]], candidates)
        scores, reference = every[: len(prompts)], every[len(prompts) :]
        for kind, values in zip(
            KINDS,
            (scores, recalibrated(scores, reference), recalibrated(scores, scores)),
            strict=True,
        ):
            accuracies[kind].append(100 * float((values.argmax(1) == right).mean()))
    return OrderEffect({kind: tuple(values) for kind, values in accuracies.items()})


def _arranged(
    demonstrations: tuple[Example, ...], labels: Sequence[str], count: int, seed: int
) -> list[tuple[Example, ...]]:
    """At most ``count`` orders: as given, by label from the first to the last and back, at
    random.
    """
    by_label = tuple(sorted(demonstrations, key=lambda example: labels.index(example.output)))
    back = tuple(sorted(by_label, key=lambda example: -labels.index(example.output)))
    every = [demonstrations, by_label, back, *orders(demonstrations, count, seed)]
    return list(dict.fromkeys(every))[:count]

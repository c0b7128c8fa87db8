"""Prompt search by reinforcement learning: a policy writes prompts and is rewarded by their results
(RLPrompt, Deng et al. 2022).

The prompted model needs no gradients: the reward comes from its probabilities of the labels. An
easy item rewards every prompt, so rewards are normalised by item first.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, instance, integer, one_of
from course.search.base import Method
from course.search.budget import BudgetedEvaluator
from course.search.policy import Policy, PolicySettings
from course.search.words import opened, words_of

#: Over what rewards are made comparable: of each item by itself, of the prompts' means, or not at
#: all.
NORMALISATIONS = ("item", "prompt", "none")
#: A search ends when its policy has written nothing new in so many steps.
_PATIENCE = 10
#: Spreads below this are none.
_ALIKE = 1e-6


def piecewise(gaps: np.ndarray, right: float = 200.0, wrong: float = 180.0) -> np.ndarray:
    """The reward for each gap between the right label and the likeliest wrong one: steeper where
    the answer is right (Deng et al. 2022).

    Args:
        right, wrong: the factors of a positive and of a negative gap; the defaults are those of the
            authors' code.
    """
    return np.where(gaps > 0, right, wrong) * gaps


def comparable(rewards: np.ndarray, normalisation: str) -> np.ndarray:
    """One reward for each prompt, (prompts,), from those on every item, (prompts, items).

    Args:
        normalisation: one of :data:`NORMALISATIONS`. ``"item"``: on each item in standard
            deviations over the prompts, then the mean over items (the paper's); ``"prompt"``: the
            mean over items, then in standard deviations over the prompts.
    """
    if normalisation == "item":
        return _standard(rewards).mean(1)
    means = rewards.mean(1)
    return _standard(means) if normalisation == "prompt" else means


def _standard(values: np.ndarray) -> np.ndarray:
    """Z-scores over the first axis; values that are all alike become 0."""
    spread = values.std(0)
    return np.where(spread > _ALIKE, (values - values.mean(0)) / np.maximum(spread, _ALIKE), 0.0)


@dataclass(frozen=True)
class RLPrompt(Method):
    """Let a policy write prompts, try them on the same items, reward the better ones.

    The policy is a small network inside the prompted model, which stays as it is
    (:mod:`course.search.policy`). The best prompt of a step by the step's items is tried on all
    training items.

    Attributes:
        length: words of a prompt.
        samples: prompts a step.
        batch: training items a step, the same for all its prompts.
        normalisation: one of :data:`NORMALISATIONS`.
        settings: of the policy. Its own baseline is switched off, since rewards arrive normalised;
            the bonus for entropy keeps it from settling on its first good prompt.
    """

    length: int = 4
    samples: int = 32
    batch: int = 8
    normalisation: str = "item"
    settings: PolicySettings = field(
        default_factory=lambda: PolicySettings(start="even", learning_rate=1e-2, entropy=0.02)
    )
    title = "RLPrompt"

    def __post_init__(self) -> None:
        check_fields(
            self,
            length=integer(1),
            samples=integer(2),
            batch=integer(1),
            normalisation=one_of(NORMALISATIONS),
            settings=instance(PolicySettings),
        )

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        model, size = opened(evaluator.model), evaluator.objective.size
        allowed = words_of(model).later.tolist()
        policy = Policy(model, allowed, replace(self.settings, baseline="none"), seed)
        rng, best = Rng(f"{self.title}/{seed}"), float("-inf")
        step = last_new = 0
        while step - last_new < _PATIENCE:
            step, before = step + 1, evaluator.calls
            draws = policy.sample([""], self.samples, self.length, seed=1_000_000 * seed + step)
            (prompts,) = draws.texts
            items = rng.sample(range(size), min(self.batch, size))
            values = evaluator.values(prompts, items)  # (prompts, items)
            best = evaluator.report_if_better(prompts[int(values.mean(1).argmax())], best)
            policy.update(draws, [comparable(piecewise(values), self.normalisation).tolist()])
            last_new = step if evaluator.calls > before else last_new

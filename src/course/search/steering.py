"""Steering a frozen dialogue model by reinforcement learning (after Su et al. 2022).

A policy writes a prefix, and a reward judges the replies.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from course.foundation.rng import Rng
from course.foundation.validation import (
    anything,
    boolean,
    check_fields,
    each,
    instance,
    integer,
    optional,
)
from course.lm.language_model import LanguageModel
from course.search.base import Method
from course.search.budget import BudgetedEvaluator
from course.search.policy import Policy, PolicySettings, Update
from course.search.protocols import of_dialogue

#: Keeps the updates of one seed apart from those of the next.
_APART = 100_003


@dataclass(frozen=True)
class PolicyTraining:
    """What a policy writes and is rewarded for between two updates.

    Attributes:
        length: tokens of a prefix.
        prefixes: how many it writes each time, for each text that it reads.
        questions: how many are put to the dialogue model each time.
        reads: whether it reads the visitor's question and writes a prefix for it. Otherwise each
            prefix is tried on all the questions. Either way there are prefixes x questions replies
            an update.
    """

    length: int = 4
    prefixes: int = 16
    questions: int = 8
    reads: bool = False

    def __post_init__(self) -> None:
        check_fields(
            self, length=integer(1), prefixes=integer(2), questions=integer(1), reads=boolean()
        )


def learn(
    policy: Policy, evaluator: BudgetedEvaluator, training: PolicyTraining, seed: int = 0
) -> Iterator[Update]:
    """Train a policy on the training questions of a :class:`~course.search.dialogue_reward.Manner`
    until the budget is spent.

    The dialogue model answers anew in every update, also behind a prefix that it had before: a
    policy that sees the same replies again and again learns which of them happened to be good.

    Yields:
        After each update the figures from before it. The policy may be used in between.

    Raises:
        ValueError: if the budget does not suffice for one update, or for another kind of objective.
    """
    of_dialogue(evaluator.objective)
    cost = training.prefixes * min(training.questions, evaluator.objective.size)
    if cost > evaluator.left:
        raise ValueError(
            f"budget={evaluator.left}: one update takes {training.prefixes} x"
            f" {cost // training.prefixes} replies; give it more calls"
        )
    rng, updates = Rng(f"lessons/{seed}"), 0
    while cost <= evaluator.left:
        yield _update(policy, evaluator, training, rng, seed * _APART + updates)
        updates += 1


def _update(
    policy: Policy, evaluator: BudgetedEvaluator, training: PolicyTraining, rng: Rng, seed: int
) -> Update:
    """One round: write prefixes, sample replies, reward them, and change the policy."""
    objective = of_dialogue(evaluator.objective)
    size = evaluator.objective.size
    items = rng.sample(range(size), min(training.questions, size))
    contexts = [objective.train[item] for item in items] if training.reads else [""]
    draws = policy.sample(contexts, training.prefixes, training.length, seed=seed)
    pairs = [
        (prefix, item)
        for i, item in enumerate(items)
        for prefix in draws.texts[i if training.reads else 0]
    ]
    evaluator.spend(len(pairs))
    rewards = objective.values_anew(evaluator.model, pairs, seed)
    rewards = rewards.reshape(len(items), training.prefixes)
    return policy.update(draws, rewards if training.reads else rewards.mean(0, keepdims=True))


@dataclass(frozen=True)
class LearnedPrefix(Method):
    """One prefix for all questions, learned by a policy: the likeliest one under it.

    Attributes:
        writer: the language model inside the policy, which need not be the one that is steered.
        allowed: ids of the tokens that prefixes are made of (default: all but the special ones).
        training: how it learns; it cannot read questions, since one prefix is wanted.
        settings: of the policy.
        every: updates between two reports.
    """

    writer: LanguageModel
    allowed: tuple[int, ...] | None = None
    training: PolicyTraining = field(default_factory=PolicyTraining)
    settings: PolicySettings = field(default_factory=PolicySettings)
    every: int = 5
    title = "learned prefix"

    def __post_init__(self) -> None:
        check_fields(
            self,
            writer=anything(),
            allowed=optional(each(integer(0), 1)),
            training=instance(PolicyTraining),
            settings=instance(PolicySettings),
            every=integer(1),
        )
        if self.training.reads:
            raise ValueError(
                "training.reads=True: prefixes would differ by question, and a search returns one;"
                " use learn() instead"
            )

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        policy = Policy(self.writer, self.allowed, self.settings, seed)
        for update in every_nth(learn(policy, evaluator, self.training, seed), self.every):
            # the likeliest prefix, with the mean reward of those that the policy has just tried
            (prefix,) = policy.likeliest([""], self.training.length)
            evaluator.report(prefix, update.reward)


def every_nth(updates: Iterator[Update], every: int) -> Iterator[Update]:
    """Each ``every``-th update, and the last one; the policy is then as that update left it."""
    for number, update in enumerate(updates, 1):
        if number % every == 0:
            yield update
    if number % every:
        yield update


def steered(policy: Policy, training: PolicyTraining, questions: tuple[str, ...]) -> list[str]:
    """The prefix that is likeliest under a policy for each question."""
    if training.reads:
        return policy.likeliest(questions, training.length)
    return policy.likeliest([""], training.length) * len(questions)

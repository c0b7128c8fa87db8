"""Letting a model solve problems, and counting how many it solves and how much it writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from course.foundation.rng import Rng
from course.lm.language_model import Sample, TextModel
from course.models.hub import tier
from course.reasoning.problems import Problem, demonstrations, wording
from course.reasoning.styles import WITHOUT_DEMONSTRATIONS, ProblemPrompt, make_prompt
from course.tasks.answer_parsing import Answer, parse_answer, same_answer

#: So many different sets of demonstrations are shown; problems with the same ones share the reading
#: of them.
_SETS = 5
#: The most tokens that a solution may have, by tier: the longest chain of the micro-world, and most
#: solutions of GSM8K.
MOST_TOKENS = {"tiny": 48, "hub": 200}


@dataclass(frozen=True)
class Attempt:
    """A solution that a model wrote.

    Attributes:
        problem: what it was to solve.
        text: what it wrote behind the prompt.
        answer: what that gives as the answer.
        tokens: how many tokens were generated for it.
    """

    problem: Problem
    text: str
    answer: Answer
    tokens: int

    @property
    def right(self) -> bool:
        """Whether the answer is right, however it was found."""
        return same_answer(self.answer, self.problem.answer)


def make_prompts(
    style: str,
    chosen: Sequence[Problem],
    seed: int = 0,
    trigger: str | None = None,
    shown: Sequence[int] = (1, 2, 3),
) -> list[ProblemPrompt]:
    """Problems in one of :data:`course.reasoning.styles.STYLES`, each with one of five sets of
    demonstrations.

    The same seed shows the same demonstrations in every style, so that two styles can be compared
    pair by pair.

    Args:
        trigger: another trigger phrase than the usual one.
        shown: how many steps the demonstrations have; their order is drawn.
    """
    made = []
    for number, problem in enumerate(chosen):
        rng = Rng(f"demonstrations/{problem.task}/{seed}/{number % _SETS}")
        some = () if style in WITHOUT_DEMONSTRATIONS else demonstrations(problem, rng, tuple(shown))
        made.append(make_prompt(problem, style, wording(problem.task), some, trigger))
    return made


def attempt(asked: ProblemPrompt, sample: Sample) -> Attempt:
    """A sample as an attempt. Where the prompt itself begins the answer, so does the text that is
    parsed.
    """
    begun = wording(asked.problem.task).announce
    text = begun + sample.text if asked.text.endswith(begun) else sample.text
    return Attempt(
        asked.problem, sample.text, parse_answer(text, asked.problem.kind), sample.tokens
    )


def solve(
    model: TextModel, asked: Sequence[ProblemPrompt], most_tokens: int | None = None, n: int = 1, temperature: float = 0.0, seed: int = 0,
    until: Callable[[list[str]], bool] | None = None,
) -> list[list[Attempt]]:  # fmt: skip
    """What a model writes for each problem: one attempt at temperature 0, else ``n`` samples.

    Arguments and errors: :meth:`course.lm.LanguageModel.generate`; ``most_tokens`` is by default
    that of the tier in :data:`MOST_TOKENS`.
    """
    most = most_tokens or MOST_TOKENS[tier()]
    stops = {question.stop for question in asked}
    if len(stops) > 1:
        raise ValueError(
            f"questions that end at {sorted(stops)}: expected one layout at a time; solve each task by itself"
        )
    samples = (
        model.generate([q.text for q in asked], n, temperature, tuple(stops), seed, most, until)
        if asked
        else []
    )
    return [
        [attempt(question, sample) for sample in found]
        for question, found in zip(asked, samples, strict=True)
    ]


def solve_varied(
    model: TextModel,
    chosen: Sequence[Problem],
    n: int,
    temperature: float = 0.0,
    seed: int = 0,
    most_tokens: int | None = None,
) -> list[list[Attempt]]:
    """``n`` attempts at each problem by a chain, every one behind demonstrations of its own (Li et
    al. 2023).

    At temperature 0 the demonstrations alone make the attempts differ. Arguments and errors:
    :func:`solve`.
    """
    by_sample = []
    for number in range(n):
        asked = make_prompts("chain", chosen, 1000 * (seed + 1) + number)
        by_sample.append(
            solve(
                model, asked, most_tokens, temperature=temperature, seed=1000 * (seed + 1) + number
            )
        )
    return [[found[0] for found in attempts] for attempts in zip(*by_sample, strict=True)]


def accuracy(attempts: Sequence[Sequence[Attempt]]) -> float:
    """Share of right attempts, in percent, over all attempts of all problems."""
    return float(100 * np.mean([a.right for found in attempts for a in found]))


def tokens(attempts: Sequence[Sequence[Attempt]]) -> float:
    """Tokens generated a problem, all its attempts together."""
    return float(np.mean([sum(a.tokens for a in found) for found in attempts]))

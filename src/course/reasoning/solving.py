"""Attempts at problems: prompts in a style, what a model writes after them, and how many of its
answers are right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.foundation.rng import Rng
from course.lm.contract import Sample, TextModel
from course.lm.generation_config import GenerationConfig
from course.lm.language_model import LanguageModel
from course.models.hub import tier
from course.reasoning.problems import Problem, demonstrations, wording
from course.reasoning.styles import WITHOUT_DEMONSTRATIONS, ProblemPrompt, make_prompt
from course.tasks.answer_parsing import Answer, parse_answer, same_answer

#: So many different sets of demonstrations are shown. Problems with the same set share its prefill.
_SETS = 5
#: The most tokens that a solution may have, by tier: the longest chain of the micro-world in its
#: longest wording, and most solutions of GSM8K. Where the longest prompt leaves less room, so much
#: as there is, if it is this share at least.
MAX_TOKENS = {"tiny": 60, "index": 128, "hub": 200}
_LEAST_ROOM = 0.7


@dataclass(frozen=True)
class Attempt:
    """A solution that a model wrote.

    Attributes:
        problem: which problem it solves.
        text: what the model wrote after the prompt.
        answer: parsed from the text.
        tokens: how many tokens were generated.
    """

    problem: Problem
    text: str
    answer: Answer
    tokens: int

    @property
    def right(self) -> bool:
        """Whether the answer is right, whatever the steps before it."""
        return same_answer(self.answer, self.problem.answer)


def make_prompts(
    style: str,
    problems: Sequence[Problem],
    seed: int = 0,
    trigger: str | None = None,
    shown: Sequence[int] = (1, 2, 3),
) -> list[ProblemPrompt]:
    """Prompts for problems in one of :data:`course.reasoning.styles.STYLES`, each with one of five
    sets of demonstrations.

    The same seed shows the same demonstrations in every style, so that two styles can be compared
    pair by pair.

    Args:
        trigger: another trigger phrase than the usual one.
        shown: how many steps the demonstrations have; their order is drawn.

    Raises:
        ValueError: for an unknown style, or fewer demonstrations than it needs.
    """
    prompts = []
    for number, problem in enumerate(problems):
        rng = Rng(f"demonstrations/{problem.task}/{seed}/{number % _SETS}")
        bare = style in WITHOUT_DEMONSTRATIONS
        examples = () if bare else demonstrations(problem, rng, tuple(shown))
        prompts.append(make_prompt(problem, style, wording(problem.task), examples, trigger))
    return prompts


def attempt(prompt: ProblemPrompt, sample: Sample) -> Attempt:
    """A sample as an attempt. Where the prompt ends with the beginning of the answer, the parser
    reads that, too.
    """
    problem = prompt.problem
    begun = wording(problem.task).announce
    text = begun + sample.text if prompt.text.endswith(begun) else sample.text
    return Attempt(problem, sample.text, parse_answer(text, problem.kind), sample.tokens)


def solve(
    model: TextModel, prompts: Sequence[ProblemPrompt], **settings: Any
) -> list[list[Attempt]]:
    """What a model writes for each problem: one attempt at temperature 0, else ``n`` samples.

    Args:
        settings: fields of :class:`course.lm.GenerationConfig`. By default a solution stops where
            the layout of the prompts says, and has at most :data:`MAX_TOKENS` tokens, or nearly as
            many as the window has room for.

    Raises:
        TypeError: for a setting of another type or name.
        ValueError: for a setting out of range, and for prompts of several layouts.
    """
    stops = tuple({prompt.stop for prompt in prompts})
    if len(stops) > 1:
        raise ValueError(
            f"questions that end at {sorted(stops)}: expected one layout at a time; solve each task"
            " by itself"
        )
    if not prompts:
        return []
    texts = [prompt.text for prompt in prompts]
    defaults = GenerationConfig(stop=stops, max_tokens=_max_tokens(model, texts))
    samples = model.generate(texts, defaults, **settings)
    return [
        [attempt(prompt, sample) for sample in written]
        for prompt, written in zip(prompts, samples, strict=True)
    ]


def _max_tokens(model: TextModel, texts: Sequence[str]) -> int:
    """:data:`MAX_TOKENS`, or what the longest prompt leaves of the window if that is nearly as
    many; otherwise the model will refuse the prompt.
    """
    most = MAX_TOKENS[tier()]
    if not isinstance(model, LanguageModel):
        return most
    room = model.window + 1 - max(len(ids) for ids in model.encoder.prompts(texts))
    return room if _LEAST_ROOM * most <= room < most else most


def solve_varied(
    model: TextModel, problems: Sequence[Problem], n: int, temperature: float = 0.0, seed: int = 0
) -> list[list[Attempt]]:
    """``n`` attempts at each problem by a chain, each with demonstrations of its own (Li et al.
    2023).

    At temperature 0 the attempts differ by their demonstrations alone.

    Raises:
        ValueError: for a temperature out of range.
    """
    by_sample = []
    for own_seed in range(1000 * (seed + 1), 1000 * (seed + 1) + n):
        prompts = make_prompts("chain", problems, own_seed)
        by_sample.append(solve(model, prompts, temperature=temperature, seed=own_seed))
    return [[first for (first,) in attempts] for attempts in zip(*by_sample, strict=True)]


def accuracy(attempts: Sequence[Sequence[Attempt]]) -> float:
    """Share of right attempts, in percent, over all attempts of all problems."""
    return float(100 * np.mean([a.right for tries in attempts for a in tries]))


def tokens(attempts: Sequence[Sequence[Attempt]]) -> float:
    """Tokens generated for a problem, all its attempts together; mean over the problems."""
    return float(np.mean([sum(a.tokens for a in tries) for tries in attempts]))

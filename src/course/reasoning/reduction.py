"""Least-to-most prompting (Zhou et al. 2023): reduce a problem to parts, solve them in order, feed
each answer into the next.

The model names the parts of a problem. If it does not name all of them, the last part is put aside
and the rest, a smaller problem, is reduced again. What is left in the end is solved with a chain.
Then the parts that were put aside are solved one by one, each from the answer before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from course.foundation.rng import Rng
from course.lm.contract import Sample, TextModel
from course.models.hub import is_real, tier
from course.prompting.prompts import Prompt, Template
from course.reasoning.problems import Problem, demonstrations
from course.reasoning.solving import MAX_TOKENS, make_prompts, solve
from course.tasks.answer_parsing import NO_ANSWER, Answer, same_answer
from course.world.example import Example
from course.world.exercises import EXERCISES
from course.world.held_out import LONGEST_TEST_CHAIN

#: The tasks whose problems are a state, then its changes, then a question.
REDUCIBLE = ("problem", "shopping", "route")
_SENTENCE = " . "
_PLAIN_PARTS = Template("Problem: {x}\nParts: {y}\n\n", separator="")


@dataclass(frozen=True)
class Story:
    """A problem taken apart at its full stops: a state, its changes, a question."""

    state: str
    changes: tuple[str, ...]
    question: str

    @classmethod
    def of(cls, problem: Problem) -> "Story":
        """The story of a problem.

        Raises:
            ValueError: for a task that is not told as a story.
        """
        sentences = problem.question.split(_SENTENCE)
        if problem.task not in REDUCIBLE or len(sentences) < 3:
            raise ValueError(
                f"{problem.question[:60]!r} of the task {problem.task!r} is no state with changes;"
                f" reduce {', '.join(REDUCIBLE)}"
            )
        return cls(sentences[0], tuple(sentences[1:-1]), sentences[-1])

    @property
    def text(self) -> str:
        """The story as a question."""
        return _SENTENCE.join([self.state, *self.changes, self.question])

    def after(self, answer: Answer, change: str) -> "Story":
        """The story of one change, from the state that an answer gives."""
        if answer.value is None:
            state = f"{self.state.rsplit(' ', 1)[0]} {answer.text}"
        else:
            state = re.sub(r"\d+", str(answer.value), self.state)
        return replace(self, state=state, changes=(change,))


@dataclass
class Reduction:
    """How a problem was reduced and solved.

    Attributes:
        problem: the whole problem.
        story: what is left to be solved with a chain.
        aside: the changes that were put aside, the last one first.
        solved: (question, what the model wrote) of each part, in order.
        answer: to the last part.
        tokens: generated in all.
    """

    problem: Problem
    story: Story
    aside: list[str] = field(default_factory=list)
    solved: list[tuple[str, str]] = field(default_factory=list)
    answer: Answer = NO_ANSWER
    tokens: int = 0

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return same_answer(self.answer, self.problem.answer)


def least_to_most(
    model: TextModel, problems: Sequence[Problem], seed: int = 0, given: bool = False
) -> list[Reduction]:
    """Solve problems of :data:`REDUCIBLE` tasks part by part.

    Args:
        seed: of the demonstrations.
        given: cut the problem at its full stops in place of asking the model for the parts, to see
            what the model's own reduction costs.

    Raises:
        ValueError: for a problem that is not told as a story.
    """
    reductions = [Reduction(problem, Story.of(problem)) for problem in problems]
    if given:
        for one in reductions:
            first, *later = one.story.changes
            one.aside, one.story = later[::-1], replace(one.story, changes=(first,))
    else:
        _reduce(model, reductions, seed)
    _solve_part(model, reductions, seed)
    while active := [one for one in reductions if one.aside and one.answer != NO_ANSWER]:
        for one in active:
            one.story = one.story.after(one.answer, one.aside.pop())
        _solve_part(model, active, seed)
    return reductions


def _reduce(model: TextModel, reductions: Sequence[Reduction], seed: int) -> None:
    """Put parts aside until the model names all changes that are left, or one change is left."""
    active = list(reductions)
    for _ in range(LONGEST_TEST_CHAIN):
        active = [one for one in active if len(one.story.changes) > 1]
        if not active:
            return
        prompts = [_parts_prompt(one, seed, number) for number, one in enumerate(active)]
        samples = model.generate(
            [p.text for p in prompts], stop=prompts[0].template.stop, max_tokens=MAX_TOKENS[tier()]
        )
        pairs = zip(active, samples, strict=True)
        active = [one for one, (sample,) in pairs if _put_aside(one, sample)]


def _put_aside(one: Reduction, sample: Sample) -> bool:
    """Put the last part that a sample names aside; False if it names all changes, or none."""
    one.tokens += sample.tokens
    named = [re.sub(r"\s+", " ", part).strip(" .") for part in sample.text.split(";")]
    known = [part for part in named if part in one.story.changes]
    if set(one.story.changes) <= set(named) or not known:
        return False
    changes = list(one.story.changes)
    # from behind, since the same change may occur twice
    del changes[len(changes) - 1 - changes[::-1].index(known[-1])]
    one.aside.append(known[-1])
    one.story = replace(one.story, changes=tuple(changes))
    return True


def _parts_prompt(one: Reduction, seed: int, number: int) -> Prompt:
    rng = Rng(f"parts/{one.problem.task}/{seed}/{number % 5}")
    shown = demonstrations(one.problem, rng, (2, 3))
    examples = tuple(Example(p.question, " ; ".join(Story.of(p).changes)) for p in shown)
    template = Template(EXERCISES["parts"].frame) if not is_real() else _PLAIN_PARTS
    return Prompt(one.story.text, examples, template=template)


def _solve_part(model: TextModel, active: Sequence[Reduction], seed: int) -> None:
    """One chain for each; the answers become the states of what comes next."""
    parts = [replace(one.problem, question=one.story.text) for one in active]
    attempts = solve(model, make_prompts("chain", parts, seed))
    for one, (attempt,) in zip(active, attempts, strict=True):
        one.tokens += attempt.tokens
        one.answer = attempt.answer
        one.solved.append((one.story.text, attempt.text.strip()))


def reduced_accuracy(reductions: Sequence[Reduction]) -> float:
    """Share of right answers, in percent."""
    return float(100 * np.mean([one.right for one in reductions]))

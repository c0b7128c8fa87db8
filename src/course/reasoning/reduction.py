"""Problem reduction: take a problem apart, solve the parts in order, and feed each answer into the
next (least-to-most, Zhou et al. 2023).

The model names the parts of a problem. If they are not the whole of it, the last part is put aside
and the rest, a smaller problem, is reduced again. What is left in the end is solved with a chain;
then the parts that were put aside are solved one by one, each starting from the answer before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from course.foundation.rng import Rng
from course.lm.language_model import TextModel
from course.models.hub import tier
from course.prompting.prompts import Prompt, Template
from course.reasoning.problems import Problem, demonstrations
from course.reasoning.solving import MOST_TOKENS, make_prompts, solve
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
                f"{problem.question[:60]!r} of the task {problem.task!r} is no state with changes; reduce {', '.join(REDUCIBLE)}"
            )
        return cls(sentences[0], tuple(sentences[1:-1]), sentences[-1])

    @property
    def text(self) -> str:
        return _SENTENCE.join([self.state, *self.changes, self.question])

    def after(self, answer: Answer, change: str) -> "Story":
        """The story of one change, which begins where an answer says."""
        state = (
            self.state if answer.value is None else re.sub(r"\d+", str(answer.value), self.state)
        )
        if answer.value is None:
            state = f"{self.state.rsplit(' ', 1)[0]} {answer.text}"
        return replace(self, state=state, changes=(change,))


@dataclass
class Reduction:
    """How a problem was reduced and solved.

    Attributes:
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
        return same_answer(self.answer, self.problem.answer)


def least_to_most(
    model: TextModel, chosen: Sequence[Problem], seed: int = 0, given: bool = False
) -> list[Reduction]:
    """Solve problems of :data:`REDUCIBLE` tasks part by part.

    Args:
        seed: of the demonstrations.
        given: do not ask the model for the parts but cut at the full stops, to see what the model's
            own reduction costs.
    """
    made = [Reduction(problem, Story.of(problem)) for problem in chosen]
    if given:
        for one in made:
            one.aside, one.story = (
                list(one.story.changes[:0:-1]),
                replace(one.story, changes=one.story.changes[:1]),
            )
    else:
        _reduce(model, made, seed)
    _solve_part(model, made, seed)
    while active := [one for one in made if one.aside and one.answer != NO_ANSWER]:
        for one in active:
            one.story = one.story.after(one.answer, one.aside.pop())
        _solve_part(model, active, seed)
    return made


def _reduce(model: TextModel, made: Sequence[Reduction], seed: int) -> None:
    """Put parts aside until the model names all changes of what is left, or a single one is left."""
    active = list(made)
    for _ in range(LONGEST_TEST_CHAIN):
        active = [one for one in active if len(one.story.changes) > 1]
        if not active:
            return
        prompts = [_parts_prompt(one, seed, number) for number, one in enumerate(active)]
        samples = model.generate(
            [p.text for p in prompts], stop=prompts[0].template.stop, max_tokens=MOST_TOKENS[tier()]
        )
        waiting = []
        for one, (sample,) in zip(active, samples, strict=True):
            one.tokens += sample.tokens
            named = [re.sub(r"\s+", " ", part).strip(" .") for part in sample.text.split(";")]
            known = [part for part in named if part in one.story.changes]
            if set(one.story.changes) <= set(named) or not known:
                continue
            changes = list(one.story.changes)
            # from behind, since the same change may occur twice
            del changes[len(changes) - 1 - changes[::-1].index(known[-1])]
            one.aside.append(known[-1])
            one.story = replace(one.story, changes=tuple(changes))
            waiting.append(one)
        active = waiting


def _parts_prompt(one: Reduction, seed: int, number: int) -> Prompt:
    shown = demonstrations(
        one.problem, Rng(f"parts/{one.problem.task}/{seed}/{number % 5}"), (2, 3)
    )
    examples = tuple(Example(p.question, " ; ".join(Story.of(p).changes)) for p in shown)
    template = Template(EXERCISES["parts"].frame) if tier() == "tiny" else _PLAIN_PARTS
    return Prompt(one.story.text, examples, template=template)


def _solve_part(model: TextModel, active: Sequence[Reduction], seed: int) -> None:
    """One chain for each; the answers become the states of what comes next."""
    parts = [replace(one.problem, question=one.story.text) for one in active]
    for one, (found,) in zip(active, solve(model, make_prompts("chain", parts, seed)), strict=True):
        one.tokens += found.tokens
        one.answer = found.answer
        one.solved.append((one.story.text, found.text.strip()))


def reduced_accuracy(made: Sequence[Reduction]) -> float:
    """Share of right answers, in percent."""
    return float(100 * np.mean([one.right for one in made]))

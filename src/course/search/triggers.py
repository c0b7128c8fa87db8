"""Search for the trigger phrase of zero-shot chain of thought.

Kojima et al. 2022 wrote the phrase by hand, and APE (Zhou et al. 2023) had one written by a model.
Here the candidates are the first sentences of the model's own sampled solutions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course.foundation.validation import anything, check_fields, number, text
from course.lm.contract import TextModel
from course.reasoning import make_prompt, problems, solve, wording
from course.reasoning.problems import Problem
from course.search.objective import Objective
from course.search.writers import MOST_TOKENS, Continuer
from course.world.example import Example
from course.world.split import TEST, TRAIN


@dataclass(frozen=True)
class Trigger(Objective):
    """Problems; the prompt is the phrase with which the solution begins, and its value is 1 if the
    answer is right.

    Attributes:
        train, test: problems of one task.
    """

    train: tuple[Problem, ...]
    test: tuple[Problem, ...]

    def __post_init__(self) -> None:
        if not self.train or not self.test:
            raise ValueError(
                f"{len(self.train)} training and {len(self.test)} test problems:"
                " expected at least one of each"
            )
        if len(tasks := {problem.task for problem in (*self.train, *self.test)}) > 1:
            raise ValueError(f"problems of {', '.join(sorted(tasks))}: expected those of one task")

    @property
    def size(self) -> int:
        return len(self.train)

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """The training problems with their answers, without the steps."""
        return tuple(Example(problem.question, problem.output) for problem in self.train)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        return self._right(model, [(prompt, self.train[item]) for prompt, item in pairs])

    def held_out(self, model: TextModel, prompt: str) -> float:
        return 100 * float(self._right(model, [(prompt, problem) for problem in self.test]).mean())

    def _right(self, model: TextModel, pairs: Sequence[tuple[str, Problem]]) -> np.ndarray:
        requests = [
            make_prompt(problem, "trigger", wording(problem.task), trigger=prompt)
            for prompt, problem in pairs
        ]
        return np.array([float(attempts[0].right) for attempts in solve(model, requests)])


def triggers(
    task: str = "problem", steps: int = 3, train: int = 32, test: int = 60, seed: int = 0
) -> Trigger:
    """An objective of problems with so many steps, whose single sums the corpus states.

    Arguments and errors: :func:`course.reasoning.problems`.
    """
    drawn = [
        problems(task, steps, count, seed, split, stated=True)
        for split, count in ((TRAIN, train), (TEST, test))
    ]
    return Trigger(*(tuple(found) for found in drawn))


@dataclass(frozen=True)
class OpeningWriter(Continuer):
    """A model solves problems, by samples and without any trigger; the first sentences of what it
    writes are the prompts.

    A variation keeps the first half of a phrase's words and lets the model finish the sentence.

    Attributes:
        model: who solves.
        task: of the problems.
        temperature: of the samples.
    """

    model: TextModel
    task: str = "problem"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, model=anything(), task=text(), temperature=number(0))

    def continued(
        self, begun: str, examples: Sequence[Example], count: int, seed: int
    ) -> list[str]:
        worded = wording(self.task)
        requests = [
            f"{worded.template.query(example.input)} {begun}".strip()
            for example in examples[:count]
        ]
        stops = (worded.end.strip(), "\n")
        each = -(-count // len(requests))
        written = self.model.generate(
            requests,
            n=each,
            temperature=self.temperature,
            stop=stops,
            seed=seed,
            max_tokens=MOST_TOKENS,
        )
        texts = [samples[number].text for number in range(each) for samples in written][:count]
        return [f"{begun} {text.strip()}".strip() + worded.end for text in texts]

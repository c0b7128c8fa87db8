"""Multi-step problems with their worked solutions: word problems, routes, last letters."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from course.foundation.rng import Rng
from course.models.hub import is_real, tier
from course.prompting.prompts import Template
from course.tasks.answer_parsing import Answer, given
from course.tasks.registry import load_task
from course.world import exercises, sums
from course.world import problems as word_problems
from course.world.example import Example
from course.world.held_out import LONGEST_TEST_CHAIN
from course.world.split import SPLITS, TEST, TRAIN, is_train

#: The tasks whose answers are chains, by tier. For real models ``"problem"`` is GSM8K and
#: ``"shopping"`` are the word problems of the micro-world, which anybody can read; its map is known
#: to the small models alone.
CHAINS: dict[str, tuple[str, ...]] = {
    "tiny": exercises.CHAINS,
    "index": ("problem", "shopping", "letters"),
    "hub": ("problem", "shopping", "letters"),
}
_WORLD = {"shopping": "problem"}
#: How each kind of problem is laid out in plain English, for models that read it.
_QUESTION = "Question: {x}\nAnswer: {y}\n\n"
_PLAIN = {
    "problem": _QUESTION,
    "shopping": _QUESTION,
    "letters": "Names: {x}\nLast letters: {y}\n\n",
}


@dataclass(frozen=True)
class Problem:
    """A problem with its worked solution.

    Attributes:
        task: one of :data:`CHAINS`.
        question: the text.
        steps: the sentences of the worked solution, in order.
        output: the right answer as the task states it.
    """

    task: str
    question: str
    steps: tuple[str, ...]
    output: str

    @property
    def kind(self) -> str:
        """What the answer is: ``"number"`` or ``"words"``."""
        return "words" if self.task in ("route", "letters") else "number"

    @property
    def answer(self) -> Answer:
        """The right answer."""
        return given(self.output, self.kind)


@dataclass(frozen=True)
class Wording:
    """How problems of one task are worded in a prompt.

    Attributes:
        template: of question and solution.
        trigger: the phrase that asks for steps (Kojima et al. 2022).
        announce: the words before the answer.
        end: what ends a sentence, with the space before it, if any.
    """

    template: Template
    trigger: str = word_problems.TRIGGER
    announce: str = "the answer is"
    end: str = " ."


def wording(task: str, wanted_tier: str | None = None) -> Wording:
    """The wording of a task: as in the corpus for the small models, plain English for real ones.

    Raises:
        ValueError: for a task that has no chains in this tier.
    """
    _check_task(task, tier(wanted_tier))
    if not is_real(wanted_tier):
        return Wording(Template(exercises.EXERCISES[task].frame))
    return Wording(
        Template(_PLAIN[task], separator=""), "Let's think step by step.", "The answer is", "."
    )


def problems(
    task: str,
    steps: int,
    count: int,
    seed: int = 0,
    split: str = TEST,
    stated: bool = False,
    wanted_tier: str | None = None,
) -> list[Problem]:
    """``count`` different problems with ``steps`` steps, or as many as there are (few names and few
    routes have a single step).

    Word problems for real models are those of GSM8K whose solutions have as many lines, or nearly.

    Args:
        steps: 1 to :data:`course.world.held_out.LONGEST_TEST_CHAIN`.
        split: of the question.
        stated: only word problems that the corpus could work out in the order of the story,
            because it states each of those sums; otherwise about a quarter of them are held out.

    Raises:
        ValueError: for a task that has no chains in this tier, another number of steps, or an
            unknown split.
    """
    _check_task(task, tier(wanted_tier))
    if not 1 <= steps <= LONGEST_TEST_CHAIN:
        raise ValueError(f"steps={steps}: expected 1 to {LONGEST_TEST_CHAIN}")
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    if is_real(wanted_tier) and task == "problem":
        return _nearest(steps, count, seed, split, tier(wanted_tier))
    exercise = exercises.EXERCISES[_WORLD.get(task, task)]
    rng = Rng(f"reasoning/{task}/{steps}/{split}/{seed}")
    different: dict[str, Problem] = {}
    for _ in range(100 * count + 1000):
        example = exercise.write(rng, train=False, steps=steps)
        problem = from_example(task, example)
        if exercise.split(example) == split and (not stated or is_stated(problem)):
            different[problem.question] = problem
        if len(different) == count:
            break
    return list(different.values())


def from_example(task: str, example: Example) -> Problem:
    """The problem in an example of one of the chain tasks; its steps are the lines, else the
    sentences, of the worked solution.
    """
    rationale = example.rationale or ""
    lines = rationale.splitlines()
    steps = lines if len(lines) > 1 else rationale.removesuffix(" .").split(" . ")
    return Problem(task, example.input, tuple(steps), example.output)


def is_stated(problem: Problem) -> bool:
    """Whether the corpus states every step, of a word problem in the order of the story; it states
    all steps of routes and letters.
    """
    return problem.kind == "words" or all(
        is_train(sums.SPLIT_KEY, step.split(" = ")[0]) for step in problem.steps
    )


def demonstrations(
    problem: Problem, rng: Rng, steps: tuple[int, ...] = (1, 2, 3), wanted_tier: str | None = None
) -> list[Problem]:
    """Training problems of the same task to show with their solutions, one for each of ``steps``,
    in random order.

    As in the corpus, the solution of a small model's word problem is any of its derivations, in any
    wording; so it may have one step more or less than the problem has changes.
    """
    draw = _pool(problem.task, wanted_tier)
    shown: list[Problem] = []
    for count in rng.sample(steps, len(steps)):
        other = draw(rng, count)
        while other.question in (problem.question, *(p.question for p in shown)):
            other = draw(rng, count)
        shown.append(other)
    return shown


def _pool(task: str, wanted_tier: str | None) -> Callable[[Rng, int], Problem]:
    kind = exercises.EXERCISES[_WORLD.get(task, task)]
    if not is_real(wanted_tier):
        return lambda rng, steps: from_example(task, _as_in_the_corpus(kind, rng, steps))
    if task != "problem":
        return lambda rng, steps: from_example(task, kind.write(rng, train=True, steps=steps))
    return lambda rng, steps: rng.choice(_nearest(steps, 20, 0, TRAIN, tier(wanted_tier)))


def _as_in_the_corpus(kind: exercises.Exercise, rng: Rng, steps: int) -> Example:
    """A training example with any of the worked solutions that the corpus may give it."""
    example = kind.write(rng, train=True, steps=steps)
    return replace(example, rationale=kind.solve(rng, example)) if kind.solve else example


def _nearest(steps: int, count: int, seed: int, split: str, of_tier: str) -> list[Problem]:
    """Problems of GSM8K whose solutions have ``steps`` lines, or come near it."""
    return sorted(_school(seed, split, of_tier), key=lambda p: abs(len(p.steps) - steps))[:count]


@lru_cache(maxsize=8)
def _school(seed: int, split: str, of_tier: str) -> tuple[Problem, ...]:
    """The problems of GSM8K, kept once they are read."""
    task = load_task("problem", seed=seed, wanted_tier=of_tier)
    return tuple(from_example("problem", example) for example in task.examples(split))


def _check_task(task: str, of_tier: str) -> None:
    if task not in CHAINS[of_tier]:
        raise ValueError(
            f"task {task!r} has no chains in the {of_tier} tier;"
            f" choose from {', '.join(CHAINS[of_tier])}"
        )

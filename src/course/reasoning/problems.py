"""Problems that take several steps, with the truth about every step."""

from collections.abc import Callable
from dataclasses import dataclass

from course.foundation.rng import Rng
from course.models.hub import tier
from course.prompting.prompts import Template
from course.tasks.answer_parsing import Answer, given
from course.tasks.registry import load_task
from course.world import exercises, sums
from course.world.example import Example
from course.world.held_out import LONGEST_TEST_CHAIN
from course.world.split import SPLITS, TEST, TRAIN, is_train

#: The tasks whose answers are chains, by tier. In the hub tier ``"problem"`` is GSM8K and
#: ``"shopping"`` are the word problems of the micro-world, which anybody can read; its map is known
#: to the small models alone.
CHAINS = {"tiny": exercises.CHAINS, "hub": ("problem", "shopping", "letters")}
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
    """How problems of one task are put to a model.

    Attributes:
        template: of question and solution.
        trigger: the phrase that asks for steps (Kojima et al. 2022).
        announce: the words before the answer.
        end: what ends a sentence, with the space before it if there is one.
    """

    template: Template
    trigger: str = sums.TRIGGER
    announce: str = "the answer is"
    end: str = " ."


def wording(task: str, wanted_tier: str | None = None) -> Wording:
    """How a task is put: as in the corpus to the small models, in plain English to real ones.

    Raises:
        ValueError: for a task that has no chains in this tier.
    """
    _check_task(task, tier(wanted_tier))
    if tier(wanted_tier) == "tiny":
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

    Word problems of the hub tier are those of GSM8K whose solutions have as many lines, or nearly.

    Args:
        steps: 1 to :data:`course.world.held_out.LONGEST_TEST_CHAIN`.
        split: of the question.
        stated: only word problems whose every sum the corpus states; otherwise about a quarter of
            the sums are held out.

    Raises:
        ValueError: for a task that has no chains in this tier, another number of steps, or an
            unknown split.
    """
    _check_task(task, tier(wanted_tier))
    if not 1 <= steps <= LONGEST_TEST_CHAIN:
        raise ValueError(f"steps={steps}: expected 1 to {LONGEST_TEST_CHAIN}")
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    if tier(wanted_tier) == "hub" and task == "problem":
        return _nearest(steps, count, seed, split)
    kind, rng = (
        exercises.EXERCISES[_WORLD.get(task, task)],
        Rng(f"reasoning/{task}/{steps}/{split}/{seed}"),
    )
    found: dict[str, Problem] = {}
    for _ in range(100 * count + 1000):
        example = kind.write(rng, train=False, steps=steps)
        made = from_example(task, example)
        if kind.split(example) == split and (not stated or is_stated(made)):
            found[made.question] = made
        if len(found) == count:
            break
    return list(found.values())


def from_example(task: str, example: Example) -> Problem:
    """The problem in an example of one of the chain tasks; its steps are the lines, else the
    sentences, of the worked solution.
    """
    lines = example.rationale.splitlines()
    steps = lines if len(lines) > 1 else example.rationale.removesuffix(" .").split(" . ")
    return Problem(task, example.input, tuple(steps), example.output)


def is_stated(problem: Problem) -> bool:
    """Whether the corpus states every single step; those of routes and letters it always does."""
    return problem.kind == "words" or all(
        is_train(sums.SPLIT_KEY, step.split(" = ")[0]) for step in problem.steps
    )


def demonstrations(
    problem: Problem, rng: Rng, steps: tuple[int, ...] = (1, 2, 3), wanted_tier: str | None = None
) -> list[Problem]:
    """Other problems of the same task to show with their solutions, one for each of ``steps``, in
    random order, of the training split.
    """
    draw = _pool(problem.task, wanted_tier)
    shown: list[Problem] = []
    for count in rng.sample(steps, len(steps)):
        made = draw(rng, count)
        while made.question in (problem.question, *(p.question for p in shown)):
            made = draw(rng, count)
        shown.append(made)
    return shown


def _pool(task: str, wanted_tier: str | None) -> Callable[[Rng, int], Problem]:
    if tier(wanted_tier) == "tiny" or task != "problem":
        kind = exercises.EXERCISES[_WORLD.get(task, task)]
        return lambda rng, steps: from_example(task, kind.write(rng, train=True, steps=steps))
    pool = {steps: _nearest(steps, 20, 0, TRAIN) for steps in range(1, LONGEST_TEST_CHAIN + 1)}
    return lambda rng, steps: rng.choice(pool[steps])


def _nearest(steps: int, count: int, seed: int, split: str) -> list[Problem]:
    """Problems of GSM8K whose solutions have ``steps`` lines, or come near it."""
    task = load_task("problem", seed=seed, wanted_tier="hub")
    every = [from_example("problem", example) for example in task.examples(split)]
    return sorted(every, key=lambda p: abs(len(p.steps) - steps))[:count]


def _check_task(task: str, of_tier: str) -> None:
    if task not in CHAINS[of_tier]:
        raise ValueError(
            f"task {task!r} has no chains in the {of_tier} tier; choose from {', '.join(CHAINS[of_tier])}"
        )

"""Data of the chapters on prompt search: what differs between the shipped models and real ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from course.lm.language_model import LanguageModel, load
from course.models.hub import is_real
from course.prompting.prompts import PLAIN, Template
from course.search.objective import Answers, answers
from course.search.tabulated import candidates
from course.search.triggers import OpeningWriter, Trigger, triggers
from course.search.writers import AskedWriter, BlankFiller, Writer
from course.tasks.instruction_induction import induction_folder, load_induction_task
from course.tasks.registry import Task, load_task
from course.world.instructions import INSTRUCTIONS


@dataclass(frozen=True)
class WrittenPromptsData:
    """Data of the chapter on prompts that a model writes.

    Attributes:
        tasks: name -> task whose instruction is searched for.
        layout: of their items.
        model: the model that is prompted.
        writer: the model that writes.
        raced: items of the race.
        candidates: prompts of the race.
        problems: problems for the search of a trigger phrase.
        solver: the model that solves them.
        items: how many items a search trains and tests on.
    """

    tasks: Mapping[str, Task]
    layout: Template
    model: LanguageModel
    writer: Writer
    raced: Answers
    candidates: tuple[str, ...]
    problems: Trigger
    solver: LanguageModel
    items: tuple[int, int]

    def objective(
        self,
        task: Task,
        train: int | None = None,
        test: int | None = None,
        measure: str = "likelihood",
    ) -> Answers:
        """Items of a task in the chapter's layout, as many as :attr:`items` says unless told."""
        usual = zip((train, test), self.items, strict=True)
        train, test = (known if asked is None else asked for asked, known in usual)
        return answers(task, train, test, measure=measure, template=self.layout)

    @property
    def opener(self) -> OpeningWriter:
        """Writes the first sentences of the solver's own solutions."""
        return OpeningWriter(self.solver, task=self.problems.train[0].task)


def written_prompts_data() -> WrittenPromptsData:
    """The data of the tier that ``COURSE_TIER`` names.

    In the hub tier the task is one of the instruction-induction benchmark where its folder is at
    hand, else the sentiment of reviews.

    Raises:
        ValueError: if it names an unknown tier.
    """
    if is_real():
        return _written_by_real_models()
    names = ("gerund", "find_city", "is_even")
    return WrittenPromptsData(
        tasks={name: load_task(name) for name in names},
        layout=Template(),
        model=load("gpt-middle"),
        writer=BlankFiller(load("bert-middle")),
        raced=answers("find_person", 64, 60),
        candidates=candidates("find_person", 0),
        problems=triggers("problem", train=16, test=24),
        solver=load("gpt-large"),
        items=(32, 60),
    )


def _written_by_real_models() -> WrittenPromptsData:
    name, task = "sentiment", load_task("sentiment")
    if induction_folder():
        name, task = "antonyms", load_induction_task("antonyms")
    writer, raced = AskedWriter(load("gpt-tuned")), answers(task, 16, 20, template=PLAIN)
    written = writer.write(raced.examples, 16, seed=0)
    model = load("gpt-middle")
    return WrittenPromptsData(
        tasks={name: task},
        layout=PLAIN,
        model=model,
        writer=writer,
        raced=raced,
        candidates=tuple(dict.fromkeys(text for text in written if text)),
        problems=triggers("shopping", train=4, test=4),
        solver=model,
        items=(8, 20),
    )


@dataclass(frozen=True)
class SteeringData:
    """Data of the chapter on steering a dialogue.

    Attributes:
        budget: model calls of the live training.
    """

    budget: int


def steering_data() -> SteeringData:
    """The data of the tier that ``COURSE_TIER`` names."""
    return SteeringData(budget=256 if is_real() else 2000)


@dataclass(frozen=True)
class SoftPromptsData:
    """Data of the chapter on soft prompts.

    Attributes:
        task: that vectors are learned for.
        labels: training items.
        tested: test items.
        steps: of an optimiser.
        astray: the wording of another task, where a prompt begins that is to read as that.
    """

    task: Task
    labels: int
    tested: int
    steps: int
    astray: str

    def objective(self, name: str | None = None) -> Answers:
        """Items of the task, or of another one."""
        return answers(name or self.task.name, self.labels, self.tested, measure="likelihood")


def soft_prompts_data() -> SoftPromptsData:
    """The data of the tier that ``COURSE_TIER`` names."""
    if is_real():
        return SoftPromptsData(load_task("sentiment"), 10, 12, 6, INSTRUCTIONS["topic"][0])
    return SoftPromptsData(load_task("find_city"), 64, 100, 60, INSTRUCTIONS["find_person"][0])

"""What a method of the comparison is: what it needs, what it costs, how it learns and answers."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from course.compare.bodies import Bench
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.task import Item, Prediction, TableTask

#: Settings of one method that are tried on held-out labels: as many for every method.
TRIALS = 4
#: The share of the labels that is held out to choose a setting, how many at most, and the fewest
#: labels of which some are.
HELD_OUT, MOST_HELD_OUT, FEWEST_FOR_TRIALS = 0.25, 64, 32
#: File of a saved method that says what it is.
METHOD_FILE = "method.json"
#: The card beside it, which the report writes.
CARD_FILE = "README.md"

Setting = dict[str, Any]


class Predictor(ABC):
    """A method after it has learned.

    Attributes:
        work: what it has asked of its model so far, learning included.
        remembered_seconds: what of that was not computed again, as another method had done so,
            would
            have taken.
    """

    work: Work = Work()
    remembered_seconds: float = 0.0

    @abstractmethod
    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction an item.

        Raises:
            OutOfTime: if the time of the comparison is over.
        """

    @abstractmethod
    def save(self, folder: Path) -> dict[str, Any]:
        """Write what was learned into an empty folder.

        Returns:
            What :data:`METHOD_FILE` should say beside the task, as JSON.
        """


@dataclass(frozen=True)
class Estimate:
    """What a method will cost at a number of labels.

    Attributes:
        learning: the work of choosing a setting and learning.
        query: the work of answering one item.
        bytes: on disk, of what is learned.
        choosing: the part of ``learning`` that chooses a setting, which the first seed alone does.
        remembered: the part of ``choosing`` that is counted but takes no time, as the rest of
            ``learning`` computes it, too.
    """

    learning: Work
    query: Work
    bytes: float
    choosing: Work = Work()
    remembered: Work = Work()

    def learning_with(self, seed: int) -> Work:
        """The work of learning with one of the seeds."""
        return self.learning if seed == 0 else self.learning - self.choosing

    def computed_with(self, seed: int) -> Work:
        """The part of it that takes time."""
        own = self.learning_with(seed)
        return own - self.remembered if seed == 0 else own


@dataclass(frozen=True)
class Cost:
    """What a method costs, in words; in figures :meth:`Method.estimate` has it.

    Attributes:
        trains: what is fitted or trained, and how long at most.
        keeps: what is stored for a task.
        query: calls of a model that an answer takes.
    """

    trains: str
    keeps: str
    query: int

    def __str__(self) -> str:
        calls = {0: "no call of a model", 1: "1 call of the model"}
        answer = calls.get(self.query, f"{self.query} calls of the model")
        return f"trains {self.trains}; keeps {self.keeps}; {answer} for an answer"


@dataclass(frozen=True)
class Method(ABC):
    """A method of the comparison: an entry of :data:`course.compare.METHODS`.

    Attributes:
        name: as ``--methods`` takes it.
        title: its name in figures and tables.
        lever: ``"control"``, ``"prompt"`` or ``"training"``.
        body: the model that it needs: ``"none"``, ``"causal"``, ``"encoder"`` or ``"served"``.
        needs: what it needs, in words.
        kinds: the kinds of tasks that it can do.
        in_screen: whether it is part of the default's first round.
        uses_labels: whether its answers depend on training labels; if not it is measured once.
        chance: whether a seed changes what it learns from all labels.
        iterative: whether its settings can be tried at a part of the training.
    """

    name: str
    title: str
    lever: str
    body: str
    needs: str
    kinds: tuple[str, ...] = ("labels", "answers", "tags")
    in_screen: bool = False
    uses_labels: bool = True
    chance: bool = True
    iterative: ClassVar[bool] = False

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What it costs, in words."""

    @abstractmethod
    def settings(self, bench: Bench, size: int) -> list[Setting]:
        """The settings to choose from, the usual one first, :data:`TRIALS` at most."""

    @abstractmethod
    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        """Learn from labelled items.

        Args:
            share: of the training that is done, for a trial.

        Raises:
            OutOfTime: if the time of the comparison is over.
        """

    @abstractmethod
    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        """A predictor of this method that was saved.

        Args:
            bench: with the task and the models that it was saved with.
            folder: in which it was saved.
            stored: what its :data:`METHOD_FILE` says.

        Raises:
            ValueError: if its weights are missing.
        """

    @abstractmethod
    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        """What it will cost at a number of labels, choosing a setting included."""

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        """Why the method cannot be used here; None if it can."""
        if data.task.kind not in self.kinds:
            return f"is for {' and '.join(self.kinds)}, and this task has {data.task.kind}"
        return None


@dataclass(frozen=True)
class Trial:
    """One setting at one share of the training, and its score on held-out labels."""

    setting: Setting
    share: float
    score: float


def rounds(method: Method, count: int, size: int) -> list[tuple[int, float]]:
    """(settings, share of the training) of each round of trials: successive halving for training,
    all at once for what learns in one go. Empty if nothing is chosen.
    """
    if count < 2 or size < FEWEST_FOR_TRIALS:
        return []
    if not method.iterative:
        return [(count, 1.0)]
    planned, share = [], 0.25
    while count > 1:
        planned.append((count, share))
        count, share = -(-count // 2), min(1.0, 2 * share)
    return planned


def held_out(size: int) -> int:
    """How many of ``size`` labels are held out to choose a setting."""
    return min(MOST_HELD_OUT, int(HELD_OUT * size))


def choose_setting(
    method: Method, bench: Bench, items: Sequence[Item], seed: int
) -> tuple[Setting, list[Trial], Work]:
    """The best setting by labels that are held out of ``items``, and what that took.

    Every method may try as many; ties go to the earlier one, so that the usual setting stays unless
    another is better.
    """
    settings = method.settings(bench, len(items))
    plan = rounds(method, len(settings), len(items))
    trials: list[Trial] = []
    work = Work()
    count = held_out(len(items))
    for number, share in plan:
        scored = []
        for setting in settings[:number]:
            bench.deadline.check()
            predictor = method.learn(bench, items[count:], setting, seed, share)
            predictions = predictor.predict(items[:count])
            score = float(bench.task.scores(items[:count], predictions).mean())
            trials.append(Trial(setting, share, score))
            scored.append(score)
            work += predictor.work
        best = sorted(range(number), key=lambda i: -scored[i])
        settings = [settings[i] for i in best]
    return settings[0], trials, work


def trial_factor(method: Method, count: int, size: int) -> tuple[float, int]:
    """(trainings, answered items) that choosing among ``count`` settings takes, in units of one
    training on the labels that are not held out, and of one item.
    """
    plan = rounds(method, count, size)
    return sum(n * share for n, share in plan), sum(n for n, _ in plan) * held_out(size)


def write_method(folder: Path, method: str, task: TableTask, details: dict[str, Any]) -> None:
    """Write :data:`METHOD_FILE` beside what was learned, with the names of its files."""
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    stored = {"method": method, "task": task.as_dict(), **details, "files": files}
    text = json.dumps(stored, ensure_ascii=False, indent=1) + "\n"
    (folder / METHOD_FILE).write_text(text, encoding="utf-8")

"""Heads on a real encoder, pretrained and from scratch, by labels (chapter 2)."""

from collections.abc import Mapping, Sequence

from course.heads import learning
from course.studies.on_real_models.questions import PRECISION
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.tasks.registry import load_task
from course.tasks.task import Task
from course.world.split import TEST, TRAIN

#: Task -> labels that a head is trained on.
HEAD_LABELS = {"sentiment": (10, 30, 100, 300, 1000), "inference": (1000,), "entities": (30, 300)}
#: The same where the first measurement left gaps.
MORE_LABELS = {"sentiment": (3000,), "inference": (100, 300)}
#: Labels, and steps of training, of heads that find an answer in a passage; passages are long.
ANSWER_LABELS, ANSWER_STEPS = (100, 300), 100
#: Test items of a head.
TESTED = 300


def by_labels(task: Task, counts: Sequence[int], seed: int, steps: int | None = None) -> list[Row]:
    """A head on the pretrained encoder and on the same architecture fresh, by labels.

    Args:
        steps: of training (default: the usual ones for so many labels).

    Returns:
        Rows with ``task``, ``way``, ``labels`` and ``value`` (the head's measure, percent).
    """
    rows: list[Row] = []
    for labels in counts:
        for way in ("pretrained", "scratch"):
            learned = learning.learn(
                task, labels, way == "pretrained", seed, steps=steps, precision=PRECISION
            )
            value = learned.score(list(task.data[TEST]))
            rows.append({"task": task.name, "way": way, "labels": labels, "value": value})
    return rows


def _all_tasks(labels: Mapping[str, Sequence[int]], most: int, seed: int) -> list[Row]:
    """Every task by its labels, which are drawn from as many rows as the most of them, or
    ``most``.
    """
    rows: list[Row] = []
    for name, counts in labels.items():
        sizes = {TRAIN: max(most, *counts), TEST: TESTED}
        rows += by_labels(load_task(name, seed=seed, sizes=sizes), counts, seed)
    return rows


def real_heads(seed: int) -> list[Row]:
    """Three heads by labels: see :func:`by_labels`."""
    return _all_tasks(HEAD_LABELS, 0, seed)


def more_heads(seed: int) -> list[Row]:
    """More labels for snippets and fewer for pairs, which are the first ones of those in
    :func:`real_heads`: see :func:`by_labels`.
    """
    return _all_tasks(MORE_LABELS, max(HEAD_LABELS["inference"]), seed)


def real_answers(seed: int) -> list[Row]:
    """Answers in passages by labels, after few steps: see :func:`by_labels`."""
    sizes = {TRAIN: max(ANSWER_LABELS), TEST: TESTED // 3}
    task = load_task("extraction", seed=seed, sizes=sizes)
    return by_labels(task, ANSWER_LABELS, seed, ANSWER_STEPS)


STUDIES = (
    RealStudy("heads", 1, ("bert-middle",), SEEDS, real_heads, tuple(HEAD_LABELS)),
    RealStudy("more-heads", 1, ("bert-middle",), SEEDS, more_heads, tuple(MORE_LABELS)),
    RealStudy("answers", 1, ("bert-middle",), SEEDS, real_answers, ("extraction",)),
)

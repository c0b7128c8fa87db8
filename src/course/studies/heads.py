"""The study of chapter 2: four heads on a pretrained body and from scratch, by the number of
labels.
"""

from collections.abc import Sequence

from course.heads import TASKS, errors_by_kind, learn, with_absent_answers, with_new_words
from course.heads.learning import BODY, EFFORTS, Learned
from course.studies.records import Study
from course.tasks.registry import Task, load_task
from course.world.split import TEST, TRAIN, VALIDATION

#: Numbers of labels, and the one at which the rest is measured.
LABELS = tuple(effort.labels for effort in EFFORTS)
FEW = 100
#: The two ways to get a body.
WAYS = {"pretrained": True, "scratch": False}
_SIZES = {TRAIN: max(LABELS), VALIDATION: 100, TEST: 300}
#: A body that read the same text as :data:`BODY` and was asked for the next word; its heads are for
#: texts.
OTHER_BODY, OTHER_TASKS = "gpt-middle", ("sentiment", "inference")
#: What more is measured with few labels: name -> (its tasks, what changes in a task).
_VARIANTS = {
    "new words": (TASKS, with_new_words),
    "absent answers": (("extraction",), with_absent_answers),
}


def four_heads(seed: int) -> dict:
    """The score (percent) on test rows of every head, way and number of labels; with few
    labels the errors by kind, another body, and the variants."""
    found = {"score": {}, "wrong": {}, "other body": {}} | {variant: {} for variant in _VARIANTS}
    for name in TASKS:
        task = load_task(name, seed=seed, sizes=_SIZES)
        found["score"][name], found["wrong"][name] = {}, {}
        for way, pretrained in WAYS.items():
            models = {
                labels: learn(task, labels, pretrained, seed, validated=True) for labels in LABELS
            }
            found["score"][name][way] = {
                str(labels): _score(task, learned) for labels, learned in models.items()
            }
            found["wrong"][name][way] = _wrong(task, models[FEW])
        if name in OTHER_TASKS:
            found["other body"][name] = _few(task, seed, OTHER_BODY)
        for variant, (names, change) in _VARIANTS.items():
            if name in names:
                found[variant][name] = _few(change(task, seed=seed), seed)
    return found


def _score(task: Task, learned: Learned) -> float:
    return learned.score(task.data[TEST])


def _wrong(task: Task, learned: Learned) -> dict[str, float]:
    rows = list(task.data[TEST])
    return errors_by_kind(learned.head, rows, learned.predict(rows))["wrong (%)"].to_dict()


def _few(task: Task, seed: int, body: str = BODY) -> dict[str, float]:
    return {
        way: _score(task, learn(task, FEW, pretrained, seed, validated=True, name=body))
        for way, pretrained in WAYS.items()
    }


def gaps(values: Sequence[dict], task: str, part: str = "score", labels: int = FEW) -> list[float]:
    """Pretrained minus from scratch, in points, one a seed.

    Args:
        values: of the study's record.
        part: ``"score"``, or what was measured with few labels: ``"other body"``, ``"new words"``,
            ``"absent answers"``.
        labels: how many (for ``"score"``).
    """
    ends = [
        [v[part][task][way][str(labels)] if part == "score" else v[part][task][way] for way in WAYS]
        for v in values
    ]
    return [pretrained - scratch for pretrained, scratch in ends]


STUDIES = (Study("heads", 1, (BODY, OTHER_BODY), (0, 1, 2), four_heads),)

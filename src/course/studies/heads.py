"""The study of chapter 2: four heads on a pretrained body and from scratch, by the number of
labels.
"""

from collections.abc import Callable
from functools import partial

import pandas as pd

from course.heads import TASKS, errors_by_kind, learn, with_absent_answers, with_new_words
from course.heads.learning import BODY, EFFORTS, Learned
from course.studies.claims import Claim, Varies, fails, undecided
from course.studies.records import Row, Study
from course.studies.verdicts import MoreThan
from course.tasks.registry import Task, load_task
from course.world.split import TEST, TRAIN, VALIDATION

#: Numbers of labels, and the one at which the rest is measured.
LABELS = tuple(effort.labels for effort in EFFORTS)
FEW = 100
#: The two ways to get a body.
WAYS = {"pretrained": True, "scratch": False}
_SIZES = {TRAIN: max(LABELS), VALIDATION: 100, TEST: 300}
#: A body that read the same text as :data:`BODY` and was trained on the next word; its heads are
#: for texts.
OTHER_BODY, OTHER_TASKS = "gpt-middle", ("sentiment", "inference")
#: What more is measured with few labels: name -> (its tasks, what changes in a task).
_VARIANTS: dict[str, tuple[tuple[str, ...], Callable[..., Task]]] = {
    "new words": (TASKS, with_new_words),
    "absent answers": (("extraction",), with_absent_answers),
}


def four_heads(seed: int) -> list[Row]:
    """Scores on test rows of every head, way and number of labels; with few labels more.

    Returns:
        Rows with ``task``, ``way`` (``"pretrained"`` or ``"scratch"``), ``labels`` and ``value`` in
        percent. The part ``"score"`` is the head's own measure for all numbers of labels;
        ``"wrong"`` the share of errors of each ``kind`` of case, ``"other body"``, ``"new words"``
        and ``"absent answers"`` the score under that change, all with few labels.
    """
    rows: list[Row] = []
    for name in TASKS:
        task = load_task(name, seed=seed, sizes=_SIZES)
        for way in WAYS:
            rows += _by_labels(task, way, seed)
        if name in OTHER_TASKS:
            rows += _few("other body", task, seed, OTHER_BODY)
        for variant, (names, change) in _VARIANTS.items():
            if name in names:
                rows += _few(variant, change(task, seed=seed), seed)
    return rows


def _by_labels(task: Task, way: str, seed: int) -> list[Row]:
    """One task and way: the score by the number of labels, and with few the errors by kind."""
    rows: list[Row] = []
    for labels in LABELS:
        learned = learn(task, labels, WAYS[way], seed, validated=True)
        shared: Row = {"task": task.name, "way": way, "labels": labels}
        rows.append({"part": "score"} | shared | {"value": learned.score(task.data[TEST])})
        if labels == FEW:
            rows += [
                {"part": "wrong"} | shared | {"kind": kind, "value": value}
                for kind, value in _wrong(task, learned).items()
            ]
    return rows


def _wrong(task: Task, learned: Learned) -> dict[str, float]:
    rows = list(task.data[TEST])
    return errors_by_kind(learned.head, rows, learned.predict(rows))["wrong (%)"].to_dict()


def _few(part: str, task: Task, seed: int, body: str = BODY) -> list[Row]:
    """The scores of a task with few labels, either way."""
    rows: list[Row] = []
    for way, pretrained in WAYS.items():
        learned = learn(task, FEW, pretrained, seed, validated=True, name=body)
        value = learned.score(task.data[TEST])
        rows.append({"part": part, "task": task.name, "way": way, "labels": FEW, "value": value})
    return rows


def gaps(table: pd.DataFrame, task: str, part: str = "score", labels: int = FEW) -> pd.Series:
    """Pretrained minus from scratch, in points, one a seed.

    Args:
        table: of the study ``heads``.
        part: ``"score"``, or what was measured with few labels: ``"other body"``, ``"new words"``,
            ``"absent answers"``.
        labels: how many (for ``"score"``).
    """
    chosen = table[(table["part"] == part) & (table["task"] == task) & (table["labels"] == labels)]
    wide = chosen.pivot(index="seed", columns="way", values="value")
    return wide["pretrained"] - wide["scratch"]


def shrinkage(table: pd.DataFrame, task: str) -> pd.Series:
    """By how much the gap is smaller with the most labels than with few, in points, one a seed."""
    return gaps(table, task) - gaps(table, task, labels=max(LABELS))


def mean_gaps(table: pd.DataFrame, parts: dict[str, str]) -> pd.DataFrame:
    """Mean of :func:`gaps` with few labels: tasks (rows), title -> part (columns); NaN where a part
    was not measured.
    """
    few = table[table["labels"] == FEW].pivot_table(
        index="task", columns=["part", "way"], values="value"
    )
    gap = few.xs("pretrained", axis=1, level="way") - few.xs("scratch", axis=1, level="way")
    return gap.loc[list(TASKS), list(parts.values())].set_axis(list(parts), axis=1)


def mean_scores(table: pd.DataFrame, part: str) -> pd.Series:
    """Mean score (percent) of each way in one part, over tasks and seeds."""
    return table[table["part"] == part].groupby("way", sort=False)["value"].mean()


STUDY = Study("heads", 1, (BODY, OTHER_BODY), (0, 1, 2), four_heads)
STUDIES = (STUDY,)

_VARIES = (Varies.ITEMS, Varies.TRAINING)

_LEVEL = fails("with a hundred labels the two bodies are nearly level")
_SCATTER = undecided("three seeds scatter by more than the difference")
_WIDE = undecided("the mean is above the threshold, but three seeds scatter")
#: Claim -> task -> its outcome, where it is not that it holds.
_OUTCOMES = {
    "2a": {"sentiment": _SCATTER, "inference": _LEVEL, "entities": _LEVEL},
    "2b": dict.fromkeys(("sentiment", "inference", "entities"), _SCATTER),
    "2c": {"sentiment": _WIDE, "inference": _SCATTER, "extraction": _WIDE},
}

CLAIMS = (
    *(
        Claim(
            "2a",
            f"{task}, 100 labels: a pretrained body beats a fresh one.",
            MoreThan(15),
            "devlin2019bert",
            _VARIES,
            studies=STUDIES,
            values=partial(gaps, task=task),
            **_OUTCOMES["2a"].get(task, {}),
        )
        for task in TASKS
    ),
    *(
        Claim(
            "2b",
            f"{task}: with 10,000 labels the gap is smaller than with 100.",
            MoreThan(0),
            "devlin2019bert",
            _VARIES,
            studies=STUDIES,
            values=partial(shrinkage, task=task),
            **_OUTCOMES["2b"].get(task, {}),
        )
        for task in TASKS
    ),
    *(
        Claim(
            "2c",
            f"{task}, 100 labels, words that no label showed: a pretrained body beats a fresh one.",
            MoreThan(15),
            "devlin2019bert",
            _VARIES,
            studies=STUDIES,
            values=partial(gaps, task=task, part="new words"),
            exploratory=True,
            **_OUTCOMES["2c"].get(task, {}),
        )
        for task in TASKS
    ),
    Claim(
        "2d",
        "sentiment, 100 labels, on a GPT: a pretrained body beats a fresh one.",
        MoreThan(15),
        "radford2018improving",
        _VARIES,
        studies=STUDIES,
        exploratory=True,
        values=partial(gaps, task="sentiment", part="other body"),
        **_WIDE,
    ),
)

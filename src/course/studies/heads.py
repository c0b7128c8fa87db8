"""Studies of chapter 2: heads on pretrained bodies and on a fresh one, by the number of labels.

Costs as measured on one GPU shared by sixteen processes, seeds x seconds: heads-rates 1 x 231,
heads 5 x 751. A part of heads and heads-few, 2 x 180, ran on one core.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from course.foundation.intervals import Crossed
from course.heads import (
    TASKS,
    errors_by_kind,
    head_for,
    learn,
    with_absent_answers,
    with_new_words,
)
from course.heads.learning import BODY, UNTIL_LEVEL, Learned, effort
from course.studies.bodies import BERTS, GPTS
from course.studies.claims import Claim, MoreThan, Varies, undecided
from course.studies.records import Row, Study, read_record
from course.studies.tables import best_setting, where
from course.tasks.registry import Task, load_task
from course.world import inference
from course.world.lexicon import FIRST_NAMES, ROOMS
from course.world.split import TEST, TRAIN, VALIDATION

#: Task -> numbers of labels, evenly spread on a logarithmic axis. Whether a claim follows takes
#: more labels than the rest.
LABELS = dict.fromkeys(TASKS, (10, 100, 1000)) | {"inference": (30, 300, 3000)}
#: The number of labels at which a closer look is taken.
FEW = 100
#: The two ways to get a body.
WAYS = {"pretrained": True, "scratch": False}
#: The name of a body without pretraining in the column ``model``.
FRESH = "fresh"
_SIZES = {TRAIN: max(map(max, LABELS.values())), VALIDATION: 100, TEST: 300}
#: A body that read the same text as :data:`BODY` and was trained on the next word; its heads are
#: for texts.
OTHER_BODY, OTHER_TASKS = GPTS[0], ("sentiment", "inference")
#: What both ways try to multiply the usual peak learning rates by, at the middle number of labels.
FACTORS = (1 / 3, 1.0, 3.0)
#: What more is measured with few labels: name -> (its tasks, what changes in a task).
_VARIANTS: dict[str, tuple[tuple[str, ...], Callable[..., Task]]] = {
    "new words": (TASKS, with_new_words),
    "absent answers": (("extraction",), with_absent_answers),
}


def _learn(
    task: Task, labels: int, way: str, factor: float, seed: int, name: str = BODY
) -> Learned:
    """A head that was trained until its validation score stayed where it is.

    Args:
        factor: of the usual learning rate.
    """
    usual = effort(labels, UNTIL_LEVEL).learning_rate(head_for(task))
    return learn(
        task,
        labels,
        WAYS[way],
        seed,
        validated=True,
        name=name,
        efforts=UNTIL_LEVEL,
        learning_rate=factor * usual,
    )


def rates(seed: int) -> list[Row]:
    """Validation scores by learning rate, for each task and way with as many tries.

    Returns:
        Rows with ``body`` (of the architecture), ``task``, ``way``, ``factor`` (of the usual rate)
        and ``value``, the best validation score in percent.
    """
    rows: list[Row] = []
    for body, names in ((BODY, TASKS), (OTHER_BODY, OTHER_TASKS)):
        for name in names:
            task = load_task(name, seed=seed, sizes=_SIZES)
            held_out = task.data[VALIDATION]
            for way, factor in product(WAYS, FACTORS):
                value = _learn(task, LABELS[name][1], way, factor, seed, body).score(held_out)
                tried: Row = {"body": body, "task": name, "way": way, "factor": factor}
                rows.append(tried | {"value": value})
    return rows


def chosen_factor(table: pd.DataFrame, body: str, task: str, way: str) -> float:
    """The factor of the learning rate with the best validation score; of equals the smallest.

    Args:
        table: of the study ``heads-rates``.
    """
    return best_setting(where(table, body=body, task=task, way=way), "factor")


def by_labels(seed: int) -> list[Row]:
    """Scores on test rows of every head on every body, by the number of labels, and what a cheat
    reaches.

    Returns:
        Rows with ``part``, ``task``, ``model`` and ``value`` in percent. The part ``"score"`` (of
        the BERTs) and ``"other body"`` (of a GPT) have ``way`` and ``labels``; a fresh body is the
        same for all bodies of its architecture. The part ``"baseline"`` has ``rule``.
    """
    tried = read_record(HEAD_RATES).table()
    rows: list[Row] = []
    for name in TASKS:
        task = load_task(name, seed=seed, sizes=_SIZES)
        rows += [
            {"part": "baseline", "task": name, "rule": rule, "value": value}
            for rule, value in baselines(task).items()
        ]
        rows += _curves("score", task, BERTS, BODY, tried, seed)
        if name in OTHER_TASKS:
            rows += _curves("other body", task, (OTHER_BODY,), OTHER_BODY, tried, seed)
    return rows


def _curves(
    part: str, task: Task, bodies: tuple[str, ...], kind: str, tried: pd.DataFrame, seed: int
) -> list[Row]:
    """The score by the number of labels on each pretrained body, and on a fresh one."""
    rows: list[Row] = []
    for model in (*bodies, FRESH):
        way = "scratch" if model == FRESH else "pretrained"
        factor = chosen_factor(tried, kind, task.name, way)
        for labels in LABELS[task.name]:
            learned = _learn(task, labels, way, factor, seed, kind if model == FRESH else model)
            shared: Row = {"part": part, "task": task.name, "model": model, "way": way}
            rows.append(shared | {"labels": labels, "value": learned.score(task.data[TEST])})
    return rows


def baselines(task: Task) -> dict[str, float]:
    """What a reader reaches on test rows who takes the commonest label, reads the claim alone, or
    names any room (any person) of the story: rule -> percent.
    """
    rows = list(task.data[TEST])
    if task.name == "extraction":
        return {"any room or name of the story": 100 * float(np.mean([_guess(r) for r in rows]))}
    if task.name == "entities":
        return {"no entity at all": 0.0}
    counts = Counter(row["label"] for row in rows)
    rules = {"majority": 100 * max(counts.values()) / len(rows)}
    if task.name == "inference":
        pairs = [(r["premise"], r["hypothesis"], inference.LABELS[r["label"]]) for r in rows]
        form = inference.best_rule(pairs, lambda premise, claim: inference.form_of(claim))
        rules["claim alone"] = 100 * form
    return rules


def _guess(row: dict) -> float:
    """The chance that a word of the right kind, drawn from the story, is the answer."""
    kind = ROOMS if row["question"].startswith("where") else FIRST_NAMES
    return 1 / len({word for word in row["context"].split() if word in kind})


def with_few(seed: int) -> list[Row]:
    """A closer look at :data:`FEW` labels, either way, on one body.

    Returns:
        Rows with ``part``, ``task``, ``way``, ``labels`` and ``value`` in percent: ``"wrong"`` is
        the share of errors of each ``kind`` of case, ``"few"`` the score, ``"new words"`` and
        ``"absent answers"`` the score under that change.
    """
    tried = read_record(HEAD_RATES).table()
    rows: list[Row] = []
    for name in TASKS:
        task = load_task(name, seed=seed, sizes=_SIZES)
        changed = {"few": task} | {
            part: change(task, seed=seed)
            for part, (names, change) in _VARIANTS.items()
            if name in names
        }
        for part, data in changed.items():
            for way in WAYS:
                learned = _learn(data, FEW, way, chosen_factor(tried, BODY, name, way), seed)
                shared: Row = {"task": name, "way": way, "labels": FEW}
                value = learned.score(data.data[TEST])
                rows.append({"part": part} | shared | {"value": value})
                if part == "few":
                    rows += [
                        {"part": "wrong"} | shared | {"kind": kind, "value": share}
                        for kind, share in _wrong(data, learned).items()
                    ]
    return rows


def _wrong(task: Task, learned: Learned) -> dict[str, float]:
    rows = list(task.data[TEST])
    return errors_by_kind(learned.head, rows, learned.predict(rows))["wrong (%)"].to_dict()


def areas(table: pd.DataFrame, task: str, model: str, part: str = "score") -> np.ndarray:
    """The mean score over the logarithm of the number of labels, from the fewest to the most: the
    area under the curve, in percent, (seeds,).

    Args:
        table: of the study ``heads``.
        model: a body, or :data:`FRESH`.
    """
    rows = where(table, part=part, task=task, model=model)
    scores = rows.pivot(index="seed", columns="labels", values="value")
    axis = np.log([float(labels) for labels in scores.columns])
    return np.trapezoid(scores.to_numpy(), axis, axis=1) / (axis[-1] - axis[0])


def saved(table: pd.DataFrame, task: str) -> Crossed:
    """The area under the curve of each pretrained BERT minus that of a fresh one, in points."""
    pretrained = np.stack([areas(table, task, body) for body in BERTS])  # (bodies, seeds)
    return Crossed(pretrained - areas(table, task, FRESH))


def saved_on_gpt(table: pd.DataFrame) -> np.ndarray:
    """The same for the GPT, the mean of its tasks: points, one a seed."""
    gaps = [
        areas(table, task, OTHER_BODY, "other body") - areas(table, task, FRESH, "other body")
        for task in OTHER_TASKS
    ]
    return np.mean(gaps, axis=0)


def labels_needed(table: pd.DataFrame, target: float = 90.0) -> pd.DataFrame:
    """The number of labels at which the mean score first reaches a target, interpolated on the
    logarithmic axis; NaN where the most labels are not enough. Rows: tasks. Columns: ways, and
    those of the GPT.
    """
    found: dict[str, dict[str, float]] = {}
    for part, suffix in (("score", ""), ("other body", ", GPT")):
        for (task, way), rows in where(table, part=part).groupby(["task", "way"], sort=False):
            mean = rows.groupby("labels")["value"].mean()
            found.setdefault(f"{way}{suffix}", {})[task] = _first(mean, target)
    return pd.DataFrame(found).loc[list(TASKS)]


def _first(scores: pd.Series, target: float) -> float:
    labels, values = np.log(scores.index.to_numpy(float)), scores.to_numpy()
    reached = np.flatnonzero(values >= target)
    if not len(reached):
        return float("nan")
    at = int(reached[0])
    if at == 0:
        return float(scores.index[0])
    share = (target - values[at - 1]) / (values[at] - values[at - 1])
    return float(np.exp(labels[at - 1] + share * (labels[at] - labels[at - 1])))


def mean_gaps(table: pd.DataFrame, parts: dict[str, str]) -> pd.DataFrame:
    """Pretrained minus from scratch with few labels, in points, means over the seeds: tasks (rows),
    title -> part (columns); NaN where a part was not measured.

    Args:
        table: of the study ``heads-few``.
    """
    few = table.pivot_table(index="task", columns=["part", "way"], values="value")
    gap = few.xs("pretrained", axis=1, level="way") - few.xs("scratch", axis=1, level="way")
    return gap.loc[list(TASKS), list(parts.values())].set_axis(list(parts), axis=1)


def mean_scores(table: pd.DataFrame, part: str) -> pd.Series:
    """Mean score (percent) of each way in one part, over tasks and seeds."""
    return where(table, part=part).groupby("way", sort=False)["value"].mean()


def cheats(table: pd.DataFrame, task: str) -> dict[str, float]:
    """What the rules of :func:`baselines` reach on a task: rule -> percent, mean over the seeds."""
    return where(table, part="baseline", task=task).groupby("rule")["value"].mean().to_dict()


#: Rule of :func:`baselines` -> what it is called where there is little room.
_SHORT = {"majority": "most common label", "any room or name of the story": "any name or room"}


def best_cheats(table: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Task -> the best of these rules, as a figure calls it, and what it reaches in percent;
    without entities, of which who finds none has none right.
    """
    best = {task: max(cheats(table, task).items(), key=lambda rule: rule[1]) for task in TASKS}
    return {task: (_SHORT.get(rule, rule), value) for task, (rule, value) in best.items() if value}


HEAD_RATES = Study("heads-rates", 1, (BODY, OTHER_BODY), (100,), rates)
STUDY = Study("heads", 2, (*BERTS, OTHER_BODY), (0, 1, 2, 3, 4), by_labels)
WITH_FEW = Study("heads-few", 1, (BODY,), (0, 1, 2, 3, 4), with_few)
STUDIES = (HEAD_RATES, STUDY, WITH_FEW)

_NOT_AHEAD = {
    "inference": undecided(
        "the pretrained BERTs themselves judge two sentences hardly better than one of them tells"
        " (gates of the model card), so there is little that could save labels"
    )
}
CLAIMS = (
    *(
        Claim(
            "2",
            f"{task}: over all numbers of labels a pretrained body is ahead of a fresh one.",
            MoreThan(0),
            "devlin2019bert",
            (Varies.ITEMS, Varies.TRAINING, Varies.PRETRAINING),
            studies=(STUDY,),
            values=lambda table, task=task: saved(table, task),
            baselines=lambda table, task=task: cheats(table, task),
            **_NOT_AHEAD.get(task, {}),
        )
        for task in TASKS
    ),
    Claim(
        "2",
        "Texts, on a GPT: over all numbers of labels a pretrained body is ahead of a fresh one.",
        MoreThan(0),
        "radford2018improving",
        (Varies.ITEMS, Varies.TRAINING),
        studies=(STUDY,),
        values=saved_on_gpt,
        baselines=lambda table: {
            f"{task}, {rule}": value
            for task in OTHER_TASKS
            for rule, value in cheats(table, task).items()
        },
    ),
)

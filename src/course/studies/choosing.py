"""Study of chapter 8: which method, with how many labels? Prompting, soft prompts, LoRA, a head and
TF-IDF on three tasks of the micro-world, with their cost, and whether the advice of ``course
compare`` is right. What is read off stands in :mod:`course.studies.choosing_tables`, the claims in
:mod:`course.studies.choosing_claims`.

Every method is run as ``course compare`` runs it: settings are chosen on a quarter of its own
labels, up to four of them, and the test items are answered once. To keep it short, the learning
rates of what trains are chosen once, by the same trials, on rows that the study has not (the study
``choosing-rates``). Two of the tasks have labels and one free answers. The prompted model is the
tuned one, so it knows two of the tasks from its tuning; of the third, topics whose names are
exchanged, nobody has told it.

What counts as right advice was changed after three seeds had been seen. At first "cannot tell"
named every method that may be better than the best one by more than two points, and was right if
all of these were within two points of each other; with that rule the advice was right on 58 % of
36 small tables. Now it names as about as good those that measured within two points of the best,
and is right if each of them is within two points of the best of all (:mod:`course.studies.advice`).
The seeds of :data:`FRESH_SEEDS` were measured after that.

Costs as measured on one core of a busy machine, seeds x seconds: choosing-rates 1 x 74,
choosing 5 x 470.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from course.compare.base import Method, Setting, choose_setting
from course.compare.bodies import ENCODER_ROLE, PROMPTED_ROLE, Bench, ModelChoice
from course.compare.cells import Cell, CellResult, measure
from course.compare.preparation import Prepared
from course.compare.registry import METHODS
from course.compare.task import Item, TableTask
from course.foundation.rng import Rng
from course.studies.advice import as_row, judged, on_part
from course.studies.records import Row, Study, read_record
from course.studies.tables import where
from course.tasks.registry import load_task
from course.tasks.task import Task
from course.world import inference
from course.world.split import TEST, TRAIN

#: Numbers of labels, evenly spread on a logarithmic axis.
LABELS = (8, 32, 128, 512)
#: With how many of them the learning rates are chosen.
RATE_LABELS = 128
#: The methods, prompts first; a task of free answers has no heads and no calibration.
NAMES = (
    "majority",
    "tfidf",
    "zero-shot",
    "few-shot",
    "few-shot-calibrated",
    "head",
    "lora",
    "soft-prompt",
    "lora-generator",
)
#: Test items on which the advice rests, as a user's would, and others that judge it.
ASKED, JUDGING = 100, 1000
#: Seeds that nobody had seen when the rule by which the advice is judged was last changed.
FRESH_SEEDS = (3, 4)
EXCHANGED = "exchanged topics"
#: Task -> the task of the micro-world that it is made of.
TASKS = {
    EXCHANGED: "topic",
    "inference": "inference",
    "translation": "from_torvish",
}
#: A task of the studies of :mod:`course.studies.choosing_bodies`.
THIRD_WORD = "third word"
#: Those with labels, which a head can answer.
WITH_LABELS = (EXCHANGED, "inference")
#: Of exchanged topics the usual instruction would be wrong.
_EXCHANGED_INSTRUCTION = "say which kind it is : food , film , hotel or book ."
#: What stands between premise and claim.
_CLAIM = " \n claim : "
#: More rows than labels, as the same text may be drawn twice.
_SPARE = 1.3


@dataclass(frozen=True)
class Question:
    """A task as a user of ``course compare`` has it.

    Attributes:
        name: a key of :data:`TASKS`, or :data:`THIRD_WORD`.
        data: the items, with those that only judge at the end of the test items.
        cheats: rule -> what it reaches on the test items, in percent.
    """

    name: str
    data: Prepared
    cheats: dict[str, float]


def question(name: str, seed: int, tested: int | None = None) -> Question:
    """One of :data:`TASKS`, or :data:`THIRD_WORD`, with items of its own for each seed.

    Args:
        tested: test items (default: those that the advice rests on, and those that judge).
    """
    tested = ASKED + JUDGING if tested is None else tested
    sizes = {TRAIN: int(_SPARE * LABELS[-1]), TEST: int(_SPARE * tested)}
    source = TASKS.get(name, "third_word")
    task = load_task(source, seed=seed, sizes=sizes, wanted_tier="tiny")
    names, instruction = _names(task, seed if name == EXCHANGED else None), task.instructions[0]
    if name == EXCHANGED:
        instruction = _EXCHANGED_INSTRUCTION
    kind = "labels" if task.labels else "answers"
    labels = tuple(sorted(task.labels))
    table_task = TableTask(kind, labels, ("text",), "answer", None, instruction)
    train = _items(task, TRAIN, names, LABELS[-1])
    test = _items(task, TEST, names, tested)
    data = Prepared(table_task, train, test, (), "the micro-world")
    return Question(name, data, cheats(name, data))


def _names(task: Task, seed: int | None) -> dict[str, str]:
    """Label -> the name that it has here; with a seed, each has the name of another one."""
    labels = list(task.labels)
    shift = 0 if seed is None else 1 + Rng(f"exchanged/{seed}").randrange(len(labels) - 1)
    return dict(zip(labels, labels[shift:] + labels[:shift], strict=True))


def _items(task: Task, split: str, names: dict[str, str], count: int) -> tuple[Item, ...]:
    """``count`` different texts with their answers."""
    answers = {e.input: names.get(e.output, e.output) for e in task.examples(split)}
    rows = [Item(text, answer, (), (text,)) for text, answer in answers.items()][:count]
    if len(rows) < count:
        raise ValueError(f"{task.name}: {len(rows)} different {split} rows, expected {count}")
    return tuple(replace(row, row=number) for number, row in enumerate(rows, 1))


def cheats(name: str, data: Prepared) -> dict[str, float]:
    """What is reached on the test items by who reads the claim alone (inference) or believes the
    names (exchanged topics): rule -> percent.
    """
    test = data.test
    if name == "inference":
        cut = [(item.text.partition(_CLAIM), item.answer) for item in test]
        pairs = [(premise, claim, answer) for (premise, _, claim), answer in cut]
        return {"claim alone": 100 * inference.best_rule(pairs, lambda _, c: inference.form_of(c))}
    return {"the name as it is": 0.0} if name == EXCHANGED else {}


def methods_for(data: Prepared, names: Sequence[str] = NAMES) -> list[Method]:
    """Those of some methods that can do a task."""
    return [METHODS[name] for name in names if data.task.kind in METHODS[name].kinds]


def rates(seed: int) -> list[Row]:
    """The learning rate of each method that trains, chosen as ``course compare`` chooses it.

    Returns:
        Rows with ``task``, ``method`` and ``value``, the rate.
    """
    rows: list[Row] = []
    for name in TASKS:
        data = question(name, seed).data
        bench, items = Bench(data.task, ModelChoice()), data.subset(RATE_LABELS, seed)
        for method in filter(_trains, methods_for(data)):
            setting, _, _ = choose_setting(method, bench, items, seed)
            rows.append({"task": name, "method": method.name, "value": setting["learning_rate"]})
    return rows


def _trains(method: Method) -> bool:
    return method.iterative


def chosen(tried: pd.DataFrame, task: str, method: Method) -> Setting | None:
    """The setting of a method that trains, from the table of ``choosing-rates``; None for another
    one, which chooses among its settings itself.
    """
    if not _trains(method):
        return None
    return {"learning_rate": float(where(tried, task=task, method=method.name)["value"].item())}


def choosing(seed: int) -> list[Row]:
    """Every method on every task by the number of labels.

    Returns:
        Rows with ``part``, ``task`` and ``value``. The part ``"score"`` (percent of all test items)
        has ``method`` and ``labels`` (0 for none), and what it costs: ``learn s``, ``ms a query``,
        ``tokens a query`` (read), ``trained`` (tokens of training) and ``bytes`` (kept). The part
        ``"cheat"`` has ``rule``. The part ``"advice"`` has ``labels`` and what
        :func:`course.studies.advice.as_row` returns.
    """
    tried = read_record(RATES).table()
    rows: list[Row] = []
    for name in TASKS:
        asked = question(name, seed)
        for rule, value in asked.cheats.items():
            rows.append({"part": "cheat", "task": name, "rule": rule, "value": value})
        bench, setting = Bench(asked.data.task, ModelChoice()), partial(chosen, tried, name)
        cells = measured(bench, asked.data, seed, methods_for(asked.data), setting)
        scored: Row = {"part": "score", "task": name}
        rows += [scored | score_row(cell, asked.data) for cell in cells]
        for labels in LABELS:
            given: Row = {"part": "advice", "task": name, "labels": labels}
            rows.append(given | advice_row(asked.data, cells, labels))
    return rows


def measured(
    bench: Bench,
    data: Prepared,
    seed: int,
    methods: Iterable[Method],
    setting: Callable[[Method], Setting | None],
    most_labels: Mapping[str, int] | None = None,
) -> list[CellResult]:
    """Methods at all numbers of labels.

    Args:
        setting: of a method; None if it is to choose one by its labels.
        most_labels: method -> how many it learns from at most (default: the most of all).
    """
    most = most_labels or {}
    return [
        measure(Cell(method.name, size, seed), bench, data, None, setting(method))
        for method in methods
        for size in (LABELS if method.uses_labels else (0,))
        if size <= most.get(method.name, LABELS[-1])
    ]


def score_row(cell: CellResult, data: Prepared) -> Row:
    """A cell's score, in percent of the test items, and what it costs."""
    items = len(data.test)
    return {
        "method": cell.method,
        "labels": cell.size,
        "value": float(data.task.scores(data.test, cell.predictions).mean()),
        "learn s": round(cell.learn_seconds, 3),
        "ms a query": round(1000 * cell.query_seconds / items, 3),
        "tokens a query": round(cell.query.read / items, 1),
        "trained": round(cell.learning.trained),
        "bytes": cell.bytes,
    }


def advice_row(data: Prepared, cells: Sequence[CellResult], labels: int) -> Row:
    """The advice with some labels from the first test items, judged by the others."""
    given, judging = (
        on_part(data, cells, labels, part) for part in (slice(ASKED), slice(ASKED, len(data.test)))
    )
    return as_row(judged(given, judging))


RATES = Study("choosing-rates", 1, (PROMPTED_ROLE, ENCODER_ROLE), (100,), rates)
STUDY = Study("choosing", 2, (PROMPTED_ROLE, ENCODER_ROLE), (0, 1, 2, 3, 4), choosing)
STUDIES = (RATES, STUDY)

"""Blind check of the advice of ``course compare`` on real models: small tables of film reviews and
of pairs of SNLI, judged by a thousand other rows (chapter 8).

Cost, seeds x seconds of a busy core: advice 5 x 296.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from course.compare.base import Method, choose_setting
from course.compare.bodies import ENCODER_ROLE, PROMPTED_ROLE, Bench, ModelChoice
from course.compare.cells import CellResult
from course.compare.metering import Work
from course.compare.preparation import Prepared, prepare
from course.compare.reading import read_table
from course.compare.registry import METHODS
from course.compare.splits import normalised
from course.compare.task import Item
from course.foundation.rng import Rng
from course.models.hub import tier
from course.studies.advice import as_row, judged, on_part
from course.studies.on_real_models.questions import PRECISION
from course.studies.real_study import RealStudy
from course.studies.records import Row
from course.tasks.registry import load_task
from course.world.split import TEST, TRAIN

#: Task -> the columns that are read.
TABLES = {"sentiment": ("sentence",), "inference": ("premise", "hypothesis")}
#: Rows of a small table, a third of which its user tests on, and rows that judge.
ROWS, JUDGING = 480, 1000
#: The methods that are compared: the default's screen.
SCREEN = tuple(name for name, method in METHODS.items() if method.in_screen)


def real_advice(seed: int) -> list[Row]:
    """The advice on a small table of each task, judged by a thousand other rows.

    The methods are those of the default's screen. What is not prompted chooses its setting as
    ``course compare`` does; a prompt has the usual eight demonstrations.

    Args:
        seed: which small table is drawn; the rows that judge are the same for all.

    Returns:
        Rows with ``task``, ``part`` and ``value``. The part ``"score"`` (percent of the rows that
        judge) and the part ``"asked"`` (of the small table's own test items) have ``method``. The
        part ``"advice"`` has what :func:`as_row` returns.
    """
    rows: list[Row] = []
    for name in TABLES:
        data, fresh = small_table(name, f"advice/{name}/{seed}", ROWS), _judges(name)
        cells = [_both(METHODS[method], _bench(name), data, fresh) for method in SCREEN]
        whole = replace(data, test=(*data.test, *fresh))
        count, labels = len(data.test), len(data.train)
        parts = {"asked": slice(count), "score": slice(count, len(whole.test))}
        results = {part: on_part(whole, cells, labels, own) for part, own in parts.items()}
        for part, result in results.items():
            for cell in cells:
                value = result.score(cell.method).mean
                rows.append({"task": name, "part": part, "method": cell.method, "value": value})
        given: Row = {"task": name, "part": "advice"}
        rows.append(given | as_row(judged(*results.values())))
    return rows


@lru_cache(maxsize=len(TABLES))
def _rows(name: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(rows to draw small tables from, rows that judge), no text in both."""
    columns = (*TABLES[name], "label")
    task = load_task(name, seed=0, sizes={TRAIN: 10**6, TEST: 2 * JUDGING})
    pools = []
    for split in (TRAIN, TEST):
        names = task.data[split].features["label"].names
        read = [{**row, "label": names[row["label"]]} for row in task.data[split]]
        pools.append([{column: row[column] for column in columns} for row in read])
    texts = {_text(name, row): row for row in pools[1]}
    judges = dict(list(texts.items())[:JUDGING])
    if len(judges) < JUDGING:
        raise ValueError(f"{name}: {len(judges)} different test rows, expected {JUDGING}")
    return [row for row in pools[0] if _text(name, row) not in judges], [*judges.values()]


def _text(name: str, row: dict[str, str]) -> str:
    return normalised(" ".join(row[column] for column in TABLES[name]))


def small_table(name: str, draw: str, rows: int) -> Prepared:
    """What ``course compare`` makes of some rows of one of :data:`TABLES`, none of which judges.

    Args:
        draw: names the draw of the rows.
    """
    pool, _ = _rows(name)
    drawn = Rng(draw).sample(pool, min(rows, len(pool)))
    return prepare(read_table(drawn), TABLES[name], "label")


def _judges(name: str) -> tuple[Item, ...]:
    """The items that judge."""
    task = _bench(name).task
    return tuple(task.item(row, number) for number, row in enumerate(_rows(name)[1], 1))


@lru_cache(maxsize=len(TABLES))
def _bench(name: str) -> Bench:
    """The models; what has nothing to do with the small table is computed once for all of them."""
    return Bench(small_table(name, f"advice/{name}/0", ROWS).task, real_models())


def real_models() -> ModelChoice:
    """The models of the tier in force, in the precision of all studies of real models."""
    return ModelChoice(tier=tier(), precision=PRECISION)


def _both(method: Method, bench: Bench, data: Prepared, fresh: Sequence[Item]) -> CellResult:
    """A method that has learned from a small table, and its answers to that table's test items and
    to others.
    """
    items = data.subset(len(data.train), 0) if method.uses_labels else ()
    setting = method.settings(bench, len(items))[0]
    if method.uses_labels and method.body != "causal":
        setting, _, _ = choose_setting(method, bench, items, 0)
    predictor = method.learn(bench, items, setting, 0)
    started = time.perf_counter()
    own = predictor.predict(data.test)
    each = (time.perf_counter() - started) / len(data.test)
    answers = tuple(p.answer for p in (*own, *predictor.predict(fresh)))
    return CellResult(
        method.name, len(items), 0, setting, (), answers, (), 0.0, each * len(answers), Work(),
        Work(), 0, None,
    )  # fmt: skip


STUDIES = (
    RealStudy(
        "advice", 1, (PROMPTED_ROLE, ENCODER_ROLE), (0, 1, 2, 3, 4), real_advice, tuple(TABLES)
    ),
)

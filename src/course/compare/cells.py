"""Cells of the comparison: one method at one number of labels with one seed; measured, kept, and
read
again, so that a run that was stopped goes on.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from course.adapters.storage import stored_bytes
from course.compare.base import Method, Predictor, Trial, choose_setting, write_method
from course.compare.bodies import Bench
from course.compare.memory import peak_memory
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.registry import METHODS
from course.compare.task import Prediction
from course.foundation import atomic_folder, write_text

#: Raised whenever the way a cell is measured changes; cells that were kept before are then measured
#: anew.
VERSION = 2
#: Folders of a report: the measured cells, and what the methods have learned.
CELLS, LEARNED = "cells", "methods"


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        method: a key of :data:`course.compare.METHODS`.
        size: labelled items that it learns from; 0 for a method that learns from none.
        seed: which of them, and the chance in learning.
        phase: when its turn is.
    """

    method: str
    size: int
    seed: int
    phase: int = 0

    @property
    def name(self) -> str:
        return f"{self.method}-{self.size}-{self.seed}"


@dataclass(frozen=True)
class CellResult:
    """What was measured in a cell.

    Attributes:
        method, size, seed: of the cell.
        setting: what was chosen on held-out labels.
        trials: (setting, share of the training, score) of each trial.
        answers: of each test item; None for what could not be read.
        unread: a few of the texts that could not be read.
        learn_seconds, query_seconds: choosing and learning; answering all test items.
        learning, query: the work of both.
        bytes: on disk, of what was learned.
        peak_bytes: of main memory, of the whole process meanwhile; None where the system does not
            tell.
        sent: texts and characters that left the machine.
        peak_gpu_bytes: of the graphics processors' memory; None without one.
    """

    method: str
    size: int
    seed: int
    setting: dict[str, Any]
    trials: tuple[tuple[dict[str, Any], float, float], ...]
    answers: tuple[str | None, ...]
    unread: tuple[str, ...]
    learn_seconds: float
    query_seconds: float
    learning: Work
    query: Work
    bytes: int
    peak_bytes: int | None
    sent: tuple[int, int] = (0, 0)
    peak_gpu_bytes: int | None = None

    @property
    def predictions(self) -> list[Prediction]:
        return [Prediction(answer) for answer in self.answers]


def measure(
    cell: Cell, bench: Bench, data: Prepared, folder: Path | None, setting: dict[str, Any] | None
) -> CellResult:
    """Choose a setting, learn, and answer the test items, once.

    Args:
        folder: where what was learned is kept; None for nowhere.
        setting: chosen before, by the first seed; None to choose now.

    Raises:
        OutOfTime: if the time of the comparison is over.
    """
    method = METHODS[cell.method]
    items = data.subset(cell.size, cell.seed) if cell.size else ()
    sent = sent_so_far(method, bench)
    with peak_memory() as peak:
        _load(method, bench)
        started, work = time.perf_counter(), Work()
        trials: list[Trial] = []
        if setting is None:
            settings = method.settings(bench, len(items))
            setting = settings[0]
            if cell.size:
                setting, trials, work = choose_setting(method, bench, items, cell.seed)
        predictor = method.learn(bench, items, setting, cell.seed)
        learned, waited = predictor.work, predictor.remembered_seconds
        middle = time.perf_counter()
        predictions = predictor.predict(data.test)
        ended = time.perf_counter()
    more = predictor.remembered_seconds - waited
    return CellResult(
        cell.method,
        cell.size,
        cell.seed,
        setting,
        tuple((t.setting, t.share, t.score) for t in trials),
        tuple(p.answer for p in predictions),
        tuple(p.written[:200] for p in predictions if p.answer is None)[:5],
        middle - started + waited,
        ended - middle + more,
        work + learned,
        predictor.work - learned,
        keep(predictor, method, data, folder),
        peak.main,
        sent_since(sent, method, bench),
        peak.gpu,
    )


def _load(method: Method, bench: Bench) -> None:
    """Load the model that a method shares with others: that is no method's learning."""
    if method.body == "causal" and not method.iterative:
        bench.prompted  # noqa: B018
    elif method.body == "encoder" and not method.iterative:
        bench.body  # noqa: B018


def sent_so_far(method: Method, bench: Bench) -> tuple[int, int]:
    """Texts and characters that have left the machine for the methods with a served model."""
    return bench.served.sent if method.body == "served" else (0, 0)


def sent_since(before: tuple[int, int], method: Method, bench: Bench) -> tuple[int, int]:
    """The same since a moment."""
    texts, characters = sent_so_far(method, bench)
    return texts - before[0], characters - before[1]


def keep(predictor: Predictor, method: Method, data: Prepared, folder: Path | None) -> int:
    """Write what was learned into a folder of its own, whole or not at all; its bytes."""
    import tempfile

    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return keep(predictor, method, data, Path(temporary) / method.name)
    with atomic_folder(folder, _is_method, "a method that was kept") as new:
        write_method(new, method.name, data.task, predictor.save(new))
    return stored_bytes(folder)


def _is_method(folder: Path) -> bool:
    return (folder / "method.json").exists()


# cells on disk


def cell_file(cell: Cell, key: str) -> str:
    """The name of a cell's file: readable, and different for other data, models and settings."""
    text = json.dumps([VERSION, key, cell.method, cell.size, cell.seed])
    return f"{cell.name}-{blake2b(text.encode(), digest_size=6).hexdigest()}.json"


def store(result: CellResult, cell: Cell, key: str, folder: Path) -> None:
    """Keep a cell."""
    write_text(folder / CELLS / cell_file(cell, key), json.dumps(asdict(result)) + "\n")


def stored(cell: Cell, key: str, folder: Path, items: int) -> CellResult | None:
    """A cell that was kept; None if it was not.

    Raises:
        ValueError: if its file is damaged.
    """
    path = folder / CELLS / cell_file(cell, key)
    if not path.exists():
        return None
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        works = {name: Work(**read[name]) for name in ("learning", "query")}
        lists = {name: tuple(read[name]) for name in ("answers", "unread", "sent")}
        trials = tuple((s, share, score) for s, share, score in read["trials"])
        result = replace(CellResult(**{**read, **works, **lists, "trials": trials}))
        if (result.method, result.size, result.seed) != (cell.method, cell.size, cell.seed):
            raise ValueError("it is another cell's")
        if len(result.answers) != items:
            raise ValueError(f"{len(result.answers)} answers for {items} test items")
        return result
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}): expected a kept cell of a comparison; delete it, and "
            "it "
            "is measured anew"
        ) from error

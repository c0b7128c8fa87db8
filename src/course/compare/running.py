"""Run a comparison: ``compare(table, text="review", label="stars")``.

Each cell (a method, a number of labels, a seed) is kept as soon as it is measured, by the process
that asked for it; a run that was stopped goes on behind the last one. The clock stops what runs
when the budget is spent, and what is there by then is the (partial) result.
"""

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, delayed

from course.compare import cells as cells_
from course.compare.bodies import Bench, Served
from course.compare.cells import LEARNED, Cell, CellResult
from course.compare.costs import correction
from course.compare.job import Job, RunSettings, Say, prepared_job
from course.compare.metering import Deadline, OutOfTime
from course.compare.plan import BUDGET, seconds_of
from course.compare.privacy import Warned, personal_data
from course.compare.pruning import prune_learned
from course.compare.registry import METHODS
from course.compare.report_folder import MODELS_FILE
from course.compare.result import Comparison
from course.foundation import write_text
from course.lm.openai_api import EndpointError
from course.training.training_run import TrainingDiverged

#: Seconds below which nothing is said of a cell.
_SHORT = 2.0


def compare(
    table: Any,
    text: str | Sequence[str],
    label: str,
    methods: str | Sequence[str] | None = None,
    model: str | Path | None = None,
    encoder: str | Path | None = None,
    kind: str | None = None,
    template: str | None = None,
    instruction: str = "",
    test: Any = None,
    budget: str | float | None = BUDGET,
    out: str | Path | None = None,
    served: Served | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    say: Say | None = None,
    **settings: Any,
) -> Comparison:
    """Compare methods on a table of one's own: which one, with these labels, at what cost?

    >>> result = compare("reviews.csv", text="review", label="stars")   # doctest: +SKIP
    >>> result.best().sentences                                          # doctest: +SKIP

    Args:
        table: what :func:`course.compare.read_table` reads.
        text: the column that is read, or several: two are a pair, more take a ``template``.
        label: the column that is answered.
        methods: names of :data:`course.compare.METHODS` (default: a screen, and the others while
            the budget lasts).
        model: a tier (``tiny``, ``index``, ``hub``), the folder of a checkpoint, or a repository of
            the hub (default: the tier in force).
        encoder: another model under heads.
        kind: ``"labels"``, ``"answers"`` or ``"tags"`` (default: as the column looks).
        template: how several columns become one text, such as ``"{title}: {body}"``.
        instruction: what a prompted model is told.
        test: a table of its own with the test items (default: a part of ``table``).
        budget: ``"90s"``, ``"10m"``, ``"2h"`` or seconds; None for no end.
        out: the folder of the report, from which a run that was stopped goes on (default: none is
            written).
        served: a model behind an OpenAI-compatible endpoint; texts are sent to it.
        encoding, delimiter: of a text file.
        say: what tells how it goes, a line at a time (default: nobody).
        settings: further fields of :class:`RunSettings`: ``seeds``, ``sizes``, ``most_test``,
            ``jobs``, ``backend``, ``precision``.

    Returns:
        The :class:`Comparison`, partial if the budget did not suffice; it says what was not tried.

    Raises:
        ValueError: for a table, a column, a method or a setting that is not as expected; nothing
            was
            learned then.
    """
    started = time.monotonic()
    run = RunSettings(budget=seconds_of(budget), **settings)
    say = say or (lambda line: None)
    job = prepared_job(
        table, text, label, methods, model, encoder, kind, template, instruction, test, run, out,
        served, encoding, delimiter, say,
    )  # fmt: skip
    return run_job(job, run, Path(out) if out is not None else None, say, started)


def run_job(
    job: Job, run: RunSettings, out: Path | None, say: Say, started: float | None = None
) -> Comparison:
    """Measure the cells of a job in their order, as far as the budget goes.

    Args:
        started: when the budget began, on :func:`time.monotonic` (default: now).
    """
    warned = _warned(job, run, say)
    started = time.monotonic() if started is None else started
    end = None if run.budget is None else started + run.budget
    kept = tempfile.TemporaryDirectory() if out is None else None
    folder = Path(kept.name) if kept else out
    assert folder is not None
    write_text(folder / MODELS_FILE, json.dumps(asdict(job.choice), indent=1) + "\n")
    state = _State(job, folder, Deadline(end), say=say)
    so_far = partial(_comparison, state, warned, kept)
    first_seconds = None
    with _workers(run) as parallel:
        for phase in job.plan.phases():
            _run_phase(state, phase, parallel, run.jobs)
            if first_seconds is None:
                first_seconds = time.monotonic() - started
                _say_first(so_far(first_seconds, first_seconds), say)
    if pruned := prune_learned(folder, job.key, job.plan.sizes[-1]):
        say(f"removed what was learned with other models: {', '.join(pruned)}")
    return so_far(time.monotonic() - started, first_seconds)


def _comparison(
    state: "_State",
    warned: Warned | None,
    kept: tempfile.TemporaryDirectory | None,
    seconds: float,
    first_seconds: float | None,
) -> Comparison:
    """What has been measured."""
    job = state.job
    return Comparison(
        data=job.data,
        choice=job.choice,
        sizes=job.plan.sizes,
        cells=tuple(state.results.values()),
        left_out=state.left_out | job.obstacles,
        unfinished=tuple(state.unfinished),
        estimates=job.estimates,
        request=job.request,
        seconds=seconds,
        folder=state.folder,
        warned=warned,
        kept=kept,
        first_seconds=first_seconds,
        sent_in_vain=tuple(sum(f.sent[i] for f in state.failures) for i in (0, 1)),  # type: ignore[arg-type]
    )


def _say_first(result: Comparison, say: Say) -> None:
    """The advice of the first methods, while the others are measured."""
    if result.complete():
        say(f"first answer after {result.seconds:.0f} s: {' '.join(result.best().sentences[:2])}")


def _warned(job: Job, run: RunSettings, say: Say) -> Warned | None:
    """What is said before anything leaves the machine.

    Raises:
        ValueError: if texts look like personal data, and nobody said that they may be sent.
    """
    served = job.choice.served
    if served is None or not any(method.body == "served" for method in job.methods):
        return None
    found = personal_data([item.text for item in (*job.data.train, *job.data.test)])
    say(
        f"texts of the column{'s' if len(job.data.task.text) > 1 else ''} "
        f"{', '.join(job.data.task.text)} are sent to {served.name} at {served.base_url}; "
        f"{found.words}"
    )
    if found.count and not run.allow_personal:
        raise ValueError(
            f"{found.words}, and {served.base_url} would be sent them: take them out, leave the "
            "served "
            "methods out, or say that they may be sent with allow_personal=True (--allow-personal)"
        )
    return found


@dataclass(frozen=True)
class Failure:
    """A cell that was not measured to its end.

    Attributes:
        why: in words.
        sent: texts and characters that had left the machine by then.
    """

    why: str
    sent: tuple[int, int] = (0, 0)


@dataclass
class _State:
    """Where a run stands."""

    job: Job
    folder: Path
    deadline: Deadline
    results: dict[Cell, CellResult] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    bench: Bench | None = None
    say: Say = lambda line: None

    def setting(self, cell: Cell) -> dict[str, Any] | None:
        """What the first seed has chosen; None if this is the first."""
        return next(
            (
                r.setting
                for c, r in self.results.items()
                if (c.method, c.size) == (cell.method, cell.size)
            ),
            None,
        )

    def seconds(self, cell: Cell) -> float:
        """Seconds that a cell will take, by the estimate and by what the others have taken."""
        done = [
            (other, result.learn_seconds + result.query_seconds, self.job.seconds(other))
            for other, result in self.results.items()
        ]
        return self.job.seconds(cell) * correction(cell, done)

    def waits_for_nothing(self, cell: Cell) -> bool:
        """Whether the first seed, which chooses the setting for all, was measured."""
        return cell.seed == 0 or self.setting(cell) is not None

    def task(self, cell: Cell) -> tuple[Cell, Job, Path | None, dict | None, float, Path]:
        """What a process needs to measure a cell."""
        full = cell.size in (0, self.job.plan.sizes[-1]) and cell.seed == 0
        place = self.folder / LEARNED / cell.method if full else None
        return cell, self.job, place, self.setting(cell), self.deadline.left, self.folder


def _run_phase(state: _State, phase: Iterable[Cell], parallel: Parallel | None, jobs: int) -> None:
    """Measure what is missing of some cells that do not wait for each other.

    Args:
        parallel: see :func:`_workers`.
        jobs: how many of them there are.
    """
    missing = []
    for cell in phase:
        known = cells_.stored(cell, state.job.key, state.folder, len(state.job.data.test))
        if known is not None:
            state.results[cell] = known
        else:
            missing.append(cell)
    missing.sort(key=state.seconds)  # what is quick first: a short budget has more of it
    if parallel is None:
        for cell in missing:
            if _affords(state, cell):
                _announce(state, cell)
                state.bench = state.bench or _bench(state.job, state.deadline, state.folder)
                _take(state, cell, _measured(*state.task(cell), state.bench))
        return
    wanted = [cell for cell in missing if _affords(state, cell)]
    for first in range(0, len(wanted), jobs):
        some = [cell for cell in wanted[first : first + jobs] if _affords(state, cell)]
        for cell, result in zip(
            some, parallel(delayed(_measured)(*state.task(cell)) for cell in some), strict=True
        ):
            _take(state, cell, result)


def _announce(state: _State, cell: Cell) -> None:
    """Say what is measured now, unless it is over before that is read."""
    seconds, left = state.seconds(cell), state.deadline.left
    if seconds >= _SHORT:
        labels = f", {cell.size:,} labels" if cell.size else ""
        budget = f" ({left:.0f} s of the budget are left)" if left != float("inf") else ""
        state.say(f"{cell.method}{labels}, seed {cell.seed}: about {seconds:.0f} s{budget}")


@contextmanager
def _workers(run: RunSettings) -> Iterator[Parallel | None]:
    """The processes that measure, or None for this one alone. They are the same for all phases,
    since each has to load torch.
    """
    if run.jobs == 1:
        yield None
        return
    with _backend(run), Parallel(n_jobs=run.jobs) as parallel:
        yield parallel


def _backend(run: RunSettings) -> AbstractContextManager[None]:
    if run.backend == "joblib":
        return nullcontext()
    from course.prompting.ray_workers import on_ray

    return on_ray(run.jobs, run.address)


def _affords(state: _State, cell: Cell) -> bool:
    """Whether there is time for a cell; if not, why is noted. Controls are always measured on all
    labels.
    """
    if not state.waits_for_nothing(cell):
        state.unfinished.append(cell.name)
        return False
    needed, left = state.seconds(cell), state.deadline.left
    if needed <= left or _is_control(state.job, cell):
        return True
    reason = f"needs about {needed:.0f} s, and {max(left, 0):.0f} s of the budget were left"
    if cell.method not in state.left_out and not any(
        c.method == cell.method for c in state.results
    ):
        state.left_out[cell.method] = reason
        state.say(f"{cell.method}: left out for now; it {reason}")
    state.unfinished.append(cell.name)
    return False


def _is_control(job: Job, cell: Cell) -> bool:
    """Whether a cell is what everything else is held against: a control on all labels."""
    full = cell.size in (0, job.plan.sizes[-1]) and cell.seed == 0
    return full and METHODS[cell.method].body == "none"


def _take(state: _State, cell: Cell, result: CellResult | Failure) -> None:
    if isinstance(result, Failure):
        if not any(c.method == cell.method for c in state.results):
            state.left_out[cell.method] = result.why
        state.failures.append(result)
        state.say(f"{cell.method}: {result.why}")
        state.unfinished.append(cell.name)
        return
    cells_.store(result, cell, state.job.key, state.folder)
    state.results[cell] = result


def _bench(job: Job, deadline: Deadline, folder: Path) -> Bench:
    return Bench(job.data.task, job.choice, deadline, folder / "served-answers.jsonl")


def _measured(
    cell: Cell,
    job: Job,
    place: Path | None,
    setting: dict | None,
    left: float,
    folder: Path,
    bench: Bench | None = None,
) -> "CellResult | Failure":
    """A cell's result, or why there is none.

    Args:
        left: seconds that are left; clocks of other machines differ.
    """
    if _is_control(job, cell):
        bench = _bench(job, Deadline(), folder)
    bench = bench or _bench(job, Deadline(time.monotonic() + left), folder)
    method = METHODS[cell.method]
    sent = cells_.sent_so_far(method, bench)
    try:
        return cells_.measure(cell, bench, job.data, place, setting)
    except OutOfTime:
        why = "was stopped when the budget was spent"
    except (EndpointError, TrainingDiverged, torch.OutOfMemoryError) as error:
        why = f"failed: {error}"
    return Failure(why, cells_.sent_since(sent, method, bench))

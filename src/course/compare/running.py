"""Run a comparison: ``compare(table, text="review", label="stars")``.

Each cell (a method, a number of labels, a seed) is kept as soon as it is measured, by the process
that asked for it; a run that was stopped goes on behind the last one. The clock stops what runs
when the budget is spent, and what is there by then is the (partial) result.
"""

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, delayed

from course.compare import cells as cells_
from course.compare.base import Estimate, Method
from course.compare.bodies import Bench, Deadline, ModelChoice, OutOfTime, Served, choose_models
from course.compare.cells import LEARNED, Cell, CellResult
from course.compare.costs import Speeds, measured_speeds
from course.compare.plan import (
    BUDGET,
    SEEDS,
    Plan,
    affordable_items,
    make_plan,
    seconds_of,
)
from course.compare.preparation import MOST_TEST, Prepared, prepare
from course.compare.privacy import Warned, personal_data
from course.compare.reading import read_table
from course.compare.registry import METHODS, methods_named
from course.compare.result import Comparison
from course.compare.using import MODELS_FILE
from course.foundation import write_text
from course.foundation.validation import (
    boolean,
    check_fields,
    each,
    integer,
    number,
    one_of,
    optional,
    text,
)
from course.lm.openai_api import EndpointError
from course.training.fitting import TrainingDiverged

#: File of a report that says what is compared.
PLAN_FILE = "plan.json"
#: Backends of several processes.
BACKENDS = ("joblib", "ray")
Say = Callable[[str], None]


@dataclass(frozen=True)
class RunSettings:
    """How a comparison is run.

    Attributes:
        budget: seconds; None for as long as it takes.
        seeds: how often everything that chance has a part in is done.
        sizes: numbers of labels of the curves (default: :data:`course.compare.plan.SIZES`).
        most_test: test items at most.
        jobs: processes.
        backend: one of :data:`BACKENDS`.
        address: of a Ray cluster.
        allow_personal: whether texts that look like personal data may be sent to a served model.
    """

    budget: float | None = BUDGET
    seeds: int = SEEDS
    sizes: tuple[int, ...] | None = None
    most_test: int = MOST_TEST
    jobs: int = 1
    backend: str = "joblib"
    address: str | None = None
    allow_personal: bool = False

    def __post_init__(self) -> None:
        check_fields(
            self,
            budget=optional(number(above=0)),
            seeds=integer(1),
            sizes=optional(each(integer(1))),
            most_test=integer(10),
            jobs=integer(1),
            backend=one_of(BACKENDS),
            address=optional(text()),
            allow_personal=boolean(),
        )


@dataclass(frozen=True)
class Job:
    """A comparison before it is run: data, models, methods, plan, and what it will cost.

    Attributes:
        data: the items; the test items are those that there is time for.
        choice: the models.
        methods: those that can be used.
        obstacles: method -> why it cannot be used.
        plan: the cells.
        speeds: of this machine.
        estimates: (method, size) -> what it will cost.
    """

    data: Prepared
    choice: ModelChoice
    methods: tuple[Method, ...]
    obstacles: dict[str, str]
    plan: Plan
    speeds: Speeds = field(repr=False)
    estimates: dict[tuple[str, int], Estimate] = field(repr=False)

    def seconds(self, cell: Cell) -> float:
        """Seconds that a cell will take."""
        estimate = self.estimates[cell.method, cell.size]
        items = len(self.data.test)
        return self.speeds.seconds(METHODS[cell.method], estimate, cell, items)

    @property
    def key(self) -> str:
        """Changes when the data or the models do; the name of every cell's file depends on it."""
        names = (self.choice.causal, self.choice.encoder)
        served = self.choice.served
        parts = [self.data.fingerprint, *(self.choice.identity(name) for name in names)]
        return json.dumps([*parts, served and [served.name, served.base_url]])


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
            the
            budget lasts).
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
            ``jobs``, ``backend``.

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


def prepared_job(
    table: Any,
    text: str | Sequence[str],
    label: str,
    methods: str | Sequence[str] | None,
    model: str | Path | None,
    encoder: str | Path | None,
    kind: str | None,
    template: str | None,
    instruction: str,
    test: Any,
    run: RunSettings,
    out: str | Path | None = None,
    served: Served | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    say: Say = lambda line: None,
) -> Job:
    """Everything before the first method learns; arguments and errors as :func:`compare`."""
    wanted = methods_named(methods)
    read = read_table(table, encoding, delimiter)
    tests = None if test is None else read_table(test, encoding, delimiter)
    data = prepare(read, text, label, kind, template, instruction, tests, run.most_test)
    choice = choose_models(model, encoder, served)
    if methods is None and served is None:
        wanted = [method for method in wanted if method.body != "served"]
    say(f"{len(data.train)} items to learn from, {len(data.test)} to test on ({data.task.kind})")
    bench = Bench(data.task, choice)
    obstacles = {m.name: why for m in wanted if (why := m.obstacle(bench, data)) is not None}
    usable = [method for method in wanted if method.name not in obstacles]
    if not usable:
        reasons = "; ".join(f"{name}: {why}" for name, why in obstacles.items())
        raise ValueError(f"no method can be used on this table ({reasons})")
    speeds = measured_speeds(bench, data, [method.body for method in usable])
    plan = make_plan(usable, len(data.train), methods is not None, run.sizes, run.seeds)
    keys = dict.fromkeys((cell.method, cell.size) for cell in plan.cells)
    estimates = {(n, size): METHODS[n].estimate(bench, data, size) for n, size in keys}
    job = Job(data, choice, tuple(usable), obstacles, plan, speeds, estimates)
    return _with_test_items(job, run, Path(out) if out is not None else None)


def _with_test_items(job: Job, run: RunSettings, out: Path | None) -> Job:
    """The job with as many test items as the screen has time for, or as an earlier run had."""
    stored = _stored_plan(job, out) if out is not None else None
    count = stored or _affordable(job, run)
    if count < len(job.data.test):
        job = replace(job, data=job.data.with_test(count))
    if out is not None and stored is None:
        record = {"data": job.data.fingerprint, "test": count, "source": job.data.source}
        write_text(out / PLAN_FILE, json.dumps(record, indent=1) + "\n")
    return job


def _affordable(job: Job, run: RunSettings) -> int:
    screen = job.plan.phases()[0]
    with_none = sum(
        job.speeds.seconds(METHODS[c.method], job.estimates[c.method, c.size], c, 0) for c in screen
    )
    with_one = sum(
        job.speeds.seconds(METHODS[c.method], job.estimates[c.method, c.size], c, 1) for c in screen
    )
    return affordable_items(with_one - with_none, with_none, len(job.data.test), run.budget)


def _stored_plan(job: Job, out: Path) -> int | None:
    """The number of test items of an earlier run in the same folder.

    Raises:
        ValueError: if the folder holds a comparison of other data.
    """
    path = out / PLAN_FILE
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        count, fingerprint = integer(1)("test", stored["test"]), stored["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}): expected the plan of a comparison; delete it, or name "
            "another folder"
        ) from error
    if job.data.with_test(count).fingerprint != fingerprint:
        raise ValueError(
            f"{out} holds a comparison of other data ({stored.get('source')}): expected the same "
            "table, columns and instruction; name another folder with out= (--out)"
        )
    return count


# running


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
    state = _State(job, folder, Deadline(end))
    for place, phase in enumerate(job.plan.phases()):
        _run_phase(state, phase, run, say)
        if place == 0:
            say(f"first answer after {time.monotonic() - started:.0f} s")
    return Comparison(
        data=job.data,
        choice=job.choice,
        sizes=job.plan.sizes,
        cells=tuple(state.results.values()),
        left_out=state.left_out | job.obstacles,
        unfinished=tuple(state.unfinished),
        estimates=job.estimates,
        seconds=time.monotonic() - started,
        folder=folder,
        warned=warned,
        kept=kept,
    )


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


@dataclass
class _State:
    """Where a run stands."""

    job: Job
    folder: Path
    deadline: Deadline
    results: dict[Cell, CellResult] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    bench: Bench | None = None

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

    def task(self, cell: Cell) -> tuple[Cell, Job, Path | None, dict | None, float, Path]:
        """What a process needs to measure a cell."""
        full = cell.size in (0, self.job.plan.sizes[-1]) and cell.seed == 0
        place = self.folder / LEARNED / cell.method if full else None
        return cell, self.job, place, self.setting(cell), self.deadline.left, self.folder


def _run_phase(state: _State, phase: Iterable[Cell], run: RunSettings, say: Say) -> None:
    """Measure what is missing of some cells that do not wait for each other."""
    missing = []
    for cell in phase:
        known = cells_.stored(cell, state.job.key, state.folder, len(state.job.data.test))
        if known is not None:
            state.results[cell] = known
        else:
            missing.append(cell)
    missing.sort(key=state.job.seconds)  # what is quick first: a short budget has more of it
    if run.jobs == 1:
        for cell in missing:
            if _affords(state, cell):
                say(f"{cell.name}: about {state.job.seconds(cell):.0f} s")
                state.bench = state.bench or _bench(state.job, state.deadline, state.folder)
                _take(state, cell, _measured(*state.task(cell), state.bench))
        return
    wanted = [cell for cell in missing if _affords(state, cell)]
    with _backend(run):
        parallel = Parallel(n_jobs=run.jobs)
        for first in range(0, len(wanted), run.jobs):
            some = [cell for cell in wanted[first : first + run.jobs] if _affords(state, cell)]
            jobs = (delayed(_measured)(*state.task(cell)) for cell in some)
            for cell, result in zip(some, parallel(jobs), strict=True):
                _take(state, cell, result)


def _backend(run: RunSettings) -> AbstractContextManager:
    if run.backend == "joblib":
        return nullcontext()
    from course.prompting.sweeps import on_ray

    return on_ray(run.jobs, run.address)


def _affords(state: _State, cell: Cell) -> bool:
    """Whether there is time for a cell; if not, why is noted. The controls are always measured."""
    needed, left = state.job.seconds(cell), state.deadline.left
    if needed <= left or METHODS[cell.method].body == "none":
        return True
    reason = f"needs about {needed:.0f} s, and {max(left, 0):.0f} s of the budget were left"
    if not any(c.method == cell.method for c in state.results):
        state.left_out.setdefault(cell.method, reason)
    state.unfinished.append(cell.name)
    return False


def _take(state: _State, cell: Cell, result: CellResult | str) -> None:
    if isinstance(result, str):
        if not any(c.method == cell.method for c in state.results):
            state.left_out[cell.method] = result
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
) -> CellResult | str:
    """A cell's result, or why there is none.

    Args:
        left: seconds that are left; clocks of other machines differ.
    """
    bench = bench or _bench(job, Deadline(time.monotonic() + left), folder)
    try:
        return cells_.measure(cell, bench, job.data, place, setting)
    except OutOfTime:
        return "was stopped when the budget was spent"
    except (EndpointError, TrainingDiverged, torch.OutOfMemoryError) as error:
        return f"failed: {error}"


def estimates_table(job: Job) -> list[dict[str, Any]]:
    """What the methods will cost on all labels, a row each: for ``--dry-run``."""
    rows = []
    for method in job.methods:
        own = [cell for cell in job.plan.cells if cell.method == method.name]
        first = own[0]
        estimate, items = job.estimates[first.method, first.size], len(job.data.test)
        once = estimate.learning + estimate.query.times(items)
        rows.append(
            {
                "method": method.name,
                "calls": math.ceil(once.calls),
                "tokens read": math.ceil(once.read),
                "tokens written": math.ceil(once.written),
                "tokens trained": math.ceil(once.trained),
                "seconds": job.seconds(first),
                "seconds, all sizes and seeds": sum(job.seconds(cell) for cell in own),
                "bytes": math.ceil(estimate.bytes),
            }
        )
    return rows

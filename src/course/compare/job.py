"""A comparison before it is run: settings, items, the methods that can be used, the plan, and what
it will cost.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from course.compare.base import Estimate, Method
from course.compare.bodies import Bench, ModelChoice, Served, choose_models
from course.compare.cells import Cell
from course.compare.costs import Speeds, measured_speeds, money
from course.compare.coverage import MANY_UNKNOWN
from course.compare.metering import Work
from course.compare.plan import (
    BUDGET,
    FEWEST_TEST,
    SEEDS,
    Plan,
    affordable_items,
    affordable_labels,
    make_plan,
)
from course.compare.preparation import MOST_TEST, Prepared, prepare
from course.compare.reading import read_table
from course.compare.registry import METHODS, methods_named, searches, with_baseline
from course.compare.repeating import Request
from course.compare.report_folder import PLAN_FILE, check_folder
from course.compare.searched import CALLS
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
from course.models.devices import DTYPES

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
        precision: of the prompted model and of training, as
            :class:`course.compare.bodies.ModelChoice` takes it.

    Raises:
        ValueError: for a setting that is not as expected, and for one worker of Ray.
    """

    budget: float | None = BUDGET
    seeds: int = SEEDS
    sizes: tuple[int, ...] | None = None
    most_test: int = MOST_TEST
    jobs: int = 1
    backend: str = "joblib"
    address: str | None = None
    allow_personal: bool = False
    precision: str | None = None

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
            precision=optional(one_of(DTYPES)),
        )
        if self.backend == "ray" and self.jobs == 1:
            raise ValueError(
                "jobs=1 with the backend 'ray' would measure in this process: expected 2 or more "
                "workers (--jobs 2)"
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
        request: what was asked.
    """

    data: Prepared
    choice: ModelChoice
    methods: tuple[Method, ...]
    obstacles: dict[str, str]
    plan: Plan
    speeds: Speeds = field(repr=False)
    estimates: dict[tuple[str, int], Estimate] = field(repr=False)
    request: Request

    def seconds(self, cell: Cell) -> float:
        """Seconds that a cell will take."""
        estimate = self.estimates[cell.method, cell.size]
        items = len(self.data.test)
        return self.speeds.seconds(METHODS[cell.method], estimate, cell, items)

    def work(self, cell: Cell) -> Work:
        """The work of a cell: learning, and answering the test items."""
        estimate = self.estimates[cell.method, cell.size]
        return estimate.learning_with(cell.seed) + estimate.query.times(len(self.data.test))

    @property
    def key(self) -> str:
        """Changes when the data or the models do; the name of every cell's file depends on it."""
        names = (self.choice.causal, self.choice.encoder)
        served = self.choice.served
        parts = [self.data.fingerprint, *(self.choice.identity(name) for name in names)]
        if self.choice.precision is not None:
            parts.append(self.choice.precision)
        return json.dumps([*parts, served and [served.name, served.base_url]])


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
    named_methods = methods_named(methods)
    if out is not None:
        check_folder(Path(out))
    wanted = with_baseline(named_methods)
    read = read_table(table, encoding, delimiter)
    tests = None if test is None else read_table(test, encoding, delimiter)
    data = prepare(read, text, label, kind, template, instruction, tests, run.most_test)
    choice = choose_models(model, encoder, served, run.precision)
    if methods is None:
        # a search asks hundreds of questions, which may cost money: it is done if it is named
        wanted = [m for m in wanted if m.body != "served" or (served and not searches(m))]
    say(f"{len(data.train)} items to learn from, {len(data.test)} to test on ({data.task.kind})")
    models = choice.titles({method.body for method in wanted})
    say(f"models: {', '.join(models) or 'none'}")
    bench = Bench(data.task, choice)
    data = _with_coverage(bench, data, wanted, say)
    obstacles = {m.name: why for m in wanted if (why := m.obstacle(bench, data)) is not None}
    usable = [method for method in wanted if method.name not in obstacles]
    if {method.name for method in named_methods} <= set(obstacles):
        reasons = "; ".join(f"{name}: {why}" for name, why in obstacles.items())
        raise ValueError(f"no method can be used on this table ({reasons})")
    say("measuring how fast this machine is ...")
    speeds = measured_speeds(bench, data, [method.body for method in usable])
    place, named = Path(out) if out is not None else None, methods is not None
    kept = _kept_counts(data, place) if place is not None else None
    labels = kept.train if kept else _labels(bench, data, usable, speeds, run, named)
    if labels < len(data.train):
        data = data.with_train(labels)
        say(f"{data.findings[-1].count:,} {data.findings[-1].what}")
    plan = make_plan(usable, len(data.train), named, run.sizes, run.seeds)
    keys = dict.fromkeys((cell.method, cell.size) for cell in plan.cells)
    estimates = {(n, size): METHODS[n].estimate(bench, data, size) for n, size in keys}
    request = Request(
        read.source, (text,) if isinstance(text, str) else tuple(text), label,
        choice.tier if model is None else str(model), run, read.read_as,
        tuple(method.name for method in named_methods) if named else None,
        None if encoder is None else str(encoder), kind, template, instruction,
        None if tests is None else tests.source, served,
    )  # fmt: skip
    job = Job(data, choice, tuple(usable), obstacles, plan, speeds, estimates, request)
    job = replace(job, data=data.with_test(kept.test if kept else _affordable(job, run)))
    if place is not None and kept is None:
        counts = {"train": len(job.data.train), "test": len(job.data.test)}
        record = {"data": job.data.fingerprint, **counts, "source": data.source}
        write_text(place / PLAN_FILE, json.dumps(record, indent=1) + "\n")
    return job


def _labels(
    bench: Bench,
    data: Prepared,
    methods: Sequence[Method],
    speeds: Speeds,
    run: RunSettings,
    named: bool,
) -> int:
    """How many labels there is time for; all if the numbers of labels were named."""
    first = [method for method in methods if named or method.in_screen]

    @cache
    def seconds(size: int) -> float:
        cells = [Cell(m.name, size if m.uses_labels else 0, 0) for m in first]
        items = min(FEWEST_TEST, len(data.test))
        return sum(
            speeds.seconds(m, m.estimate(bench, data, cell.size), cell, items)
            for m, cell in zip(first, cells, strict=True)
        )

    count = len(data.train)
    return count if run.sizes else affordable_labels(seconds, count, run.budget, named)


def _with_coverage(bench: Bench, data: Prepared, methods: Sequence[Method], say: Say) -> Prepared:
    """The data with what the models do not know of the texts among the findings."""
    names = {"causal": bench.choice.causal, "encoder": bench.choice.encoder}
    titles = {"causal": "the prompted model", "encoder": "the encoder"}
    wanted = {method.body for method in methods if names.get(method.body) is not None}
    found = [bench.coverage(body, data.train).finding(titles[body]) for body in sorted(wanted)]
    findings = [finding for finding in found if finding is not None]
    for finding in findings:
        if finding.kind == MANY_UNKNOWN:
            say(f"warning: {finding.count} {finding.what} (such as {', '.join(finding.examples)})")
    return replace(data, findings=(*data.findings, *findings))


def _affordable(job: Job, run: RunSettings) -> int:
    screen = job.plan.phases()[0]
    with_none = sum(
        job.speeds.seconds(METHODS[c.method], job.estimates[c.method, c.size], c, 0) for c in screen
    )
    with_one = sum(
        job.speeds.seconds(METHODS[c.method], job.estimates[c.method, c.size], c, 1) for c in screen
    )
    return affordable_items(with_one - with_none, with_none, len(job.data.test), run.budget)


@dataclass(frozen=True)
class _Counts:
    """How many items an earlier run in the same folder had."""

    train: int
    test: int


def _kept_counts(data: Prepared, out: Path) -> _Counts | None:
    """Those of an earlier run in the same folder; None if there was none.

    Raises:
        ValueError: if the folder holds a comparison of other data.
    """
    path = out / PLAN_FILE
    if not path.exists():
        return None
    try:
        stored = dict(json.loads(path.read_text(encoding="utf-8")))
        labels = stored.get("train", len(data.train))
        counts = _Counts(integer(1)("train", labels), integer(1)("test", stored["test"]))
        fingerprint = stored["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}): expected the plan of a comparison; delete it, or name "
            "another folder"
        ) from error
    if data.with_train(counts.train).with_test(counts.test).fingerprint != fingerprint:
        raise ValueError(
            f"{out} holds a comparison of other data ({stored.get('source')}): expected the same "
            "table, columns and instruction; name another folder with out= (--out)"
        )
    return counts


def estimates_table(job: Job) -> list[dict[str, Any]]:
    """What the methods will cost on all labels, a row each: for ``--dry-run``. Money is there where
    a price was given.
    """
    rows, served = [], job.choice.served
    priced = served is not None and served.price_read is not None
    for method in job.methods:
        own = [cell for cell in job.plan.cells if cell.method == method.name]
        first = own[0]
        estimate, items = job.estimates[first.method, first.size], len(job.data.test)
        once = estimate.learning + estimate.query.times(items)
        every = sum((job.work(cell) for cell in own), Work())
        prices = (
            {
                "money": money(served, method, once),
                "money, all sizes and seeds": money(served, method, every),
            }
            if priced
            else {}
        )
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
                **prices,
            }
        )
    return rows


def not_estimated(job: Job) -> list[str]:
    """What the estimates do not know, in words."""
    served = job.choice.served
    asked = any(method.body == "served" for method in job.methods)
    unknown = ["Not estimated: memory, and what the machine's power costs."]
    if asked and served is not None and served.price_read is None:
        unknown.append("Not estimated: what the served model costs; no --price was given.")
    if asked:
        unknown.append("The time of the served model is assumed: nothing is sent to measure it.")
    if searching := [m.name for m in job.methods if searches(m)]:
        unknown.append(
            f"{' and '.join(searching)}: how many different instructions the model will write is "
            f"not known; a search ends after {CALLS} calls at the latest."
        )
    if asked and job.data.task.kind != "labels":
        unknown.append(
            "Tokens that the served model writes are those of training answers: how much more or "
            "less it writes is not known."
        )
    return unknown

"""A comparison before it is run: settings, items, the methods that can be used, the plan, and what
it will cost.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from course.compare.base import Estimate, Method
from course.compare.bodies import Bench, ModelChoice, Served, choose_models
from course.compare.cells import Cell
from course.compare.costs import Speeds, measured_speeds
from course.compare.coverage import MANY_UNKNOWN
from course.compare.plan import BUDGET, SEEDS, Plan, affordable_items, make_plan
from course.compare.preparation import MOST_TEST, Prepared, prepare
from course.compare.reading import read_table
from course.compare.registry import METHODS, methods_named
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
    data = _with_coverage(bench, data, wanted, say)
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

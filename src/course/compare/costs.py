"""What a comparison will cost: work by counting, seconds by a short measurement of the machine."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from course.compare.base import TRIALS, Estimate, Method, trial_factor
from course.compare.bodies import Bench, Served
from course.compare.cells import Cell
from course.compare.controls import TfidfMethod
from course.compare.encoder_inputs import most_tokens, rows_of
from course.compare.frozen_head import encode
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.prompt_costs import written_answers
from course.compare.registry import METHODS

#: A training step takes about as much as reading its tokens so many times: forward, and backward
#: twice that.
BACKWARD = 3.0
#: By what factor an estimate is corrected at most.
_FARTHEST = 20.0
#: Items that the measurement takes.
_ITEMS = 16


@dataclass(frozen=True)
class Speed:
    """What one body does in a second.

    Attributes:
        read, written: tokens that are read, and written.
        load: seconds to load it anew, as training does.
    """

    read: float
    written: float
    load: float

    def seconds(self, work: Work) -> float:
        """Seconds for some work."""
        read = (work.computed + BACKWARD * work.trained) / self.read
        return read + work.written / self.written


@dataclass(frozen=True)
class Speeds:
    """The measured speed of each body, and seconds a text of the control."""

    bodies: dict[str, Speed]
    control: float

    def seconds(self, method: Method, estimate: Estimate, cell: Cell, items: int) -> float:
        """Seconds that a cell will take; the first seed chooses the setting for all."""
        trials, answered = trial_factor(method, TRIALS, cell.size) if cell.seed == 0 else (0.0, 0)
        if method.body == "none":
            known = isinstance(method, TfidfMethod)
            return self.control * (cell.size * (1 + trials) + items + answered) if known else 0.01
        speed = self.bodies[method.body]
        learning = estimate.computed_with(cell.seed)
        loads = speed.load * (1 + trials * method.iterative) if learning.trained else 0.0
        return loads + speed.seconds(learning + estimate.query.times(items))


def correction(cell: Cell, measured: Iterable[tuple[Cell, float, float]]) -> float:
    """By what factor the estimate for a cell should be corrected, from the cells measured so far:
    those of its method, else of methods that learn in the same way on the same body.

    Args:
        measured: (cell, seconds that it took, seconds that were estimated).

    Returns:
        1 if there are none yet.
    """
    method, known = METHODS[cell.method], list(measured)
    own = [row for row in known if row[0].method == cell.method]
    alike = [row for row in known if _alike(METHODS[row[0].method], method)]
    rows = own or alike
    taken, expected = sum(seconds for _, seconds, _ in rows), sum(row[2] for row in rows)
    return float(np.clip(taken / expected, 1 / _FARTHEST, _FARTHEST)) if expected > 0 else 1.0


def _alike(one: Method, other: Method) -> bool:
    return (one.body, one.iterative) == (other.body, other.iterative)


def measured_speeds(bench: Bench, data: Prepared, bodies: Sequence[str]) -> Speeds:
    """Measure the machine with some training items: some seconds in all."""
    measures = {"causal": _causal, "encoder": _encoder, "served": _served}
    known = {
        body: measures[body](bench, data) for body in dict.fromkeys(bodies) if body in measures
    }
    return Speeds(known, _control(bench, data))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return max(time.perf_counter() - started, 1e-6)


def _causal(bench: Bench, data: Prepared) -> Speed:
    load = _timed(lambda: bench.prompted)
    meter, task, most = bench.prompted, data.task, _ITEMS
    prompts = [task.prompt(item, task.told) for item in data.train[: most + 2]]
    texts = [prompt.text for prompt in prompts]
    labels = prompts[0].candidates or (" yes", " no")
    if not prompts[0].candidates:
        labels = ("a", "b")
    meter.score_labels(texts[-2:], labels)  # the first call is slow
    before = meter.work
    seconds = _timed(partial(meter.score_labels, texts[:most], labels))
    read = (meter.work - before).computed / seconds
    if task.kind == "labels":
        return Speed(read, read / 20, load)
    # a batch of answers goes on until its longest is done
    seconds = _timed(partial(written_answers, bench, data))
    work = written_answers(bench, data)
    return Speed(read, work.written / max(seconds - work.computed / read, seconds / 4), load)


def _encoder(bench: Bench, data: Prepared) -> Speed:
    load = _timed(lambda: bench.body)
    body, tokenizer = bench.body, bench.encoder_tokenizer
    rows = rows_of(data.task, data.train[: 4 * _ITEMS], tokenizer, most_tokens(body, tokenizer))
    texts = [next(iter(row.values())) for row in rows]
    encode(body, tokenizer, texts[:2])
    lengths: list[int] = []
    seconds = _timed(lambda: lengths.extend(encode(body, tokenizer, texts)[1]))
    return Speed(sum(lengths) / seconds, 1.0, load)


def _served(bench: Bench, data: Prepared) -> Speed:
    """Nothing is sent to be measured: a second for eight questions at once."""
    return Speed(1e5, 1e3, 0.0)


def _control(bench: Bench, data: Prepared) -> float:
    method, items = METHODS["tfidf"], data.train[:200]
    setting = method.settings(bench, len(items))[0]
    return _timed(lambda: method.learn(bench, items, setting, 0)) / len(items)


def money(served: Served | None, method: Method, work: Work) -> float | None:
    """What some work costs at a served model, in the currency of its prices; None if unknown."""
    if method.body != "served" or served is None or served.price_read is None:
        return None
    written = served.price_written if served.price_written is not None else served.price_read
    return (work.read * served.price_read + work.written * written) / 1e6

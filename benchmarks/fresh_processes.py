"""Timed work in processes of its own: what one contender leaves in memory is not counted for the
next.

A contender is a function that prepares (loads a model, say) and returns the work of one round. It
is called in a fresh process, which stays until all rounds are over. The rounds take turns, so that
a busy moment of the machine meets all.
"""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

from course.compare.memory import peak_memory

#: Does one round, with a seed.
Work = Callable[[int], Any]
#: A function of a module that prepares, and what it is given.
Contender = tuple[Callable[..., Work], tuple[Any, ...]]
#: Seconds between two looks at the memory.
_LOOK = 0.01


@dataclass(frozen=True)
class Cost:
    """What some work took.

    Attributes:
        seconds: of each round.
        megabytes: the highest resident memory of its process in any round, model included.
        results: what each round returned.
    """

    seconds: tuple[float, ...]
    megabytes: float
    results: tuple[Any, ...]

    @property
    def best(self) -> float:
        return min(self.seconds)

    def line(self, name: str, more: str = "") -> str:
        return f"  {name:28}{self.best:9.2f} s{self.megabytes:8.0f} MB  {more}".rstrip()


def compete(contenders: Mapping[str, Contender], rounds: int) -> dict[str, Cost]:
    """What each of some contenders took."""
    times: dict[str, list[tuple[float, float, Any]]] = {name: [] for name in contenders}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
            for name in contenders
        }
        for seed in range(rounds):
            for name, contender in contenders.items():
                times[name].append(processes[name].submit(_timed, *contender, seed).result())
    return {
        name: Cost(seconds, max(megabytes), results)
        for name, measured in times.items()
        for seconds, megabytes, results in [tuple(zip(*measured, strict=True))]
    }


@cache
def _prepared(prepare: Callable[..., Work], given: tuple[Any, ...]) -> Work:
    return prepare(*given)


def _timed(
    prepare: Callable[..., Work], given: tuple[Any, ...], seed: int
) -> tuple[float, float, Any]:
    """Seconds and megabytes of a round in this process, and what it returned."""
    work = _prepared(prepare, given)
    with peak_memory(_LOOK) as peak:
        started = time.perf_counter()
        result = work(seed)
        seconds = time.perf_counter() - started
    return seconds, (peak.main or math.nan) / 1e6, result

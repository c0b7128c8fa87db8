"""The most memory that is held while something runs: of the process, and of graphics processors."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Peak:
    """The most memory that was held.

    Attributes:
        main: of the whole process, in bytes, with the models that others have loaded; None where
            the system does not tell.
        gpu: that tensors took on all graphics processors, in bytes; None without one.
    """

    main: int | None = None
    gpu: int | None = None


@contextmanager
def peak_memory(every: float = 0.05) -> Iterator[Peak]:
    """Measures the block; what it yields has the figures after the block.

    Args:
        every: seconds between two looks at the process. A graphics processor counts by itself.
    """
    peak, most, stop = Peak(), [_resident()], threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            most.append(max(most.pop(), _resident()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    cards = range(torch.cuda.device_count())
    for card in cards:
        torch.cuda.reset_peak_memory_stats(card)
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()
        peak.main = max(most[0], _resident()) or None
        if cards:
            peak.gpu = sum(torch.cuda.max_memory_allocated(card) for card in cards)


def _resident() -> int:
    if sys.platform != "linux":
        return 0
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()

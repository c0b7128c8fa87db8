"""What each chapter takes with real models: seconds of one core, as ``make real`` recorded them.

Seconds of a core, and not of a clock: a machine that is busy with something else makes them hardly
longer.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from course.foundation import write_text
from course.studies.records import machine

#: Chapter -> the seconds of a core that it took, and the machine.
RECORD = Path(__file__).with_name("chapter_times.json")
#: Seconds of a core that a chapter may take.
LIMIT = 300


def read_times(path: Path = RECORD) -> dict[str, dict]:
    """What is recorded, by chapter; nothing if there is no record."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def record_times(seconds: Mapping[str, float], path: Path = RECORD) -> None:
    """Store what chapters took on this machine; what is recorded of others stays."""
    measured = {
        name: {"seconds": round(taken, 1), "machine": machine()} for name, taken in seconds.items()
    }
    write_text(
        path, json.dumps(dict(sorted((read_times(path) | measured).items())), indent=1) + "\n"
    )


def chapter_times(path: Path = RECORD) -> pd.DataFrame:
    """A row a chapter that was measured: seconds of one core, and the machine."""
    return pd.DataFrame.from_dict(read_times(path), orient="index", columns=["seconds", "machine"])

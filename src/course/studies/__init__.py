"""The course's studies: ``python -m course.studies [NAME ...]`` measures and records them; a
stopped run goes on.

Each study is a function of a seed. A notebook reads the record and says what is recorded and what
is live.
"""

import argparse
import time

from course.models.hub import tier
from course.studies import (
    adapters,
    expectations,
    hard_prompts,
    heads,
    in_context,
    instruct,
    model_quality,
    reasoning,
    soft_prompts,
    steering,
    written_prompts,
)
from course.studies.records import Study, partial_runs, write_record

_MODULES = (
    expectations,
    heads,
    adapters,
    in_context,
    instruct,
    reasoning,
    hard_prompts,
    written_prompts,
    steering,
    soft_prompts,
    model_quality,
)
STUDIES = {study.name: study for module in _MODULES for study in module.STUDIES}


def measure(study: Study) -> None:
    """Run the seeds of a study that its record lacks, and store each as soon as it is measured.

    Raises:
        ValueError: in the hub tier: a record says which shipped weights were measured.
    """
    if tier() != "tiny":
        raise ValueError(
            f"studies measure the shipped models, and COURSE_TIER is {tier()!r}; unset it"
        )
    runs, seconds = partial_runs(study)
    for seed in study.seeds:
        if str(seed) in runs:
            continue
        started = time.monotonic()
        runs[str(seed)] = study.run(seed)
        seconds += time.monotonic() - started
        write_record(study, runs, seconds)
        print(f"{study.name}: seed {seed} measured, {seconds:.0f} s in all", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Measure and record the course's studies; what is recorded already is kept."
    )
    parser.add_argument(
        "names", nargs="*", help=f"which studies (default: all): {', '.join(STUDIES)}"
    )
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in STUDIES]:
        parser.error(f"no such study: {', '.join(unknown)}; choose from {', '.join(STUDIES)}")
    for name in chosen.names or STUDIES:
        measure(STUDIES[name])

"""``python -m course.studies``: measure the studies and record them; a stopped run goes on."""

import argparse
import time
from textwrap import fill

from course.studies.records import RECORDS, Study, partial_runs, write_record


def measure(study: Study) -> None:
    """Run the seeds of a study that its record lacks, and store each as soon as it is measured.

    Raises:
        ValueError: in the hub tier: a record says which shipped weights were measured.
    """
    from course.models.hub import tier  # imports much, and the command's help needs none of it

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


def _parser() -> argparse.ArgumentParser:
    recorded = ", ".join(sorted(path.stem for path in RECORDS.glob("*.json")))
    parser = argparse.ArgumentParser(
        prog="python -m course.studies",
        description="Measure and record the course's studies; what is recorded already is kept.",
        epilog=fill(f"The studies: {recorded}.", 80, break_on_hyphens=False),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which studies (default: all)")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """The command: measures the studies that are named, or all of them."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    from course.studies.catalogue import STUDIES  # imports torch

    if unknown := [name for name in chosen.names if name not in STUDIES]:
        parser.error(f"no such study: {', '.join(unknown)}; choose from {', '.join(STUDIES)}")
    for name in chosen.names or STUDIES:
        measure(STUDIES[name])

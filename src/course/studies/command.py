"""``python -m course.studies``: measure the studies and record them; a stopped run goes on."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from textwrap import fill

from course.studies.records import RECORDS, Study, partial_runs, write_record

#: Option that names a repository -> what it plays in a study of real models.
MODELS = {
    "model": "the LLM, such as HuggingFaceTB/SmolLM2-1.7B",
    "tuned": "its instruction-tuned sibling",
    "encoder": "the encoder",
}


def measure(study: Study, seeds: Sequence[int] | None = None) -> None:
    """Run the seeds of a study that its record lacks, and store each as soon as it is measured.

    Args:
        seeds: some of them (default: all).

    Raises:
        ValueError: if the tier in force is not the study's: a record says what was measured.
    """
    from course.models.hub import tier  # imports much, and the command's help needs none of it

    wanted = getattr(study, "tier", "tiny")
    if tier() != wanted:
        raise ValueError(
            f"studies measure the models of their tier, which is {wanted!r} for {study.name!r}, "
            f"and COURSE_TIER is {tier()!r}; unset it, or name the tier with --tier"
        )
    runs, seconds = partial_runs(study)
    left = [seed for seed in (study.seeds if seeds is None else seeds) if str(seed) not in runs]
    print(plan(study, left, len(runs), seconds), flush=True)
    for seed in left:
        started = time.monotonic()
        runs[str(seed)] = study.run(seed)
        seconds += time.monotonic() - started
        write_record(study, runs, seconds)
        print(f"{study.name}: seed {seed} measured, {seconds:.0f} s in all", flush=True)


def plan(study: Study, left: Sequence[int], measured: int, seconds: float) -> str:
    """What is going to be measured, and how long that takes by what is recorded.

    Args:
        left: seeds that are not measured yet.
        measured: how many seeds are, in so many seconds.
    """
    if not left:
        return f"{study.name}: all {measured} seeds are recorded"
    seeds = f"{study.name}: seeds {', '.join(map(str, left))} are to be measured"
    if not measured:
        return f"{seeds}; how long one takes is not recorded yet"
    each = seconds / measured
    return f"{seeds}, about {each:.0f} s each, {len(left) * each / 60:.0f} minutes in all"


def _parser() -> argparse.ArgumentParser:
    recorded = ", ".join(sorted(path.stem for path in RECORDS.glob("*.json")))
    parser = argparse.ArgumentParser(
        prog="python -m course.studies",
        description="Measure and record the course's studies; what is recorded already is kept.",
        epilog=fill(f"The studies: {recorded}.", 80, break_on_hyphens=False),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which studies (default: all)")
    parser.add_argument(
        "--tier",
        choices=("tiny", "index", "hub"),
        default="tiny",
        help="whose models: the shipped ones (default), or real ones with studies of their own",
    )
    for option, role in MODELS.items():
        parser.add_argument(
            f"--{option}", metavar="REPOSITORY", help=f"of the hub: {role}, in a record of its own"
        )
    parser.add_argument("--seed", type=int, help="this one of its seeds alone")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """The command: measures the studies that are named, or all of them."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    studies = _studies(chosen.tier)
    if unknown := [name for name in chosen.names if name not in studies]:
        parser.error(f"no such study: {', '.join(unknown)}; choose from {', '.join(studies)}")
    if chosen.tier != "tiny":
        os.environ["COURSE_TIER"] = chosen.tier
    names = chosen.names or [*studies]
    if named := {option: name for option in MODELS if (name := getattr(chosen, option))}:
        studies = _on_repositories(parser, chosen.tier, names, named)
    for name in names:
        if chosen.seed not in (None, *studies[name].seeds):
            parser.error(f"no seed {chosen.seed} in {name}; its seeds are {studies[name].seeds}")
    seeds = None if chosen.seed is None else (chosen.seed,)
    if lacking := [name for name in names if not _measured(studies[name], seeds)]:
        sys.exit(f"not measured: {', '.join(lacking)}")


def _measured(study: Study, seeds: Sequence[int] | None) -> bool:
    """Measure a study; if its models or its data are out of reach, say so and where to get them."""
    from course.models.hub import HubError
    from course.models.wheels import PackageIndexError
    from course.tasks.local_data import DataError

    try:
        measure(study, seeds)
    except (DataError, HubError, PackageIndexError) as error:
        print(f"{study.name}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _on_repositories(
    parser: argparse.ArgumentParser, tier: str, names: Sequence[str], named: dict[str, str]
) -> dict[str, Study]:
    """The studies on repositories that options name."""
    from course.studies.on_real_models.catalogue import REAL_STUDIES, on_repositories

    if tier != "hub":
        parser.error(f"--{[*named][0]} names a repository of the hub: say --tier hub, too")
    try:
        return {name: on_repositories(REAL_STUDIES[name], named) for name in names}
    except ValueError as error:
        parser.error(str(error))


def _studies(tier: str) -> dict[str, Study]:
    """The studies of a tier by their names. Imports torch."""
    if tier == "tiny":
        from course.studies.catalogue import STUDIES

        return STUDIES
    from course.studies.on_real_models.catalogue import REAL_STUDIES, of_tier

    return {name: of_tier(study, tier) for name, study in REAL_STUDIES.items()}

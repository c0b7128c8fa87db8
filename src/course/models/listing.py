"""The command ``course models``: list the models of each tier, what is cached and where; fetch and
remove them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from textwrap import dedent

from huggingface_hub import CachedRepoInfo, CacheNotFound, constants, scan_cache_dir

from course.foundation.progress import is_watched
from course.models.checkpoint_files import fetch_checkpoint
from course.models.hub import HubError, tier
from course.models.index import (
    INDEX,
    MINILM,
    SMOLLM2,
    IndexModel,
    cache_folder,
    fetch_index_model,
    remove_index_model,
)
from course.models.roles import HUB, check_model_name
from course.models.shipped import RECORD, WEIGHTS, shipped_models, weights_sha256
from course.models.wheels import PackageIndexError, megabytes

#: Licence of what the package ships.
_LICENCE = "MIT"
_HEADER = ("tier", "role", "parameters", "on disk", "licence", "from", "sha256 or revision")


def _shipped() -> Iterator[tuple[str, ...]]:
    """A row a shipped model; of an adapter the trained parameters."""
    for name in shipped_models():
        folder = WEIGHTS / name
        count = json.loads((folder / RECORD).read_text(encoding="utf-8"))["parameters"]
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        sha256 = weights_sha256(name)
        yield "tiny", name, f"{count / 1e6:.2f}M", f"{size:.1f} MB", _LICENCE, "shipped", sha256


def _index() -> Iterator[tuple[str, ...]]:
    """A row a role of the index tier; several roles share a model."""
    for role, of in INDEX.items():
        cached = of.cached()
        size = megabytes(cached) if cached else f"not cached ({megabytes(of.wheel.size)} to fetch)"
        source, sha256 = f"{of.name} in {of.wheel.requirement}", of.wheel.member_sha256
        yield "index", role, of.parameters, size, of.licence, source, sha256


def _cached() -> dict[str, CachedRepoInfo]:
    """Repository -> what the hub's cache has of it."""
    try:
        found = scan_cache_dir().repos
    except CacheNotFound:
        return {}
    return {repository.repo_id: repository for repository in found}


def _hub() -> Iterator[tuple[str, ...]]:
    """A row a checkpoint of the hub tier."""
    cached = _cached()
    for role, of in HUB.items():
        have = cached.get(of.repository)
        size = megabytes(have.size_on_disk) if have else "not cached"
        revisions = ", ".join(sorted(r.commit_hash for r in have.revisions)) if have else "-"
        yield "hub", role, of.parameters, size, of.licence, of.repository, revisions


def lines() -> list[str]:
    """The table, a line a model, columns aligned; then where the caches are."""
    rows = [_HEADER, *_shipped(), *_index(), *_hub()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    places = {"tiny": WEIGHTS, "index": cache_folder(), "hub": constants.HF_HUB_CACHE}
    return [*table, "", *(f"{name:5} lies in {place}" for name, place in places.items())]


def fetch(roles: list[str], wanted_tier: str) -> None:
    """Fetch what a tier has for some roles (default: for all)."""
    if wanted_tier == "index":
        for model in _models(roles):
            if not is_watched():
                print(_work(model), flush=True)
            print(f"{model.name} is in {fetch_index_model(model)}")
        return
    for role in roles or HUB:
        check_model_name(role, "hub")
        print(f"{HUB[role].repository} is in {fetch_checkpoint(HUB[role].repository)}")


def _work(model: IndexModel) -> str:
    """What is to be done for a model, in bytes, for a log that shows no bars."""
    if model.is_whole:
        return f"{model.name}: nothing to fetch"
    fetched, written = map(megabytes, (model.wheel.size, model.checkpoint_size))
    return f"{model.name}: {fetched} to fetch, {written} to write"


def remove(roles: list[str]) -> None:
    """Delete what the course fetched for roles of the index tier (default: for all)."""
    for model in _models(roles):
        print(f"{model.name}: {megabytes(remove_index_model(model))} freed")


def _models(roles: list[str]) -> list[IndexModel]:
    """The models of some roles, each once."""
    for role in roles:
        check_model_name(role, "index")
    return [model for model in (SMOLLM2, MINILM) if not roles or model in map(INDEX.get, roles)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="List the models of the course; fetch and remove those of the index tier.",
        epilog=dedent(
            """\
            course models                            the list, with what is cached and where
            course models fetch [ROLE ...]           fetch real models before a lesson, say
            course models fetch --tier hub gpt-small
            course models remove [ROLE ...]          delete what the course fetched and made

            Shipped models are part of the package, and the hub's cache is not the course's own:
            'hf cache' removes from it."""
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=("list", "fetch", "remove"), default="list")
    parser.add_argument("roles", nargs="*", metavar="ROLE", help="such as gpt-tuned (default: all)")
    parser.add_argument(
        "--tier",
        choices=("index", "hub"),
        help="of what is fetched (default: index, or hub if COURSE_TIER says so)",
    )
    return parser


def main(arguments: list[str] | None = None) -> None:
    """The command ``course models``."""
    parser = _parser()
    chosen = parser.parse_intermixed_args(arguments)
    wanted = chosen.tier or ("hub" if tier() == "hub" else "index")
    try:
        if chosen.action == "list":
            print("\n".join(lines()))
        elif chosen.action == "fetch":
            fetch(chosen.roles, wanted)
        elif wanted == "hub":
            parser.error("the hub's cache is not the course's own; 'hf cache' removes from it")
        else:
            remove(chosen.roles)
    except (PackageIndexError, HubError, ValueError) as error:
        sys.exit(f"course models: {error}")


if __name__ == "__main__":
    main()

"""List of the models of each tier: what is shipped, and what of the hub lies in the cache."""

import argparse
import json
from collections.abc import Iterator

from huggingface_hub import CachedRepoInfo, CacheNotFound, scan_cache_dir

from course.models.loading import HUB
from course.models.shipped import RECORD, WEIGHTS, shipped_models, weights_sha256

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
        size = f"{have.size_on_disk / 1e6:.0f} MB" if have else "not cached"
        revisions = ", ".join(sorted(r.commit_hash for r in have.revisions)) if have else "-"
        yield "hub", role, of.parameters, size, of.licence, of.repository, revisions


def lines() -> list[str]:
    """The table, a line a model, columns aligned."""
    rows = [_HEADER, *_shipped(), *_hub()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def main(arguments: list[str] | None = None) -> None:
    """The command ``course models``."""
    argparse.ArgumentParser(description="List the models of the course.").parse_args(arguments)
    print("\n".join(lines()))


if __name__ == "__main__":
    main()

"""What an earlier comparison in the same folder has learned with other models: it is removed, as
the report would otherwise offer it for use with the models of now.

Cells of other models stay: they are small, and a comparison that is run with those models again
goes on from them.
"""

import json
import shutil
from pathlib import Path

from course.compare.base import CARD_FILE, METHOD_FILE
from course.compare.cells import CELLS, LEARNED, Cell, cell_file
from course.compare.registry import METHODS


def prune_learned(folder: Path, key: str, size: int) -> list[str]:
    """Remove what methods have learned in other comparisons.

    A folder is removed only if all of its files are those that its ``method.json`` says were
    written; one that holds anything else is somebody's.

    Args:
        folder: of the report.
        key: of the comparison of now, :attr:`course.compare.job.Job.key`.
        size: all labels.

    Returns:
        The names of the methods.
    """
    removed = []
    for place in sorted((folder / LEARNED).glob("*")):
        if place.name in METHODS and not _is_of(folder, place.name, key, size) and is_ours(place):
            shutil.rmtree(place)
            removed.append(place.name)
    return removed


def _is_of(folder: Path, name: str, key: str, size: int) -> bool:
    """Whether the method was measured on all labels in this comparison."""
    labels = size if METHODS[name].uses_labels else 0
    return (folder / CELLS / cell_file(Cell(name, labels, 0), key)).exists()


def is_ours(place: Path) -> bool:
    """Whether a folder holds what was written, and nothing more."""
    try:
        stored = json.loads((place / METHOD_FILE).read_text(encoding="utf-8"))
        written = {METHOD_FILE, CARD_FILE, *stored["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if place.is_symlink() or any(path.is_symlink() for path in place.rglob("*")):
        return False
    there = {p.relative_to(place).as_posix() for p in place.rglob("*") if not p.is_dir()}
    return there <= written

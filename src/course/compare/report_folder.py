"""The folder of a report: the names of its files, and whether a folder is one."""

import json
from pathlib import Path

from course.compare.cells import CELLS, LEARNED

#: What is compared, and on which models: written before anything is measured.
PLAN_FILE, MODELS_FILE = "plan.json", "models.json"
#: The report itself.
PAGE, JSON_FILE, CSV_FILE = "report.html", "results.json", "results.csv"


def check_folder(folder: Path) -> None:
    """Refuse to write a report over what somebody else has written.

    Raises:
        ValueError: if there is a file of that name, or a folder that is none of a report and has a
            file of the same name as one of a report's.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is a file: expected a folder, new or of a report")
    if (folder / PLAN_FILE).exists() or _has_models(folder):
        return
    names = (MODELS_FILE, PAGE, JSON_FILE, CSV_FILE, CELLS, LEARNED)
    if there := [name for name in names if (folder / name).exists()]:
        raise ValueError(
            f"{folder} has {', '.join(there)}, which no comparison has written there: name "
            "another folder (--out)"
        )


def _has_models(folder: Path) -> bool:
    """Whether the file about models is that of a report."""
    try:
        return "causal" in json.loads((folder / MODELS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False

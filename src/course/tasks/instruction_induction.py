"""The instruction-induction benchmark (Honovich et al. 2023): 24 tasks with instructions that
people wrote, read from a folder.

The folder holds the data of the benchmark's repository (``orhonovich/instruction-induction``):
``execute/NAME.json`` with examples and ``annotations/NAME.json`` with instructions. It is no part
of this project; the variable ``COURSE_INDUCTION``, or an argument, says where it is, and where
neither does, it is looked for in the folder of real data sets (``COURSE_DATA``).
"""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from datasets import Dataset, DatasetDict, Features, Sequence, Value

from course.tasks import local_data
from course.tasks.task import Task
from course.world.example import Example
from course.world.split import SPLITS, split_table

T = TypeVar("T")

#: Environment variable with the folder.
FOLDER_VARIABLE = "COURSE_INDUCTION"
#: Where to get it.
WHERE = "github.com/orhonovich/instruction-induction"
#: Shares of the examples, in percent; the rest is for training. There are 100 examples or fewer,
#: and most should test.
TEST_PERCENT, VALIDATION_PERCENT = 50, 20
CLUSTER = "instruction induction"
#: Tasks whose answers are not compared word for word -> how the benchmark compares them.
_COMPARED = {
    "common_concept": "f1",
    "informal_to_formal": "f1",
    "orthography_starts_with": "set",
    "taxonomy_animal": "set",
    "synonyms": "contains",
}
#: Where a row has all answers that are right.
_ANSWERS = ("other_rhymes", "possible_translations", "possible_outputs")
_FEATURES = Features(
    {"input": Value("string"), "output": Value("string"), "others": Sequence(Value("string"))}
)


def induction_names(folder: Path | None = None) -> tuple[str, ...]:
    """The tasks that the folder has, sorted.

    Raises:
        DataError: if no folder is named, or it does not hold the benchmark.
    """
    return tuple(sorted(path.stem for path in (_folder(folder) / "execute").glob("*.json")))


def load_induction_task(name: str, folder: Path | None = None) -> Task:
    """One task of the benchmark, with its examples in three splits that do not depend on chance.

    Args:
        name: one of :func:`induction_names`.
        folder: the benchmark's data (default: ``COURSE_INDUCTION``).

    Raises:
        ValueError: for an unknown task.
        DataError: as :func:`induction_names`, and for a file that is damaged.
    """
    root = _folder(folder)
    if name not in (names := induction_names(root)):
        raise ValueError(f"no task {name!r} in {root}; choose from {', '.join(names)}")
    instructions = _read(
        root / "annotations" / f"{name}.json",
        lambda data: tuple(dict.fromkeys(text.strip() for text in data["annotations"])),
    )
    groups = _read(
        root / "execute" / f"{name}.json",
        lambda data: [_rows(name, row) for row in data["examples"].values()],
    )
    # the two questions about one cause and its effect stay together
    split = split_table(
        f"induction/{name}",
        tuple(dict.fromkeys(rows[0]["input"] for rows in groups)),
        TEST_PERCENT,
        VALIDATION_PERCENT,
    )
    parts = {
        part: [row for rows in groups if split[rows[0]["input"]] == part for row in rows]
        for part in SPLITS
    }
    data = DatasetDict(
        {part: Dataset.from_list(rows, features=_FEATURES) for part, rows in parts.items()}
    )
    metric = f"instruction_induction.{_COMPARED.get(name, 'exact')}"
    return Task(name, CLUSTER, instructions, (), data, _example, metric)


def induction_folder() -> Path | None:
    """The folder that the environment names: ``COURSE_INDUCTION``, else ``instruction-induction``
    in ``COURSE_DATA`` if it is there.
    """
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    data = os.environ.get(local_data.FOLDER_VARIABLE)
    below = Path(data).expanduser() / "instruction-induction" if data else None
    return below if below and below.is_dir() else None


def _folder(folder: Path | None) -> Path:
    named = folder or induction_folder()
    if not named:
        raise local_data.DataError(
            f"no folder with the instruction-induction data: pass one, or set {FOLDER_VARIABLE} to "
            f"its path; it is the folder data of {WHERE}"
        )
    if not (Path(named) / "execute").is_dir() or not (Path(named) / "annotations").is_dir():
        raise local_data.DataError(
            f"{named} does not hold the instruction-induction data: "
            f"expected the folders 'execute' and 'annotations' in it, as in {WHERE}"
        )
    return Path(named)


def _read(path: Path, take: Callable[[dict], T]) -> T:
    try:
        return take(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise local_data.DataError(
            f"{path} is not as expected ({error!r}): fetch the benchmark's file again"
        ) from error


def _rows(name: str, row: dict) -> list[dict]:
    """The questions that one stored example makes, as the benchmark's own preparation does it."""
    question: Callable[..., dict] = partial(dict, others=[])
    if name == "cause_and_effect":
        cause, effect = row["cause"], row["effect"]
        return [
            question(input=f"Sentence 1: {a} Sentence 2: {b}", output=cause)
            for a, b in ((cause, effect), (effect, cause))
        ]
    if name == "common_concept":
        return [
            question(
                input=", ".join(row["items"]),
                output=row["concept"],
                others=_others(row["concept"], row["all_common_concepts"]),
            )
        ]
    every: list[str] = next((row[key] for key in _ANSWERS if key in row), [])
    return [
        question(input=row["input"], output=row["output"], others=_others(row["output"], every))
    ]


def _others(usual: str, every: list[str]) -> list[str]:
    return [answer for answer in every if answer != usual]


def _example(row: dict) -> Example:
    return Example(row["input"], row["output"], others=tuple(row["others"]))

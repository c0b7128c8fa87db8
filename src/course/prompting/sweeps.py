"""Sweeps: many small measurements of prompted models, side by side, on one machine or on many.

A sweep is a grid of cells (model, task, condition, number of demonstrations, seed). Each cell
depends on nothing but itself, so ``joblib`` may compute them in any order, in any process and on
any machine: the table is the same. With a folder every cell is stored as soon as it is known, and a
sweep that was stopped goes on where it was.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from joblib.parallel import get_active_backend

from course.foundation import write_text
from course.foundation.progress import progress_bar
from course.foundation.validation import boolean, check_fields, each, integer, one_of, text
from course.lm.contract import TextModel
from course.lm.language_model import load
from course.models.hub import TIERS, tier
from course.models.roles import check_model, model_fingerprint
from course.prompting.ablations import CONDITIONS
from course.prompting.evaluation import (
    MOST_TOKENS,
    Question,
    all_profiles,
    best_possible,
    changed,
    questions,
    scores,
    usual_template,
)
from course.prompting.prompts import LIST_TEMPLATES, PLAIN, UNSEEN_TEMPLATES, Template
from course.tasks.hub_data import HUB_DATA
from course.tasks.local_data import LOCAL_DATA
from course.tasks.registry import source_of, task_names
from course.world.exercises import EXERCISES
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.split import SPLITS, TEST

#: Raised whenever the way a cell is measured changes; cells that were stored before are then
#: measured anew.
VERSION = 2
#: Cells for each process that are given out together to a backend which tells nothing before all
#: are done.
_AT_ONCE = 4
#: The layouts that a cell can name; ``"usual"`` is the one in which the model knows the task, see
#: :func:`usual_template`.
TEMPLATES: dict[str, Template] = LIST_TEMPLATES | UNSEEN_TEMPLATES | {"plain": PLAIN}


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        model: as :func:`course.lm.load` takes it: a role, a folder, or a repository of the hub.
        task: a name that :func:`course.tasks.load_task` knows.
        condition: what is done to the demonstrations, one of :data:`course.prompting.CONDITIONS`.
        shots: how many demonstrations.
        seed, count, split: of the questions.
        template: a key of :data:`TEMPLATES`, or ``"usual"``.
        titled: whether a title says what is asked, for lists of the micro-world.
        written: whether answers that are labels are written, too, rather than chosen.
        foreign: inputs that stand in for the task's own under that condition.
        tier: where the model and the task come from.
    """

    model: str
    task: str
    condition: str
    shots: int
    seed: int
    count: int = 100
    split: str = TEST
    template: str = "usual"
    titled: bool = False
    written: bool = False
    foreign: tuple[str, ...] = ()
    tier: str = "tiny"

    def __post_init__(self) -> None:
        check_fields(
            self,
            model=text(),
            task=text(),
            condition=text(),
            shots=integer(0),
            seed=integer(),
            count=integer(1),
            split=one_of(SPLITS),
            template=text(),
            titled=boolean(),
            written=boolean(),
            foreign=each(text()),
            tier=one_of(TIERS),
        )
        check_model(self.model, self.tier)
        if self.condition not in CONDITIONS:
            raise ValueError(
                f"no condition {self.condition!r}; choose from {', '.join(CONDITIONS)}"
            )
        if self.task not in task_names():
            raise ValueError(f"no task {self.task!r}; choose from {', '.join(task_names())}")
        source_of(self.task, self.tier)
        if self.template != "usual" and self.template not in TEMPLATES:
            raise ValueError(
                f"no template {self.template!r}; choose from usual, {', '.join(TEMPLATES)}"
            )
        if self.titled and self.task not in list_tasks():
            raise ValueError(
                f"no title for {self.task!r}: expected a list of the micro-world, one of"
                f" {', '.join(list_tasks())}"
            )
        if self.condition == "foreign" and not self.foreign:
            raise ValueError(
                "condition 'foreign' without other inputs: give inputs that are none of the task,"
                " e.g. foreign=tuple(course.world.lexicon.WEATHER)"
            )

    @property
    def file(self) -> str:
        """The name of the file that the cell is stored in: readable, and different for different
        cells, weights and data.

        Raises:
            HubError: if the hub does not name the revision of the model or of the data set.
        """
        key = json.dumps([VERSION, self._source(), asdict(self)])
        digest = blake2b(key.encode(), digest_size=8).hexdigest()
        return f"{self.task}-{self.condition}-{self.shots}-{self.seed}-{digest}.json"

    def _source(self) -> str | list[str]:
        """What was measured, beside the cell itself. The data of the tiny tier come with the code,
        so that :data:`VERSION` says it.
        """
        if self.tier == "tiny":
            return model_fingerprint(self.model, self.tier)
        real = HUB_DATA if self.tier == "hub" else LOCAL_DATA
        return [model_fingerprint(self.model, self.tier), real[self.task].fingerprint()]


def grid(
    tasks: Sequence[str],
    shots: Sequence[int],
    seeds: Sequence[int],
    models: Sequence[str] = ("gpt-large",),
    conditions: Sequence[str] = ("gold",),
    **settings: Any,
) -> list[Cell]:
    """The cells of a sweep. Where the corpus has no documents of so many items, that number of
    demonstrations is left out.

    Args:
        settings: further fields of :class:`Cell`, the same for all.

    Raises:
        ValueError: for an impossible cell, or if there is none: nothing was asked for, or more
            demonstrations everywhere than any document has.
    """
    where = {"tier": tier(), **settings}
    cells = [
        Cell(m, t, c, k, s, **where)
        for m, t, c, k, s in product(models, tasks, conditions, shots, seeds)
    ]
    known = list_tasks() | EXERCISES
    kept = [
        cell
        for cell in cells
        if where["tier"] != "tiny" or cell.task not in known or cell.shots < known[cell.task].most
    ]
    if not cells:
        wanted = {
            "tasks": tasks,
            "shots": shots,
            "seeds": seeds,
            "models": models,
            "conditions": conditions,
        }
        raise ValueError(
            f"no {', no '.join(name for name, values in wanted.items() if not values)}: expected at"
            " least one of each"
        )
    if not kept:
        most = ", ".join(f"{known[task].most - 1} ({task})" for task in tasks if task in known)
        raise ValueError(
            f"shots={list(shots)}: more demonstrations than any document of the corpus has;"
            f" expected at most {most}"
        )
    return kept


@lru_cache(maxsize=4)
def _loaded(model: str, wanted_tier: str) -> TextModel:
    return load(model, wanted_tier)


def measure(cell: Cell) -> float:
    """Mean score of the cell's questions, in percent: their accuracy, unless the task's metric is
    another one.

    Answers of the micro-world's lists are one word each, so what is written is the next token.
    """
    model = _loaded(cell.model, cell.tier)
    most = 1 if cell.tier == "tiny" and cell.task in list_tasks() else MOST_TOKENS
    return 100 * float(scores(model, _questions(cell), cell.written, most).mean())


def ceiling(cell: Cell, relabel: float = 0.2) -> float:
    """Accuracy of the exact posterior on the same questions, in percent; for tasks that are lists
    of the micro-world.

    Where the cell lets a model choose among labels, the posterior chooses among them, too.

    Args:
        relabel: the label knob of the corpus. After a title the posterior knows the task, and that
            no label is renamed.

    Raises:
        ValueError: if no list of the corpus holds the items, as under the condition ``"foreign"``.
    """
    posterior = Posterior(0.0, [cell.task]) if cell.titled else Posterior(relabel)
    return 100 * float(best_possible(_questions(cell), posterior, cell.written).mean())


def _questions(cell: Cell) -> list[Question]:
    """The questions of a cell, with their demonstrations under its condition."""
    tasks = all_profiles(cell.task, cell.tier)
    title = list_tasks()[cell.task].title if cell.titled else ""
    template = (
        usual_template(cell.task, cell.tier)
        if cell.template == "usual"
        else TEMPLATES[cell.template]
    )
    unchanged = questions(
        tasks,
        cell.shots,
        cell.count,
        cell.seed,
        template=template,
        instruction=title,
        split=cell.split,
    )
    return changed(unchanged, cell.condition, cell.seed, cell.foreign)


def run(
    cells: Sequence[Cell],
    folder: Path | None = None,
    jobs: int | None = None,
    bar: bool | None = None,
) -> pd.DataFrame:
    """Measure cells, in parallel if wanted.

    Args:
        folder: where every cell is stored as soon as it is known, by the process that asked for it;
            cells that are there are not measured again.
        jobs: processes (default: one). Another backend is chosen around the call: :func:`on_ray`,
            or ``joblib.parallel_config``.
        bar: show a progress bar (default: if somebody watches).

    Returns:
        A row for each cell, in their order: its model, task, condition, shots and seed, and its
            ``accuracy`` in percent.

    Raises:
        ValueError: for a stored cell that is damaged.
    """
    known = {cell: value for cell in cells if (value := _stored(cell, folder)) is not None}
    missing = [cell for cell in dict.fromkeys(cells) if cell not in known]
    with progress_bar("sweep", len(cells) - len(missing), len(cells), bar) as shown:
        for cell, value in _measured(missing, jobs):
            known[cell] = value
            _store(cell, value, folder)
            shown.update()
    named = ("model", "task", "condition", "shots", "seed")
    return pd.DataFrame(
        [
            {name: getattr(cell, name) for name in named} | {"accuracy": known[cell]}
            for cell in cells
        ]
    )


def sweep(
    tasks: Sequence[str],
    shots: Sequence[int],
    seeds: Sequence[int],
    folder: Path | None = None,
    jobs: int | None = None,
    bar: bool | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Accuracy of prompted models by task, number of demonstrations and seed: :func:`run` over a
    :func:`grid`.

    Args:
        settings: further arguments of :func:`grid`: models, conditions, and what is the same for
            all cells.
    """
    return run(grid(tasks, shots, seeds, **settings), folder, jobs, bar)


def _measured(cells: list[Cell], jobs: int | None) -> Iterator[tuple[Cell, float]]:
    """The cells with their values, each as soon as it is known, or, if the backend cannot tell, a
    few at a time.
    """
    backend, configured = get_active_backend()
    if getattr(backend, "supports_return_generator", False):
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(
            delayed(_with_cell)(cell) for cell in cells
        )
        return
    some = _AT_ONCE * max(1, backend.effective_n_jobs(jobs or configured or 1))
    # the same workers for all: each has loaded torch and its models
    with Parallel(n_jobs=jobs) as parallel:
        for first in range(0, len(cells), some):
            yield from parallel(delayed(_with_cell)(cell) for cell in cells[first : first + some])


def _with_cell(cell: Cell) -> tuple[Cell, float]:
    return cell, measure(cell)


def _stored(cell: Cell, folder: Path | None) -> float | None:
    if folder is None or not (path := folder / cell.file).exists():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        value = stored.pop("accuracy")
        if stored != json.loads(json.dumps(asdict(cell))):
            raise ValueError("it is another cell's")
        if isinstance(value, bool) or not 0 <= value <= 100:
            raise ValueError(f"accuracy={value!r}, expected a number from 0 to 100")
        return float(value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}): expected a stored cell of a sweep; delete it, and it"
            " is measured anew"
        ) from error


def _store(cell: Cell, value: float, folder: Path | None) -> None:
    if folder is not None:
        write_text(folder / cell.file, json.dumps(asdict(cell) | {"accuracy": value}) + "\n")

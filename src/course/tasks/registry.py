"""Task registry: ``load_task`` gives a task by name, with data from the source of its tier.

``load_task("sentiment")`` has the columns of SST-2, ``"inference"`` those of SNLI, ``"entities"``
those of CoNLL-2003, ``"extraction"`` those of SQuAD, ``"problem"`` those of GSM8K; the other tasks
have ``input`` and ``output``. So real data, or a reader's own, takes the same road as the
micro-world's: in the hub tier these five are the well-known sets themselves, and in the index tier
what the reader's folder has of them (:mod:`course.tasks.local_data`).
"""

from collections.abc import Callable, Mapping

from course.models.hub import tier
from course.tasks import micro_world
from course.tasks.hub_data import HUB_DATA
from course.tasks.local_data import LOCAL_DATA
from course.tasks.task import Selection, Source, Task
from course.world import exercises, lists
from course.world.instructions import HEAD_INSTRUCTIONS, INSTRUCTIONS
from course.world.split import SPLITS, TEST, TRAIN, VALIDATION

__all__ = [
    "HUB_DATA",
    "SIZES",
    "SOURCES",
    "Task",
    "clusters",
    "load_task",
    "source_of",
    "task_names",
]

#: How many examples of an open task are drawn for each split (the hub's sets are shortened to as
#: many). A task with a table has what its table has.
SIZES = {TRAIN: 2000, VALIDATION: 200, TEST: 500}

#: Tier -> the sources of its tasks by name. Another kind of data is another entry here.
SOURCES: dict[str, Callable[[], Mapping[str, Source]]] = {
    "tiny": micro_world.sources,
    "index": lambda: LOCAL_DATA,
    "hub": lambda: HUB_DATA,
}


def task_names() -> tuple[str, ...]:
    """The names that :func:`load_task` knows, in the order of their clusters."""
    cluster_of = clusters()
    return tuple(sorted(cluster_of, key=lambda name: (cluster_of[name], name)))


def clusters() -> dict[str, str]:
    """Task -> its cluster."""
    kinds = lists.list_tasks() | exercises.EXERCISES
    return {name: kind.cluster for name, kind in kinds.items()} | micro_world.HEAD_TASKS


def source_of(name: str, wanted_tier: str | None = None) -> Source:
    """The source of a task's data, with its schema and its licence.

    Args:
        name: one of :func:`task_names`, in a tier of real models one that has a data set.
        wanted_tier: overrides ``COURSE_TIER``.

    Raises:
        ValueError: for an unknown task or tier, with the names that exist.
    """
    if name not in task_names():
        raise ValueError(f"no task {name!r}; choose from {', '.join(task_names())}")
    chosen = tier(wanted_tier)
    sources = SOURCES[chosen]()
    if name not in sources:
        raise ValueError(
            f"no data set for the task {name!r} in the {chosen} tier; "
            f"choose from {', '.join(sources)}, or load it with wanted_tier='tiny'"
        )
    return sources[name]


def load_task(
    name: str,
    profile: str | None = None,
    seed: int = 0,
    sizes: dict[str, int] | None = None,
    wanted_tier: str | None = None,
) -> Task:
    """One task, of the micro-world (``tiny``) or with the well-known data set of its kind
    (``index``: from the reader's folder, else the hub; ``hub``).

    Args:
        name: one of :func:`task_names`, in a tier of real models one that has a data set.
        profile: whose profile, for ``"dialect"`` and ``"verdict"`` (default: the first).
        seed: of the examples drawn, for open tasks and real sets.
        sizes: number of examples a split for open tasks, and at most for real sets (default
            :data:`SIZES`).
        wanted_tier: overrides ``COURSE_TIER``.

    Raises:
        ValueError: for an unknown task, profile, split or tier, with the names that exist.
        HubError: if a data set cannot be fetched or has another schema than expected.
        DataError: if neither the reader's folder nor the hub has it.
    """
    source = source_of(name, wanted_tier)
    if unknown := [split for split in sizes or () if split not in SPLITS]:
        raise ValueError(f"no split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    if profile is not None and profile not in source.profiles:
        raise ValueError(
            f"task {name!r} has no profile {profile!r}; "
            f"choose from {', '.join(source.profiles) or 'none'}"
        )
    data = source.load(Selection(SIZES | (sizes or {}), seed, profile))
    instructions = (INSTRUCTIONS | HEAD_INSTRUCTIONS)[name]
    schema = source.schema
    return Task(name, clusters()[name], instructions, schema.labels, data, schema.read)

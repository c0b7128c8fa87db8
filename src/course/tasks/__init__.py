"""Tasks and data sets, and how answers are graded: ``load_task``, metrics, answer parsing."""

from course.foundation.lazy import lazy_names

_NAMES = {
    "registry": ["HUB_DATA", "HubData", "Task", "clusters", "load_task", "task_names"],
    "instruction_induction": ["induction_names", "load_induction_task"],
    "metrics": ["METRICS", "best_score"],
    "answer_parsing": ["NO_ANSWER", "numbers", "parse_answer", "same_answer"],
}
__all__ = [
    "HUB_DATA",
    "HubData",
    "METRICS",
    "NO_ANSWER",
    "Task",
    "best_score",
    "clusters",
    "induction_names",
    "load_induction_task",
    "load_task",
    "numbers",
    "parse_answer",
    "same_answer",
    "task_names",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)

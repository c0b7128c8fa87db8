"""Tasks and data sets, and how answers are graded: ``load_task``, metrics, answer parsing."""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "registry": ["SOURCES", "clusters", "load_task", "source_of", "task_names"],
        "task": ["Selection", "Source", "Task"],
        "schemas": ["Schema"],
        "hub_data": ["HUB_DATA", "HubData"],
        "local_data": ["DataError", "LOCAL_DATA", "LocalData"],
        "instruction_induction": ["induction_folder", "induction_names", "load_induction_task"],
        "metrics": ["METRICS", "best_score"],
        "answer_parsing": ["NO_ANSWER", "numbers", "parse_answer", "same_answer"],
    },
)

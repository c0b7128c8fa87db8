"""Checkers of chapter 4b: the loss mask of a completion, and a split that holds out a cluster."""

from collections.abc import Callable, Mapping

from course.check.verdict import Verdict, cases, judge

#: As ``course.training.packing.IGNORED``, whose module needs torch.
_IGNORED = -100


def completion_labels(answer: Callable[[list[int], list[int], int], list[int]]) -> Verdict:
    """Check ``completion_labels(prompt, completion, length)``: the labels of a prompt with its
    completion, padded on the right to ``length``, for a model that shifts labels itself (as those
    of transformers do). Only the completion counts; all else is -100.
    """
    hint = f"{_IGNORED} at each token of the prompt, then the completion's ids, unshifted"
    both = {"prompt": [5, 6, 7], "completion": [8, 9]}
    return judge(
        "completion_labels",
        answer,
        [
            *cases(_labels, hint, both | {"length": 5}),
            *cases(_labels, f"padding does not count: {_IGNORED}", both | {"length": 7}),
            *cases(
                _labels,
                "an id of the prompt may occur in the completion: mask by place, not by value",
                {"prompt": [5, 8], "completion": [8, 5], "length": 4},
            ),
            *cases(
                _labels,
                "an empty prompt masks nothing",
                {"prompt": [], "completion": [4], "length": 2},
            ),
        ],
    )


def _labels(prompt: list[int], completion: list[int], length: int) -> list[int]:
    labels = []
    for place in range(length):
        inside = 0 <= place - len(prompt) < len(completion)
        labels.append(completion[place - len(prompt)] if inside else _IGNORED)
    return labels


def leave_cluster_out(
    answer: Callable[[Mapping[str, tuple[str, ...]], str], tuple[list[str], list[str]]],
) -> Verdict:
    """Check ``leave_cluster_out(clusters, held_out)``: the tasks to tune on and the tasks to test,
    in the order given, where ``clusters`` says to which clusters each task belongs. A task that
    has one foot in the held-out cluster is not tuned on.
    """
    tasks = {
        "capitals": ("geography",),
        "colours": ("facts",),
        "currencies": ("geography", "money"),
        "prices": ("money",),
    }
    return judge(
        "leave_cluster_out",
        answer,
        [
            *cases(
                _split,
                "all tasks of the cluster are held out, not one of them",
                {"clusters": {"a": ("x",), "b": ("x",), "c": ("y",)}, "held_out": "x"},
            ),
            *cases(
                _split,
                "a task of several clusters is held out with each of them",
                {"clusters": tasks, "held_out": "geography"},
                {"clusters": tasks, "held_out": "money"},
            ),
            *cases(
                _split,
                "compare whole names: 'fact' is another cluster than 'facts'",
                {"clusters": {"a": ("facts",), "b": ("fact",)}, "held_out": "fact"},
            ),
        ],
    )


def _split(clusters: Mapping[str, tuple[str, ...]], held_out: str) -> tuple[list[str], list[str]]:
    train: list[str] = []
    test: list[str] = []
    for task, names in clusters.items():
        (test if any(name == held_out for name in names) else train).append(task)
    return train, test

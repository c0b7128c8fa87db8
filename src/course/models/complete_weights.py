"""Missing, misshapen and left-over weights: a checkpoint is refused unless it has just the weights
of its model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from course.models.hub import HubError
from course.models.shipped import WeightsError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class IncompleteCheckpoint(WeightsError, HubError):
    """A checkpoint does not have the weights that its model needs."""


def check_complete(
    place: str, model: PreTrainedModel, report: dict, fresh_head: bool = False
) -> None:
    """Refuse a checkpoint with other weights than its model has.

    Weights that are tied to others and those that ``transformers`` knows to be of no use are not in
    its report. Of what the model needs nothing may be missing. Of what it has no place for, another
    task's head does not matter; a weight of the body does, since without it the model is not the
    one that was trained (layers left out, a bias ignored, an adapter's or a quantiser's numbers).
    BERT's pooler counts as a part of the heads that read it.

    Raises:
        IncompleteCheckpoint: with the names.
    """

    def of_body(key: str) -> bool:
        return _in_body(model, key) and "pooler" not in key.split(".")

    missing = [key for key in report["missing_keys"] if not fresh_head or of_body(key)]
    other = [
        f"{key} {tuple(has)} instead of {tuple(needs)}"
        for key, has, needs in report["mismatched_keys"]
        if not fresh_head or of_body(key)
    ]
    extra = [key for key in report["unexpected_keys"] if of_body(key)]
    kinds = {
        "has no weights": missing,
        "has weights in other shapes:": other,
        "has weights without a place:": extra,
    }
    problems = [f"{kind} {_listed(names)}" for kind, names in kinds.items() if names]
    if problems:
        raise IncompleteCheckpoint(
            f"{place} {' and '.join(problems)} for {type(model).__name__}; take another checkpoint"
        )


def _in_body(model: PreTrainedModel, key: str) -> bool:
    """Whether a weight belongs to the model without its head; checkpoints of bodies alone leave the
    first part of the name out.
    """
    body, first = model.base_model, key.split(".")[0]
    return body is model or first == model.base_model_prefix or first in dict(body.named_children())


def _listed(names: Iterable[str], most: int = 8) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

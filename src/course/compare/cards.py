"""The card of each method that a comparison has kept: what it is, how good, under which licence,
and how it is used with plain ``transformers`` and ``peft``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from course.compare.base import CARD_FILE, METHOD_FILE
from course.compare.bodies import ModelChoice
from course.compare.card_code import code
from course.compare.registry import METHODS
from course.compare.task import TableTask
from course.foundation import write_text

if TYPE_CHECKING:
    from course.compare.result import Comparison


def write_cards(result: "Comparison", folder: Path) -> None:
    """A README for everything that was learned and kept."""
    for name, place in result.learned().items():
        target = folder / "methods" / name
        if target.is_dir():
            write_text(target / CARD_FILE, card(result, name, place))


def card(result: "Comparison", name: str, place: Path) -> str:
    """The card of a method: what it is, how good, and how it is loaded without this package."""
    method, task = METHODS[name], result.data.task
    body = result.choice.causal if method.body == "causal" else result.choice.encoder
    lines = [
        f"# {method.title}: {task.label} of {', '.join(task.text)}",
        "",
        f"Learned from {result.full_size(name):,} labelled items of "
        f"{Path(result.data.source).name}.",
    ]
    if name in result.complete():
        score = result.score(name)
        lines.append(
            f"{task.measure}: {score.mean:.1f} % (95 % interval {score.low:.1f} to "
            f"{score.high:.1f}) on "
            f"{score.items} items of the same table; other texts may be harder."
        )
    if method.body in ("causal", "encoder"):
        licence = result.choice.licence(body)
        title = result.choice.title(body) if body else body
        lines.append(f"Model: {title}, licence {licence or 'not stated'}.")
    lines += [
        "",
        f"    course use {place.parent.parent.name}/ --method {name} < new.csv > labelled.csv",
        "",
    ]
    return "\n".join([*lines, *_loading(name, place, task, result.choice)]) + "\n"


def _loading(name: str, place: Path, task: TableTask, choice: ModelChoice) -> list[str]:
    """How the method is used without this package, from its own folder."""
    stored = json.loads((place / METHOD_FILE).read_text(encoding="utf-8"))
    if lines := code(METHODS[name], stored, choice, task):
        return ["```python", *lines, "```"]
    return ["What was learned stands in this folder as text (`method.json`) and safetensors."]

"""The card of each method that a comparison has kept: what it is, how good, under which licence,
and how it is loaded with plain ``transformers`` and ``peft``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from course.compare.base import CARD_FILE
from course.compare.bodies import ModelChoice
from course.compare.registry import METHODS
from course.foundation import write_text
from course.models.shipped import WEIGHTS

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
    return "\n".join([*lines, *_loading(name, place, len(task.labels), result.choice)]) + "\n"


def _loading(name: str, place: Path, labels: int, choice: ModelChoice) -> list[str]:
    """Lines that load what was learned with plain peft and transformers."""
    stored = json.loads((place / "method.json").read_text(encoding="utf-8"))
    if "adapter" not in stored:
        return ["What was learned stands in this folder as text (`method.json`) and safetensors."]
    base = stored["base"]
    generator = METHODS[name].body == "causal"
    kind = "CausalLM" if generator else "SequenceClassification"
    if not generator and stored["task"]["kind"] == "tags":
        kind = "TokenClassification"
    auto, more = f"AutoModelFor{kind}", "" if generator else f", num_labels={labels}"
    if not stored["adapter"]:
        return [
            "```python",
            f"from transformers import {auto}",
            f'model = {auto}.from_pretrained("model")',
            "```",
        ]
    needs = (
        ["import course.adapters  # peft does not know BitFit by itself"]
        if name == "bitfit"
        else []
    )
    return [
        "```python",
        *needs,
        "from peft import PeftModel",
        f"from transformers import {auto}",
        *_base(base, choice, auto, more),
        'model = PeftModel.from_pretrained(base, "model")',
        "```",
    ]


def _base(name: str, choice: ModelChoice, auto: str, more: str) -> list[str]:
    """Lines that load the model under an adapter in single precision, as it was trained; a shipped
    model that is an adapter itself is merged into the one below it first.
    """
    single = f'{more}, dtype="float32")'
    if "/" in name or choice.tier == "hub":
        place = name if "/" in name else choice.title(name)
        return [f'base = {auto}.from_pretrained("{place}"{single}']
    single += "  # the folder of the base model"
    if choice.tier == "index":
        return [f'base = {auto}.from_pretrained("{choice.title(name)}"{single} (course models)']
    config = WEIGHTS / name / "adapter_config.json"
    if not config.exists():
        return [f'base = {auto}.from_pretrained("{name}"{single}']
    below = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    return [
        f'base = {auto}.from_pretrained("{below}"{single}',
        f'base = PeftModel.from_pretrained(base, "{name}").merge_and_unload()',
    ]

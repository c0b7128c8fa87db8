"""The card of each method that a comparison has kept: what it is, how good, under which licence,
and how it is loaded with plain ``transformers`` and ``peft``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from course.compare.base import CARD_FILE
from course.compare.bodies import ModelChoice
from course.compare.encoders import FrozenHead
from course.compare.registry import METHODS
from course.compare.task import TableTask
from course.foundation import write_text
from course.models.shipped import WEIGHTS

if TYPE_CHECKING:
    from course.compare.result import Comparison


#: The vector of a text under a frozen encoder, of a pair, and those of the words of a text.
_MEAN = (
    "def vector(text):",
    '    read = tokenizer(text, return_tensors="pt")',
    "    return body(**read).last_hidden_state[0].mean(0)",
)
_PAIR = (
    "def pair(texts):",
    "    a, b = map(vector, texts)",
    "    return torch.cat([a, b, (a - b).abs(), a * b])",
)
_TAGS = (
    "def vector(text):",
    '    read = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")',
    "    words = read.word_ids(0)",
    "    firsts = [words.index(n) for n in range(len(text.split()))]",
    "    return body(**read).last_hidden_state[0][firsts]",
)


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
    """Lines that load what was learned with plain peft and transformers."""
    stored = json.loads((place / "method.json").read_text(encoding="utf-8"))
    if isinstance(METHODS[name], FrozenHead):
        return _frozen(choice, task)
    if "adapter" not in stored:
        return ["What was learned stands in this folder as text (`method.json`) and safetensors."]
    base = stored["base"]
    generator = METHODS[name].body == "causal"
    kind = "CausalLM" if generator else "SequenceClassification"
    if not generator and task.kind == "tags":
        kind = "TokenClassification"
    auto, more = f"AutoModelFor{kind}", "" if generator else f", num_labels={len(task.labels)}"
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


def _frozen(choice: ModelChoice, task: TableTask) -> list[str]:
    """Lines that encode a text, and answer it by the stored head."""
    assert choice.encoder is not None, "there is no head without an encoder"
    place = _place(choice.encoder, choice)
    given, vector = ('("a text", "another")', "pair") if task.is_pair else ('"a text"', "vector")
    lines = _TAGS if task.kind == "tags" else [*_MEAN, *(_PAIR if task.is_pair else ())]
    return [
        "```python",
        "import json",
        "from pathlib import Path",
        "import torch",
        "from safetensors.torch import load_file",
        "from transformers import AutoModel, AutoTokenizer",
        f'encoder = "{place}"{"" if "/" in place else "  # the folder of the encoder"}',
        "tokenizer = AutoTokenizer.from_pretrained(encoder)",
        'body = AutoModel.from_pretrained(encoder, dtype="float32").eval()',
        'head = load_file("head.safetensors")',
        'classes = json.loads(Path("method.json").read_text(encoding="utf-8"))["classes"]',
        *lines,
        f"text = {given}",
        "with torch.inference_mode():",
        f"    scaled = ({vector}(text) - head['centre']) / head['scale']",
        '    scores = scaled @ head["weights"].T + head["bias"]',
        "answer = [classes[i] for i in scores.argmax(-1).reshape(-1)]",
        "```",
    ]


def _base(name: str, choice: ModelChoice, auto: str, more: str) -> list[str]:
    """Lines that load the model under an adapter in single precision, as it was trained; a shipped
    model that is an adapter itself is merged into the one below it first.
    """
    single = f'{more}, dtype="float32")'
    place = _place(name, choice)
    if "/" in place:
        return [f'base = {auto}.from_pretrained("{place}"{single}']
    single += "  # the folder of the base model"
    if choice.tier == "index":
        return [f'base = {auto}.from_pretrained("{place}"{single} (course models)']
    config = WEIGHTS / name / "adapter_config.json"
    if not config.exists():
        return [f'base = {auto}.from_pretrained("{name}"{single}']
    below = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    return [
        f'base = {auto}.from_pretrained("{below}"{single}',
        f'base = PeftModel.from_pretrained(base, "{name}").merge_and_unload()',
    ]


def _place(name: str, choice: ModelChoice) -> str:
    """Where a model is loaded from: a path, a repository, or the name of a folder."""
    return name if "/" in name or choice.tier == "tiny" else choice.title(name)

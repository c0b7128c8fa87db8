"""Python that answers with a kept method without this package, as the method's card has it: lines
of ``transformers``, ``peft``, ``safetensors`` and ``scikit-learn``.

A method is kept in the form that these packages read. BitFit, which ``peft`` does not have, is
kept as changes of biases, which are added to those of the model.
"""

import json
from collections.abc import Sequence
from typing import Any

from course.compare.base import Method
from course.compare.bodies import ModelChoice
from course.compare.controls import TfidfMethod
from course.compare.frozen_head import FrozenHead
from course.compare.generators import TunedGenerator
from course.compare.prompted import ZeroShot
from course.compare.task import TableTask
from course.compare.trained_head import TrainedHead
from course.models.shipped import WEIGHTS

_KEPT = (
    "import json",
    "from pathlib import Path",
    'kept = json.loads(Path("method.json").read_text(encoding="utf-8"))',
)
#: The vector of a text under a frozen encoder, and of a pair.
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
#: The first piece of each word of a text.
_WORDS = (
    'read = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")',
    "words = read.word_ids(0)",
    "firsts = [words.index(n) for n in range(len(text.split()))]",
)
_TAGS = (
    "def vector(text):",
    *(f"    {line}" for line in _WORDS),
    "    return body(**read).last_hidden_state[0][firsts]",
)
#: What BitFit has trained, added to the model's own biases; the head's weights replace it.
_BIASES = (
    "state = base.state_dict()",
    'for name, value in load_file("model/adapter_model.safetensors").items():',
    '    name = name.removeprefix("base_model.model.")',
    '    if ".bitfit_delta." in name:',
    '        state[name.replace(".bitfit_delta.", ".")] += value',
    "    else:",
    "        state[name].copy_(value)",
    "model = base.eval()",
)
#: The likeliest label, less what is taken off each (calibration).
_CHOOSE = (
    "def log_probability(word):",
    "    ids, whole = (",
    '        tokenizer(text, return_tensors="pt", add_special_tokens=special).input_ids',
    "        for text in (prompt, prompt + word)",
    "    )",
    "    count = whole.shape[1] - ids.shape[1]",
    "    scores = model(whole).logits[0, -count - 1 : -1].log_softmax(-1)",
    "    return scores.gather(1, whole[0, -count:, None]).sum()",
    "with torch.inference_mode():",
    '    scores = torch.stack([log_probability(word) for word in kept["words"].values()])',
    'if kept["offsets"]:',
    '    scores = scores.log_softmax(0) - torch.tensor(kept["offsets"])',
    'answer = list(kept["words"])[int(scores.argmax())]',
)
#: A written answer, to the end of its line.
_WRITE = (
    'read = tokenizer(prompt, return_tensors="pt", add_special_tokens=special)',
    "written = model.generate(",
    "    input_ids=read.input_ids,",
    "    attention_mask=read.attention_mask,",
    '    max_new_tokens=kept["room"],',
    "    do_sample=False,",
    ")[0, read.input_ids.shape[1] :]",
    r'answer = tokenizer.decode(written, skip_special_tokens=True).split("\n")[0].strip()',
)
_TFIDF = (
    "from safetensors.numpy import load_file",
    "from scipy.sparse import hstack",
    "from sklearn.feature_extraction.text import TfidfVectorizer",
    *_KEPT,
    'numbers = load_file("weights.safetensors")',
    'terms = json.loads(Path("terms.json").read_text(encoding="utf-8"))',
    r'words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\S+")',
    'letters = TfidfVectorizer(sublinear_tf=True, ngram_range=(2, 4), analyzer="char_wb")',
    'text = "a text"',
    "features = []",
    "for number, vectorizer in enumerate([words, letters]):",
    "    vectorizer.vocabulary = terms[number]",
    '    vectorizer.idf_ = numbers[f"idf{number}"].astype("float64")',
    "    features.append(vectorizer.transform([text]))",
    'scores = hstack(features) @ numbers["weights"].T + numbers["bias"]',
    'answer = kept["classes"][int(scores.argmax())]',
)


def code(method: Method, stored: dict[str, Any], choice: ModelChoice, task: TableTask) -> list[str]:
    """The lines of a method's card, imports first; they end with an ``answer``. None for what is no
    model: an answer that is always the same, and a control without a head.

    Args:
        stored: what the method's file says.
        choice: the models that it was kept with.
    """
    lines = _lines(method, stored, choice, task)
    imports = {line for line in lines if line.startswith(("import ", "from "))}
    return [
        *sorted(imports, key=lambda line: (line.startswith("from"), line)),
        *(line for line in lines if line not in imports),
    ]


def _lines(
    method: Method, stored: dict[str, Any], choice: ModelChoice, task: TableTask
) -> list[str]:
    if isinstance(method, FrozenHead):
        return _frozen(choice, task)
    if isinstance(method, TrainedHead):
        return _trained(method, stored, choice, task)
    if isinstance(method, TunedGenerator):
        return _writer(_tuned(stored, choice, "AutoModelForCausalLM"), stored, choice, task)
    if isinstance(method, ZeroShot) and method.body == "causal":
        assert choice.causal is not None, "there is no prompt without a model"
        merged = ["from peft import PeftModel"] if _below(choice.causal, choice) else []
        loaded = _base(choice.causal, choice, "AutoModelForCausalLM")
        return _writer([*merged, *loaded, "model = base.eval()"], stored, choice, task)
    if isinstance(method, TfidfMethod) and task.kind == "labels":
        return list(_TFIDF)
    return []


def _frozen(choice: ModelChoice, task: TableTask) -> list[str]:
    """Lines that encode a text, and answer it by the stored head."""
    assert choice.encoder is not None, "there is no head without an encoder"
    given, vector = ('("a text", "another")', "pair") if task.is_pair else ('"a text"', "vector")
    lines = _TAGS if task.kind == "tags" else [*_MEAN, *(_PAIR if task.is_pair else ())]
    return [
        "import torch",
        "from safetensors.torch import load_file",
        "from transformers import AutoModel, AutoTokenizer",
        *_KEPT,
        *_tokenizer(choice.encoder, choice),
        f'body = AutoModel.from_pretrained("{_place(choice.encoder, choice)}", dtype="float32")',
        'head = load_file("head.safetensors")',
        *lines,
        f"text = {given}",
        "with torch.inference_mode():",
        f"    scaled = ({vector}(text) - head['centre']) / head['scale']",
        '    scores = scaled @ head["weights"].T + head["bias"]',
        'answer = [kept["classes"][i] for i in scores.argmax(-1).reshape(-1)]',
    ]


def _trained(
    method: TrainedHead, stored: dict[str, Any], choice: ModelChoice, task: TableTask
) -> list[str]:
    """Lines that load a head with its encoder, and answer a text."""
    auto = f"AutoModelFor{'Token' if task.kind == 'tags' else 'Sequence'}Classification"
    more = f", num_labels={len(task.labels)}"
    loaded = _tuned(stored, choice, auto, more)
    if method.adapter == "bitfit":
        loaded = [
            "from safetensors.torch import load_file",
            *_base(stored["base"], choice, auto, more),
            *_BIASES,
        ]
    given = '"a text", "another"' if task.is_pair else '"a text"'
    asked = [f'read = tokenizer({given}, return_tensors="pt")']
    if task.kind == "tags":
        asked = ['text = "a text"', *_WORDS]
    return [
        "import torch",
        f"from transformers import {auto}, AutoTokenizer",
        *_KEPT,
        *loaded,
        *_tokenizer(stored["base"], choice),
        *asked,
        "with torch.inference_mode():",
        f"    scores = model(**read).logits[0]{'[firsts]' if task.kind == 'tags' else ''}",
        'answer = [kept["task"]["labels"][i] for i in scores.argmax(-1).reshape(-1)]',
    ]


def _tuned(stored: dict[str, Any], choice: ModelChoice, auto: str, more: str = "") -> list[str]:
    """Lines that load a model that was trained, or its adapter."""
    if not stored["adapter"]:
        return [f'model = {auto}.from_pretrained("model").eval()']
    return [
        "from peft import PeftModel",
        *_base(stored["base"], choice, auto, more),
        'model = PeftModel.from_pretrained(base, "model").eval()',
    ]


def _writer(
    loaded: Sequence[str], stored: dict[str, Any], choice: ModelChoice, task: TableTask
) -> list[str]:
    """Lines that load a model by others, and answer a text behind the stored prompt."""
    assert choice.causal is not None, "nothing writes without a model"
    return [
        "import torch",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        *_KEPT,
        *loaded,
        *_tokenizer(choice.causal, choice),
        'prompt = kept["prompt"].replace("{text}", "a text")',
        *_framed(stored),
        *(_CHOOSE if task.kind == "labels" else _WRITE),
    ]


def _framed(stored: dict[str, Any]) -> list[str]:
    """Lines that put the prompt into a chat, where the method does so; the vectors of a soft prompt
    stand where a tokenizer might put a token of its own.
    """
    if not stored["chat"]:
        return [f"special = {not stored.get('virtual_tokens')}  # tokens that the tokenizer adds"]
    return [
        "special = tokenizer.chat_template is None  # tokens that the tokenizer adds",
        "if not special:",
        "    prompt = tokenizer.apply_chat_template(",
        '        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True',
        "    )",
        '    kept["words"] = {label: word.lstrip() for label, word in kept["words"].items()}',
    ]


def _base(name: str, choice: ModelChoice, auto: str, more: str = "") -> list[str]:
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
    if (below := _below(name, choice)) is None:
        return [f'base = {auto}.from_pretrained("{name}"{single}']
    return [
        f'base = {auto}.from_pretrained("{below}"{single}',
        f'base = PeftModel.from_pretrained(base, "{name}").merge_and_unload()',
    ]


def _tokenizer(name: str, choice: ModelChoice) -> list[str]:
    place = _below(name, choice) or _place(name, choice)
    return [f'tokenizer = AutoTokenizer.from_pretrained("{place}")']


def _below(name: str, choice: ModelChoice) -> str | None:
    """The model that a shipped one is an adapter of; None if it is none."""
    config = WEIGHTS / name / "adapter_config.json"
    if choice.tier != "tiny" or "/" in name or not config.exists():
        return None
    return json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]


def _place(name: str, choice: ModelChoice) -> str:
    """Where a model is loaded from: a path, a repository, or the name of a folder."""
    return name if "/" in name or choice.tier == "tiny" else choice.title(name)

"""What stands in the folder of a checkpoint, checked before anything is loaded from it.

A checkpoint is data from strangers, whether it came from the hub or lies in a folder of the user's.
None may run code, be read as a pickle, or lead to files outside its folder.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

from safetensors import safe_open

from course.models.hub import MODEL_FILES, HubError, described, fetch, loading

#: What transformers reads of a checkpoint: one file of weights, or an index of several.
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
#: Types of numbers in which weights can be trained further.
_FLOATS = ("F64", "F32", "F16", "BF16")
#: A program of its own, which imports nothing of the course.
_TRIAL = Path(__file__).with_name("chat_template_trial.py")
#: Seconds that a chat template may take for one short message. Python alone may take one to start.
TEMPLATE_SECONDS = 20.0


def fetch_checkpoint(repository: str, without: tuple[str, ...] = ()) -> Path:
    """:func:`course.models.hub.fetch` for a checkpoint; its settings are checked.

    Raises:
        HubError: as :func:`course.models.hub.fetch` and :func:`check_settings`.
    """
    folder = fetch(repository, "model", without)
    check_settings(repository, folder)
    return folder


def check_settings(repository: str | None, folder: Path) -> None:
    """Refuse a checkpoint that needs more than ``transformers`` and floating-point weights.

    Args:
        repository: its name on the hub; None for a folder of the user's.
        folder: where its files are.

    Raises:
        HubError: for one that asks to run its own code, is quantised, or leads out of its folder.
    """
    place = described(repository, folder)
    _check_links(place, folder)
    for name in ("config.json", "tokenizer_config.json"):
        with loading(repository, folder):
            settings = _json_object(folder / name)
        if "auto_map" in settings:
            raise HubError(
                f"{place} asks to run its own code ({settings['auto_map']} in {name}); expected an "
                "architecture of transformers; choose another checkpoint, "
                "code from a repository is never run"
            )
        if method := _quantisation(settings):
            raise _quantised(place, f"with {method}, as {name} says")


def _json_object(path: Path) -> dict:
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not isinstance(settings, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return settings


def _quantisation(settings: dict) -> str | None:
    """The method by which the weights of a model, or of a part of it, are quantised."""
    for name in ("quantization_config", "compression_config"):
        if method := settings.get(name):
            return (
                str(method.get("quant_method", "bitsandbytes"))
                if isinstance(method, dict)
                else str(method)
            )
    parts = [part for part in settings.values() if isinstance(part, dict)]
    return next((method for part in parts if (method := _quantisation(part))), None)


def _quantised(place: str, how: str) -> HubError:
    return HubError(
        f"{place} is quantised {how}; expected weights in floating point ({', '.join(_FLOATS)}), "
        "which can be trained and need no other library; "
        "choose the checkpoint that it was made from"
    )


def _check_links(place: str, folder: Path) -> None:
    """Refuse links out of the folder; those of the hub's cache lead to its own store of files."""
    in_cache = folder.parent.name == "snapshots" and (folder.parents[1] / "blobs").is_dir()
    inside = (folder.parents[1] if in_cache else folder).resolve()
    for pattern in MODEL_FILES:
        for path in folder.glob(pattern):
            if not path.resolve().is_relative_to(inside):
                raise HubError(
                    f"{path.name} of {place} is a link to {path.resolve()}; "
                    "expected files of the folder itself; put a copy there"
                )


def check_weights(repository: str | None, folder: Path) -> None:
    """Refuse a checkpoint whose weights are not all in safetensors in its folder.

    Raises:
        HubError: if there are none, if an index names anything else, and for weights in whole
            numbers or in eight bits.
    """
    place = described(repository, folder)
    for index in sorted(folder.glob("*.safetensors.index.json")):
        with loading(repository, folder):
            names = _indexed(index)
        for name in names:
            _check_name(place, index.name, name, folder)
    if not any((folder / name).exists() for name in (WEIGHTS, INDEX)):
        raise HubError(
            f"{place} has no weights in safetensors; "
            f"expected safetensors only ({WEIGHTS} or {INDEX}), because loading a "
            "pickle (pytorch_model.bin) can run code; choose another checkpoint or revision"
        )
    _check_other_names(place, repository, folder)
    for path in sorted(folder.glob("*.safetensors")):
        with loading(repository, folder):
            types = _types(path)
        if types:
            name, kind = types[0]
            raise _quantised(place, f"({name} in {path.name} is {kind})")


def _indexed(index: Path) -> list[str]:
    """The files that an index of weights names."""
    content = _json_object(index)
    if not isinstance(content.get("weight_map"), dict) or not isinstance(
        content.get("metadata", {}), dict
    ):
        raise ValueError(f"{index.name} has no weight_map from weights to files")
    return sorted({str(name) for name in content["weight_map"].values()})


def _check_name(place: str, source: str, name: str, folder: Path) -> None:
    """A file of weights is in the folder, and its name alone says that it is in safetensors."""
    bare = name == PurePosixPath(name).name == PureWindowsPath(name).name and not set(
        ':\0"*?<>|'
    ) & set(name)
    if not bare or not name.endswith(".safetensors"):
        raise HubError(
            f"{source} of {place} names {name!r} as a file of weights; expected the bare name of a "
            ".safetensors file in the same folder; choose another checkpoint"
        )
    if not (folder / name).is_file():
        raise HubError(
            f"{source} of {place} names {name!r}, which is not there; expected every file that it "
            "names; choose another checkpoint or fetch it anew"
        )


def _check_other_names(place: str, repository: str | None, folder: Path) -> None:
    """Refuse a setting or a file by which ``transformers`` would read other weights than
    :data:`WEIGHTS`.
    """
    with loading(repository, folder):
        named = _json_object(folder / "config.json").get("transformers_weights")
    if named is not None and named not in (WEIGHTS, INDEX):
        _check_name(place, "config.json", str(named), folder)
    if shards := sorted(folder.glob("shard-*-model-*-of-*.safetensors")):
        raise HubError(
            f"{place} has weights for a distributed run ({shards[0].name}); expected {WEIGHTS} or "
            f"{INDEX}; save it with save_pretrained, or choose another checkpoint"
        )


def num_parameters(folder: Path) -> int:
    """The numbers of a checkpoint's weights, by the heads of its files; none is read."""
    shards = _indexed(folder / INDEX) if (folder / INDEX).exists() else [WEIGHTS]
    count = 0
    for shard in shards:
        with safe_open(folder / shard, framework="pt") as file:
            names = file.keys()
            count += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    return count


def _types(path: Path) -> list[tuple[str, str]]:
    """(weight, type of its numbers) of the weights in a file that are not in floating point."""
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.endswith(".weight")]  # noqa: SIM118 - no dict
        kinds = {name: file.get_slice(name).get_dtype() for name in names}
    return [(name, kind) for name, kind in kinds.items() if kind not in _FLOATS]


def check_chat_template(repository: str | None, folder: Path, template: str) -> None:
    """Try a chat template on one short message, in a process of its own that may be ended.

    Templates are programs: one may fail, never end, or fill the memory.

    Raises:
        HubError: if it does.
    """
    message = [{"role": "user", "content": "one two"}]
    # isolated, so that nothing in the working folder is imported
    command = [sys.executable, "-I", str(_TRIAL)]
    request = json.dumps({"template": template, "messages": message})
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command,
            input=request,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TEMPLATE_SECONDS,
            env=clean,
        )
        problem = None if done.returncode == 0 else (done.stdout.strip() or "it ended its process")
    except subprocess.TimeoutExpired:
        problem = f"it takes more than {TEMPLATE_SECONDS:g} seconds"
    if problem:
        raise HubError(
            f"the chat template of {described(repository, folder)} cannot write one message "
            "of a user: "
            f"{problem[:300]}; choose another checkpoint, or copy its folder without the template "
            "(chat_template.jinja, or chat_template in tokenizer_config.json) and load the copy"
        )

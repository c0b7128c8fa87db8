"""Studies of real models: what is measured on the tiers ``index`` and ``hub``, and its records.

A record of a real model is of a tier: it names the models by their fingerprints, and the data sets
by theirs, so that it counts for what it was measured on and for nothing else. Who reads a record
needs neither: what cannot be compared on this machine is not compared.
"""

from dataclasses import dataclass
from pathlib import Path

from course.models.roles import model_fingerprint
from course.studies.records import RECORDS, Study
from course.tasks.hub_data import HUB_DATA
from course.tasks.local_data import LOCAL_DATA

#: The tiers of real models.
REAL_TIERS = ("index", "hub")


@dataclass(frozen=True)
class RealStudy(Study):
    """A study of real models.

    Attributes:
        data: the tasks whose data sets it reads.
        tier: whose models; a command names another.
    """

    data: tuple[str, ...] = ()
    tier: str = "index"

    @property
    def path(self) -> Path:
        return RECORDS / "real" / f"{self.name}-{self.tier}.json"

    def weights(self) -> dict[str, str]:
        """Role -> the model's fingerprint, and data set -> its own.

        Raises:
            DataError: if neither a folder nor the hub has a data set.
            HubError: if the hub does not name a revision.
        """
        sources = LOCAL_DATA if self.tier == "index" else HUB_DATA
        models = {role: model_fingerprint(role, self.tier) for role in self.models}
        return models | {f"data: {task}": sources[task].fingerprint() for task in self.data}

    @property
    def command(self) -> str:
        return f"python -m course.studies --tier {self.tier} {self.name}"

    def accepts(self, recorded: dict[str, str]) -> bool:
        """Whether a record of these fingerprints may be read.

        The names of its models and data sets must be those of the study, and the fingerprints of
        the package index's models those that the course has on record. Data sets and the hub's
        revisions are not looked up: neither need be within reach.
        """
        names = {*self.models, *(f"data: {task}" for task in self.data)}
        known = self.models if self.tier == "index" else ()
        return set(recorded) == names and all(
            recorded[role] == model_fingerprint(role, self.tier) for role in known
        )

"""Hugging Face data sets as sources of tasks: SST-2, SNLI, CoNLL-2003, SQuAD, GSM8K."""

from dataclasses import dataclass, field

from datasets import Dataset, DatasetDict, Features, load_dataset

from course.models.hub import HubError, described, fetch, loading, locked_revision
from course.tasks.schemas import CONLL2003, GSM8K, SNLI, SQUAD, SST2, Schema
from course.tasks.task import Selection
from course.world.split import TEST, TRAIN, VALIDATION


@dataclass(frozen=True)
class HubData:
    """A data set of the hub that is stored as tables (parquet), so that no code has to run.

    Attributes:
        repository: its name on the hub.
        config: which of its configurations, or None for its only one.
        splits: the course's split -> where it is found, in the slicing notation of ``datasets``.
            Where the publisher has no labelled split of that kind, a part of the training split or
            the validation split stands in.
        licence: as its card states it, None if it states none.
        schema: the columns that it must have.
    """

    repository: str
    config: str | None
    splits: dict[str, str]
    licence: str | None
    schema: Schema = field(repr=False)
    profiles: tuple[str, ...] = ()

    def load(self, selection: Selection) -> DatasetDict:
        """Rows that are drawn from the data set, at most ``selection.sizes`` a split.

        Raises:
            HubError: if the data set cannot be fetched, or has another schema than expected.
        """
        folder = fetch(self.repository, "dataset")
        data = DatasetDict()
        for split, place in self.splits.items():
            with loading(self.repository, folder):
                rows = load_dataset(str(folder), self.config, split=place)
            self._check_columns(rows.features, described(self.repository, folder))
            rows = self._labelled(rows.select_columns(list(self.schema.features)))
            most = min(selection.sizes[split], len(rows))
            rows = rows.shuffle(seed=selection.seed).select(range(most))
            data[split] = rows.cast(self.schema.features)
        return data

    def fingerprint(self) -> str:
        """What the data is, for the key of a stored measurement: its revision.

        Raises:
            HubError: if the hub does not name one.
        """
        return locked_revision(self.repository, "dataset")

    def _labelled(self, rows: Dataset) -> Dataset:
        """The rows with a label: -1 says that the annotators disagreed, or that the publisher keeps
        it.
        """
        if "label" not in self.schema.features:
            return rows
        return rows.filter(
            lambda labels: [label >= 0 for label in labels], input_columns="label", batched=True
        )

    def _check_columns(self, columns: Features, place: str) -> None:
        for name, expected in self.schema.features.items():
            if name not in columns or _class_names(columns[name]) != _class_names(expected):
                raise HubError(
                    f"{place} has the columns {columns}: "
                    f"expected {name!r} as {expected}; "
                    "choose a revision or a data set with that schema"
                )


def _class_names(column: object) -> list[str] | None:
    """The names of a column's classes, None if it has none."""
    return getattr(getattr(column, "feature", column), "names", None)


_OWN = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
_WITHOUT_VALIDATION = {TRAIN: "train[:95%]", VALIDATION: "train[95%:]", TEST: "test"}
_WITHOUT_TEST = {TRAIN: "train[:95%]", VALIDATION: "train[95%:]", TEST: "validation"}

#: Task -> data set of the hub tier. SST-2's test split has no labels, SQuAD has no test split,
#: GSM8K no validation split.
HUB_DATA = {
    "sentiment": HubData("stanfordnlp/sst2", "default", _WITHOUT_TEST, "unknown", SST2),
    "inference": HubData("stanfordnlp/snli", "plain_text", _OWN, "CC-BY-SA-4.0", SNLI),
    "entities": HubData("lhoestq/conll2003", None, _OWN, None, CONLL2003),
    "extraction": HubData("rajpurkar/squad", "plain_text", _WITHOUT_TEST, "CC-BY-SA-4.0", SQUAD),
    "problem": HubData("openai/gsm8k", "main", _WITHOUT_VALIDATION, "MIT", GSM8K),
}

"""Real data sets from a folder of the reader's own: sentiment of film reviews, SNLI, WNUT-17,
XQuAD, GSM8K.

The tier ``index`` reads them, since a package index has no data sets. The variable ``COURSE_DATA``
says where the folder is; what is not in it comes from the hub, if that can be reached. None of the
data is part of the project. Each file is as its publisher has it, but for its name and SNLI's rows,
and :data:`LOCAL_DATA` says where it is from.
"""

import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from datasets import Sequence as ListOf

from course.foundation.rng import Rng
from course.models.hub import HubError
from course.models.wheels import sha256_of
from course.tasks.hub_data import HUB_DATA
from course.tasks.schemas import GSM8K, SNLI, SQUAD, SST2, Schema
from course.tasks.task import Selection
from course.world.example import Example
from course.world.split import TEST, TRAIN, VALIDATION

#: Environment variable with the folder.
FOLDER_VARIABLE = "COURSE_DATA"

T = TypeVar("T")
#: The rows of each split.
Rows = dict[str, list[dict]]


class DataError(RuntimeError):
    """The data of a task is absent or damaged, and where to get it."""


@dataclass(frozen=True)
class LocalData:
    """A data set that lies in a folder of the reader's, or else its like on the hub.

    Attributes:
        task: its name.
        files: its files below the folder.
        read: files -> the rows of each split, in their schema.
        schema: the columns.
        licence: as its publishers state it.
        where: where to get the files, for the error that says so.
        profiles: none.
    """

    task: str
    files: tuple[str, ...]
    read: Callable[..., Rows] = field(repr=False)
    schema: Schema = field(repr=False)
    licence: str | None
    where: str
    profiles: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, if all are there; else none."""
        folder = os.environ.get(FOLDER_VARIABLE)
        paths = tuple(Path(folder).expanduser() / name for name in self.files) if folder else ()
        return paths if all(path.is_file() for path in paths) else ()

    def load(self, selection: Selection) -> DatasetDict:
        """Rows that are drawn from the folder's files, at most ``selection.sizes`` a split; the
        hub's where the folder does not have them.

        Raises:
            DataError: if neither has the data, and for a file that is damaged.
        """
        if not self.paths:
            return self._from_hub(selection)
        try:
            rows = self.read(*self.paths)
            if empty := [split for split, every in rows.items() if not every]:
                raise ValueError(f"no rows for {', '.join(empty)}")
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise DataError(
                f"{', '.join(map(str, self.paths))} cannot be read ({error!r}): expected what "
                f"stands in {self.where}; get it again"
            ) from error
        features = self.schema.features
        return DatasetDict(
            {
                split: Dataset.from_list(_drawn(every, split, selection), features=features)
                for split, every in rows.items()
            }
        )

    def _from_hub(self, selection: Selection) -> DatasetDict:
        try:
            return HUB_DATA[self.task].load(selection)
        except HubError as error:
            raise self._absent(error) from error

    def fingerprint(self) -> str:
        """What the data is, for the key of a stored measurement: the sha256 of its files, or the
        revision on the hub.

        Raises:
            DataError: if neither has the data.
        """
        if self.paths:
            return " ".join(sha256_of(path) for path in self.paths)
        try:
            return HUB_DATA[self.task].fingerprint()
        except HubError as error:
            raise self._absent(error) from error

    def _absent(self, error: HubError) -> DataError:
        return DataError(
            f"no data for the task {self.task!r}: put {' and '.join(self.files)} into a folder and "
            f"set {FOLDER_VARIABLE} to it ({self.where}), or connect to the hub once ({error})"
        )


def _drawn(rows: list[dict], split: str, selection: Selection) -> list[dict]:
    order = Rng(f"local data/{split}/{selection.seed}").sample(range(len(rows)), len(rows))
    return [rows[i] for i in order[: selection.sizes[split]]]


def _json_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _apart(rows: list[T], validation: int, test: int) -> dict[str, list[T]]:
    """Split rows by their place: the first ones are the test, then come those to choose with."""
    return {
        TEST: rows[:test],
        VALIDATION: rows[test : test + validation],
        TRAIN: rows[test + validation :],
    }


def read_snippets(path: Path) -> Rows:
    """Film review snippets (Hutto and Gilbert 2014): the mean rating of twenty people, from -4 to
    4; those between -0.5 and 0.5 are left out. Ratings above 0 are positive.
    """
    rows: list[dict] = []
    with open(path, encoding="utf-8", newline="") as file:
        for number, rating, text in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if abs(float(rating)) >= 0.5:
                label = int(float(rating) > 0)
                rows.append({"idx": int(number.split("_")[0]), "sentence": text, "label": label})
    # a drawn order, always the same
    order = Rng("movie snippets").sample(range(len(rows)), len(rows))
    return _apart([rows[i] for i in order], len(rows) // 10, 3 * len(rows) // 10)


def read_snli(dev: Path, test: Path) -> Rows:
    """SNLI (Bowman et al. 2015): its development pairs to train, the last tenth of them to choose
    with, its test pairs to test.
    """
    kinds = SNLI.features["label"].names
    pairs = [
        [{**pair, "label": kinds.index(pair["label"])} for pair in _json_lines(path)]
        for path in (dev, test)
    ]
    cut = len(pairs[0]) * 9 // 10
    return {TRAIN: pairs[0][:cut], VALIDATION: pairs[0][cut:], TEST: pairs[1]}


#: Kinds of entities in WNUT-17 (Derczynski et al. 2017).
_KINDS = ("corporation", "creative-work", "group", "location", "person", "product")
_TAGS = ("O", *(f"{part}-{kind}" for kind in _KINDS for part in "BI"))
#: Emerging entities, one tag a token, in the columns of CoNLL-2003.
WNUT17 = Schema(
    Features(
        {
            "id": Value("string"),
            "tokens": ListOf(Value("string")),
            "ner_tags": ListOf(ClassLabel(names=list(_TAGS))),
        }
    ),
    lambda row: Example(" ".join(row["tokens"]), " ".join(_TAGS[tag] for tag in row["ner_tags"])),
)


def read_wnut17(dev: Path, test: Path) -> Rows:
    """WNUT-17: its development texts to train, the last tenth of them to choose with, its test
    texts to test.
    """
    texts = [_conll(path) for path in (dev, test)]
    cut = len(texts[0]) * 9 // 10
    return {TRAIN: texts[0][:cut], VALIDATION: texts[0][cut:], TEST: texts[1]}


def _conll(path: Path) -> list[dict]:
    """Blocks of lines with a token, a tab and its tag."""
    rows: list[dict] = []
    lines = [line.rstrip("\r\n") for line in path.read_text(encoding="utf-8").split("\n")]
    blocks = "\n".join("" if not line.strip() else line for line in lines).split("\n\n")
    for block in blocks:
        pairs = [line.split("\t") for line in block.split("\n") if line]
        if pairs:
            tags = [_TAGS.index(tag) for _, tag in pairs]
            rows.append({"id": str(len(rows)), "tokens": [t for t, _ in pairs], "ner_tags": tags})
    return rows


def read_xquad(path: Path) -> Rows:
    """XQuAD in English (Artetxe et al. 2020), split by article: the first 16 of its 48 to test,
    four to choose with, the others to train.
    """
    articles = [
        [
            {
                "id": question["id"],
                "title": str(number),
                "context": paragraph["context"],
                "question": question["question"],
                "answers": {
                    key: [answer[key] for answer in question["answers"]]
                    for key in ("text", "answer_start")
                },
            }
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
        for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"])
    ]
    apart = _apart(articles, 4, 16)
    return {split: [row for rows in every for row in rows] for split, every in apart.items()}


def read_gsm8k(path: Path) -> Rows:
    """GSM8K's test problems (Cobbe et al. 2021): the first 1,000 to test, 100 to choose with, and
    the last 219 to show; its training problems are another file.
    """
    return _apart(_json_lines(path), 100, 1000)


_LISTED = (
    LocalData(
        "sentiment",
        ("sentiment/movie-snippets.tsv",),
        read_snippets,
        SST2,
        "MIT",
        "additional_resources/hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt of "
        "github.com/cjhutto/vaderSentiment, Hutto and Gilbert 2014",
    ),
    LocalData(
        "inference",
        ("snli/dev.jsonl", "snli/test.jsonl"),
        read_snli,
        SNLI,
        "CC-BY-SA-4.0",
        "objects with premise, hypothesis and label, a line each; SNLI, Bowman et al. 2015, as in "
        "dataset/eSNLI/ of github.com/OanaMariaCamburu/e-SNLI",
    ),
    LocalData(
        "entities",
        ("wnut17/dev.conll", "wnut17/test.conll"),
        read_wnut17,
        WNUT17,
        "CC-BY-4.0",
        "a token, a tab and its tag a line; emerging.dev.conll and the annotated test texts of "
        "github.com/leondz/emerging_entities_17, Derczynski et al. 2017",
    ),
    LocalData(
        "extraction",
        ("xquad/en.json",),
        read_xquad,
        SQUAD,
        "CC-BY-SA-4.0",
        "xquad.en.json of github.com/google-deepmind/xquad, Artetxe et al. 2020",
    ),
    LocalData(
        "problem",
        ("gsm8k/test.jsonl",),
        read_gsm8k,
        GSM8K,
        "MIT",
        "grade_school_math/data/test.jsonl of github.com/openai/grade-school-math, Cobbe et "
        "al. 2021",
    ),
)
#: Task -> data set of the index tier.
LOCAL_DATA = {data.task: data for data in _LISTED}

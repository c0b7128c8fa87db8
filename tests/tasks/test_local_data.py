"""Real data from a folder of the reader's: the right columns, splits that share nothing, and an
error that says where to get what is absent.
"""

import os
from pathlib import Path

import pytest
from toy_data import write_toy_data

from course.heads import head_for
from course.models.hub import HubError
from course.tasks import LOCAL_DATA, DataError, HubData, induction_folder, load_task
from course.tasks.local_data import FOLDER_VARIABLE

#: The real sets where they are at hand.
SHARED = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).parents[3] / "shared" / "data")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_toy_data(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def no_hub(monkeypatch):
    def unreachable(self, selection):
        raise HubError("the hub did not answer")

    monkeypatch.setattr(HubData, "load", unreachable)


@pytest.mark.parametrize("name", LOCAL_DATA)
def test_a_folder_of_files_is_a_task(folder, name):
    task = load_task(name, wanted_tier="index", sizes={"train": 20, "validation": 5, "test": 9})
    assert all(len(task.data[split]) for split in ("train", "validation", "test"))
    assert len(task.data["train"]) <= 20 and len(task.data["test"]) <= 9
    assert task.examples("train")[0].input and task.examples("test")[0].output
    if name != "problem":
        assert head_for(task)


def test_ratings_near_zero_are_left_out_and_splits_share_nothing(folder):
    everything = dict.fromkeys(("train", "validation", "test"), 5000)
    data = load_task("sentiment", wanted_tier="index", sizes=everything).data
    rows = [row for split in data.values() for row in split]
    assert {row["idx"] % 4 for row in rows} == {0, 2, 3}
    assert len({row["idx"] for row in rows}) == len(rows) == 180
    assert all(row["label"] == (row["idx"] % 4 > 0) for row in rows)


def test_tags_are_those_of_the_blocks(folder):
    data = load_task("entities", wanted_tier="index").data["test"]
    names = data.features["ner_tags"].feature.names
    found = {" ".join(row["tokens"]): [names[tag] for tag in row["ner_tags"]] for row in data}
    assert found == {
        "Paris is": ["B-location", "O"],
        "Ann Lee": ["B-person", "I-person"],
        "no": ["O"],
    }


def test_articles_stand_in_one_split(folder):
    data = load_task("extraction", wanted_tier="index").data
    titles = [set(data[split]["title"]) for split in ("train", "validation", "test")]
    assert [len(each) for each in titles] == [28, 4, 16] and len(set.union(*titles)) == 48


def test_another_seed_draws_other_rows_and_the_same_seed_the_same(folder):
    first, again, other = (
        list(load_task("problem", seed=seed, wanted_tier="index", sizes={"test": 5}).data["test"])
        for seed in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize("name", LOCAL_DATA)
def test_absent_data_is_told_where_to_get(tmp_path, monkeypatch, no_hub, name):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=rf"{name!r}: put .* set COURSE_DATA to it \(.*github.com/"):
        load_task(name, wanted_tier="index")


def test_a_damaged_file_is_named(folder):
    (folder / "snli" / "dev.jsonl").write_text('{"premise": "half', encoding="utf-8")
    with pytest.raises(DataError, match=r"dev.jsonl.*cannot be read .*get it again"):
        load_task("inference", wanted_tier="index")


def test_what_the_folder_lacks_comes_from_the_hub(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(HubData, "load", lambda self, selection: {"train": [self.repository]})
    assert load_task("sentiment", wanted_tier="index").data == {"train": ["stanfordnlp/sst2"]}


def test_a_fingerprint_tells_two_versions_of_the_data_apart(folder):
    before = LOCAL_DATA["inference"].fingerprint()
    with open(folder / "snli" / "test.jsonl", "a", encoding="utf-8") as file:
        file.write("\n")
    assert LOCAL_DATA["inference"].fingerprint() != before


def test_instruction_induction_is_looked_for_in_the_same_folder(folder, monkeypatch):
    monkeypatch.delenv("COURSE_INDUCTION", raising=False)
    assert induction_folder() is None
    (folder / "instruction-induction").mkdir()
    assert induction_folder() == folder / "instruction-induction"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real data sets at hand (COURSE_DATA)")
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("inference", (8857, 985, 9824)),
        ("entities", (908, 101, 1287)),
        ("problem", (219, 100, 1000)),
    ],
)
def test_the_real_files_are_read_whole(name, sizes, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(SHARED))
    everything = dict.fromkeys(("train", "validation", "test"), 10**6)
    data = load_task(name, wanted_tier="index", sizes=everything).data
    assert tuple(map(len, (data["train"], data["validation"], data["test"]))) == sizes

"""A fresh clone in the tier ``index``, where neither a folder of data sets nor the hub is at hand:
every chapter runs without them or says which data it wants and where to get it.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from hub.chapters import cache_index_models, code_of
from hub.checkpoints import bert, smollm2
from hub.conftest import TEXTS

from course.models.index import CACHE_VARIABLE, MINILM, SMOLLM2
from course.publishing.real_chapters import chapters
from course.studies.command import main
from course.tasks import LOCAL_DATA, DataError
from course.tasks.instruction_induction import FOLDER_VARIABLE as INDUCTION
from course.tasks.local_data import FOLDER_VARIABLE

ROOT = Path(__file__).parents[2]
#: Chapter -> the first data set that it wants.
WANTED = {
    "01-two-expectations": "sentiment",
    "02-heads": "sentiment",
    "03-adapters": "entities",
    "04-in-context": "sentiment",
    "04b-instruction-tuning": "sentiment",
    "05-chain-of-thought": "problem",
    "06-prompt-search": "sentiment",
    "06b-written-prompts": "sentiment",
    "06d-soft-prompts": "sentiment",
}
#: Their tests run them against a hub that has no data sets; the page of claims reads records alone.
NEEDS_NONE = {"06c-steering", "07-reward", "08-choosing", "claims"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    cache_index_models(folder, {SMOLLM2: smollm2(TEXTS), MINILM: bert(TEXTS)})
    return folder


@pytest.fixture
def clone(cache, client, monkeypatch):
    """The environment of ``make real`` with models alone; ``client`` asks a hub that is empty."""
    monkeypatch.setenv("COURSE_TIER", "index")
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    for name in (FOLDER_VARIABLE, INDUCTION):
        monkeypatch.delenv(name, raising=False)
    yield
    plt.close("all")


def test_every_chapter_is_one_or_the_other():
    assert {*WANTED, *NEEDS_NONE} == {*chapters(ROOT)}


@pytest.mark.parametrize(("name", "task"), WANTED.items())
@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_a_chapter_says_what_it_wants_and_where_to_get_it(name, task, clone):
    names = {"__name__": "__main__"}
    with pytest.raises(DataError) as lacking:
        for cell in code_of(name, ROOT):
            exec(compile(cell, name, "exec"), names)
    wanted = LOCAL_DATA[task]
    assert FOLDER_VARIABLE in str(lacking.value)
    for text in (*wanted.files, wanted.where):
        assert text in str(lacking.value)


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("specialist", LOCAL_DATA["sentiment"].where),
        ("requests", "github.com/orhonovich/instruction-induction"),
    ],
)
def test_a_study_says_so_too(study, message, clone, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--tier", "index", study, "--seed", "0"])
    assert ended.value.code == f"not measured: {study}"
    assert message in capsys.readouterr().err

"""A fresh clone in the tier ``index``, where neither a folder of data sets nor the hub is at hand:
every chapter runs without them or says which data it wants and where to get it.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from hub.chapters import cache_index_models, chapter_texts, code_of
from hub.checkpoints import bert, smollm2

from course.models.index import CACHE_VARIABLE, MINILM, SMOLLM2
from course.publishing.real_chapters import chapters
from course.studies import real_study
from course.studies.command import main
from course.tasks import LOCAL_DATA, DataError
from course.tasks.instruction_induction import FOLDER_VARIABLE as INDUCTION
from course.tasks.local_data import FOLDER_VARIABLE

ROOT = Path(__file__).parents[2]
#: Their tests run them against a hub that has no data sets.
WITHOUT_DATA = ("01-two-expectations", "06c-steering", "07-reward", "08-choosing")
#: It computes in the small world for a while before it asks for data.
LATE = ("04b-instruction-tuning",)
WITH_DATA = [
    pytest.param(name, marks=[pytest.mark.slow] if name in LATE else [])
    for name in chapters(ROOT)
    if name not in WITHOUT_DATA
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    texts = chapter_texts()
    cache_index_models(folder, {SMOLLM2: smollm2(texts), MINILM: bert(texts)})
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


@pytest.mark.parametrize("name", WITH_DATA)
@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_a_chapter_says_what_it_wants_and_where_to_get_it(name, clone):
    names = {"__name__": "__main__"}
    with pytest.raises(DataError, match=FOLDER_VARIABLE) as lacking:
        for cell in code_of(name, ROOT):
            exec(compile(cell, name, "exec"), names)
    message = str(lacking.value)
    (wanted,) = [data for data in LOCAL_DATA.values() if repr(data.task) in message]
    assert wanted.where in message and all(file in message for file in wanted.files)


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("specialist", LOCAL_DATA["sentiment"].where),
        ("requests", "github.com/orhonovich/instruction-induction"),
    ],
)
def test_a_study_says_so_too(study, message, clone, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(real_study, "RECORDS", tmp_path)  # what is recorded is not measured again
    with pytest.raises(SystemExit) as ended:
        main(["--tier", "index", study, "--seed", "0"])
    assert ended.value.code == f"not measured: {study}"
    assert message in capsys.readouterr().err

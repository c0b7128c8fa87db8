"""A sweep is the same table however it is computed: at once, in parts, in processes, on a
cluster.
"""

import importlib.util
import json
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import joblib
import pandas as pd
import psutil
import pytest

from course.lm.language_model import load
from course.models import roles
from course.prompting import ray_workers, sweeps
from course.prompting.evaluation import all_profiles, questions, scores
from course.prompting.ray_workers import on_ray
from course.prompting.sweeps import Cell, grid, measure, run, sweep
from course.tasks import hub_data

SMALL = {"models": ("gpt-small",), "count": 8}
TASKS, SHOTS, SEEDS = ("is_large", "topic"), (0, 2), (0, 1)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sweep(TASKS, SHOTS, SEEDS, **SMALL)


def test_a_sweep_has_a_row_for_every_cell(table):
    assert list(table.columns) == ["model", "task", "condition", "shots", "seed", "accuracy"]
    assert len(table) == 8 and not table.duplicated(["task", "shots", "seed"]).any()
    assert ((table.accuracy >= 0) & (table.accuracy <= 100)).all()


def test_a_cell_is_the_mean_over_its_questions(table):
    asked = questions(all_profiles("is_large"), 2, 8, seed=1)
    expected = 100 * scores(load("gpt-small"), asked).mean()
    row = table[(table.task == "is_large") & (table.shots == 2) & (table.seed == 1)]
    assert row.accuracy.item() == expected


def test_processes_give_the_same_table(table):
    pd.testing.assert_frame_equal(sweep(TASKS, SHOTS, SEEDS, jobs=2, **SMALL), table)


def test_a_backend_that_tells_nothing_before_the_end_gives_the_same_table(table, monkeypatch):
    monkeypatch.setattr(
        joblib._parallel_backends.SequentialBackend, "supports_return_generator", False
    )
    monkeypatch.setattr(sweeps, "_AT_ONCE", 3)
    pd.testing.assert_frame_equal(sweep(TASKS, SHOTS, SEEDS, **SMALL), table)


def kill_one_at_work(killed: list[int], over: threading.Event) -> None:
    """Kill the first of Ray's workers below this process that measures something, and note its
    niceness.
    """
    while not killed and not over.wait(0.02):
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if not killed and "run_batch" in " ".join(process.cmdline()):
                    niceness = process.nice()
                    process.kill()
                    killed.append(niceness)


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="ray is not installed (pip install -e '.[cluster]')",
)
def test_two_workers_of_ray_give_the_same_table_though_one_is_killed_at_work(
    table, tmp_path, monkeypatch
):
    monkeypatch.setattr(sweeps, "_AT_ONCE", 2)
    killed, over = [], threading.Event()
    killer = threading.Thread(target=kill_one_at_work, args=(killed, over))
    with on_ray(2):
        import ray

        assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]
        killer.start()
        try:
            found = sweep(TASKS, SHOTS, SEEDS, folder=tmp_path, **SMALL)
        finally:
            over.set()
            killer.join()
    assert not ray.is_initialized()
    # one of 15, as Ray has it, would wait for all other work on a busy machine
    assert killed == [psutil.Process().nice()]
    pd.testing.assert_frame_equal(found, table)
    assert len(list(tmp_path.glob("*.json"))) == len(table)


def test_a_local_ray_that_others_could_reach_is_not_started(monkeypatch):
    ray = SimpleNamespace(
        util=SimpleNamespace(get_node_ip_address=lambda: "192.0.2.2"), is_initialized=lambda: False
    )
    monkeypatch.setattr(ray_workers, "_imported_ray", lambda local: ray)
    with (
        pytest.raises(
            RuntimeError,
            match="would listen at 192.0.2.2: expected the loopback address; call on_ray before",
        ),
        on_ray(2),
    ):
        pass


def test_a_missing_ray_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install -e '.\[cluster\]'"), on_ray(2, "auto"):
        pass


def test_a_stopped_sweep_goes_on_where_it_was(table, tmp_path, monkeypatch):
    asked = []

    def stopped(cell):
        asked.append(cell)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return measure(cell)

    monkeypatch.setattr(sweeps, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        sweep(TASKS, SHOTS, SEEDS, folder=tmp_path, **SMALL)
    pd.testing.assert_frame_equal(sweep(TASKS, SHOTS, SEEDS, folder=tmp_path, **SMALL), table)
    assert len(asked) == 8 + 1, "only the cell that was not finished is measured a second time"
    pd.testing.assert_frame_equal(sweep(TASKS, SHOTS, SEEDS, folder=tmp_path, **SMALL), table)
    assert len(asked) == 9 and not list(tmp_path.glob("*.part"))


def test_a_damaged_cell_is_named(tmp_path):
    cell = Cell("gpt-small", "topic", "gold", 1, 0, count=4)
    (tmp_path / cell.file).write_text("{", encoding="utf-8")
    with pytest.raises(
        ValueError, match=f"{cell.file} is damaged .*; delete it, and it is measured anew"
    ):
        run([cell], tmp_path)


def test_cells_of_other_settings_or_weights_have_other_files(monkeypatch):
    cell = Cell("gpt-small", "topic", "gold", 1, 0)
    others = [
        Cell("gpt-middle", "topic", "gold", 1, 0),
        Cell("gpt-small", "topic", "gold", 1, 0, count=9),
        Cell("gpt-small", "topic", "gold", 1, 0, titled=True),
    ]
    names = {cell.file, *(other.file for other in others)}
    monkeypatch.setattr(roles, "weights_sha256", lambda name: "other weights")
    assert len(names | {cell.file}) == 5


def test_a_stored_cell_says_what_it_is(tmp_path):
    cell = Cell("gpt-small", "topic", "gold", 1, 0, count=4)
    run([cell], tmp_path)
    stored = json.loads((tmp_path / cell.file).read_text(encoding="utf-8"))
    assert stored["task"] == "topic" and stored["count"] == 4 and 0 <= stored["accuracy"] <= 100


def test_lists_longer_than_any_of_the_corpus_are_left_out():
    assert {cell.shots for cell in grid(["sentiment"], (1, 8, 9, 16), (0,))} == {1, 8}
    assert {cell.shots for cell in grid(["where"], (1, 2, 3), (0,))} == {1, 2}


def test_exercises_are_asked_in_their_own_layout():
    cell = Cell("gpt-small", "inference", "gold", 1, 0, count=2)
    assert all(
        q.prompt.text.startswith("premise : ") and q.prompt.text.endswith(" \n verdict :")
        for q in sweeps._questions(cell)
    )


def test_the_ceiling_is_that_of_the_same_questions():
    cell = Cell("gpt-small", "verdict", "gold", 8, 0, count=12, titled=True)
    few = Cell("gpt-small", "verdict", "gold", 0, 0, count=12, titled=True)
    assert sweeps.ceiling(few) < sweeps.ceiling(cell) <= 100.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "gpt-huge"}, "no model 'gpt-huge' in the tiny tier; choose from bert-middle"),
        ({"condition": "silver"}, "no condition 'silver'; choose from gold"),
        ({"template": "xml"}, "no template 'xml'; choose from usual, colon"),
        ({"task": "where", "titled": True}, "no title for 'where': expected a list"),
        ({"condition": "foreign"}, "give inputs that are none of the task"),
        ({"shots": -1}, "shots=-1: expected a whole number of at least 0"),
    ],
)
def test_impossible_cells_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Cell(
            **{
                "model": "gpt-small",
                "task": "topic",
                "condition": "gold",
                "shots": 1,
                "seed": 0,
                **settings,
            }
        )


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": float("nan")},
        {"accuracy": 5000},
        {"accuracy": -1},
        {"accuracy": True},
        {"accuracy": "50"},
        {"accuracy": None},
        {"seed": 1},
        {"task": "topic"},
    ],
)
def test_a_stored_cell_is_not_believed_without_looking(tmp_path, change):
    cell = Cell("gpt-small", "is_large", "gold", 0, 0, count=2)
    run([cell], tmp_path)
    path = tmp_path / cell.file
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8"
    )
    with pytest.raises(
        ValueError, match=f"{cell.file} is damaged .*; delete it, and it is measured anew"
    ):
        run([cell], tmp_path)


def test_a_cell_of_other_data_has_another_file(monkeypatch):
    cell = Cell("gpt-middle", "sentiment", "gold", 0, 0, tier="hub")
    revisions = {"model": "1" * 40, "dataset": "2" * 40}
    for module in (roles, hub_data):
        monkeypatch.setattr(
            module, "locked_revision", lambda repository, kind="model": revisions[kind]
        )
    names = {cell.file}
    for kind in ("model", "dataset"):
        revisions[kind] = "3" * 40
        names.add(cell.file)
    assert len(names) == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            (("is_large", "where"), (999,), (0,)),
            r"shots=\[999\]: more demonstrations than any document .* at most \d+ \(is_large\), 2"
            r" \(where",
        ),
        (((), (0,), (0,)), "no tasks: expected at least one of each"),
        ((("where",), (), ()), "no shots, no seeds: expected"),
    ],
)
def test_a_grid_without_a_cell_is_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        grid(*asked)


@pytest.mark.parametrize("tier", ["tiny", "hub"])
def test_a_task_never_becomes_a_path(tier):
    with pytest.raises(ValueError, match="no task '../../x'; choose from"):
        Cell("gpt-middle", "../../x", "gold", 0, 0, tier=tier)
    with pytest.raises(ValueError, match="no data set for the task 'where' in the hub tier"):
        Cell("gpt-middle", "where", "gold", 0, 0, tier="hub")

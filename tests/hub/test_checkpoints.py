"""Checkpoints over the wire: what is right loads, what is wrong is refused with what to do, and the
cache stays usable.
"""

import json
import re
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from hub import checkpoints
from hub.server import Fault
from huggingface_hub import hf_hub_download
from transformers import AutoConfig, AutoModelForSequenceClassification, dynamic_module_utils

from course.compare.bodies import choose_models
from course.compare.command import main as compare_main
from course.models.hub import HubError, locked_revision, tries
from course.models.loading import load_model, load_tokenizer, load_with_head
from course.models.roles import HUB, Checkpoint, model_fingerprint
from course.prompting.sweeps import Cell

NAME = "gpt-small"
REPOSITORY = HUB[NAME].repository


@pytest.fixture
def served(hub, client, toys):
    """The hub with the small GPT on it; the sha of its commit."""
    return hub.add("models", REPOSITORY, toys["smollm2"])


def load():
    return load_model(NAME, wanted_tier="hub"), load_tokenizer(NAME, wanted_tier="hub")


def files_asked(hub) -> list[str]:
    return [request for request in hub.requests if "/resolve/" in request or "/large/" in request]


@pytest.mark.parametrize(
    ("toy", "role", "kind"),
    [
        ("gpt2", "gpt-x", "GPT2LMHeadModel"),
        ("smollm2", "gpt-x", "LlamaForCausalLM"),
        ("llama", "gpt-x", "LlamaForCausalLM"),
        ("qwen2", "gpt-x", "Qwen2ForCausalLM"),
        ("bert", "bert-x", "BertForMaskedLM"),
    ],
)
def test_the_real_architectures_and_tokenizers_load(
    hub, client, toys, monkeypatch, toy, role, kind
):
    monkeypatch.setitem(HUB, role, Checkpoint("somebody/some-model", "MIT", "tiny"))
    hub.add(
        "models",
        "somebody/some-model",
        toys[toy] | {"onnx/config.json": b"{}", "pytorch_model.bin": b"a pickle beside"},
    )
    model, tokenizer = load_model(role, wanted_tier="hub"), load_tokenizer(role, wanted_tier="hub")
    assert type(model).__name__ == kind and not model.training
    assert model.dtype == torch.float32 and model.device.type == "cpu"
    text = "the capital of france is paris"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids).strip() == text
    assert model(**tokenizer(text, return_tensors="pt")).logits.isfinite().all()
    assert not any("onnx" in request or ".bin" in request for request in files_asked(hub))


@pytest.mark.parametrize(
    ("toy", "kind"), [("gpt2", "GPT2LMHeadModel"), ("bert", "BertForMaskedLM")]
)
def test_the_name_of_any_repository_is_a_model(hub, client, toys, monkeypatch, toy, kind):
    """Of no tier: as it was saved, by everything that takes a model, offline once it is here."""
    name = "somebody/some-model"
    revision = hub.add("models", name, toys[toy])
    assert model_fingerprint(name) == revision
    assert type(load_model(name)).__name__ == kind
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert type(load_model(name)).__name__ == kind and load_tokenizer(name)("one").input_ids
    cell = Cell(name, "topic", "gold", 1, 0)
    choice = choose_models(name)
    assert choice.encoder == name and choice.causal == (name if toy == "gpt2" else None)
    assert choice.title(name) == name and revision in choice.identity(name)
    assert cell.file.startswith("topic-gold-1-0-")
    load_with_head(name, AutoModelForSequenceClassification, num_labels=2)
    for door in (load_model, load_tokenizer, choose_models):
        with pytest.raises(HubError, match="no folder 'nobody/nothing' here; on the hub.*OFFLINE"):
            door("nobody/nothing")
    rows = [f"{word} and {word},{number % 2}" for number, word in enumerate("abcdefghijklmnop")]
    (client / "table.csv").write_text("\n".join(["t,l", *rows]), encoding="utf-8")
    with pytest.raises(SystemExit, match="course compare: there is no folder 'nobody/nothing'"):
        compare_main("table.csv --text t --label l --model nobody/nothing".split())


def test_a_folder_is_a_model_of_a_sweep(client, toys):
    (client / "mine").mkdir()
    for file, content in toys["gpt2"].items():
        (client / "mine" / file).write_bytes(content)
    cell = Cell("./mine", "topic", "gold", 1, 0)
    before = cell.file
    (client / "mine" / "config.json").write_bytes(toys["gpt2"]["config.json"] + b"\n")
    assert cell.file != before  # another model
    with pytest.raises(ValueError, match="no folder './other'; give the path"):
        Cell("./other", "topic", "gold", 1, 0)
    with pytest.raises(ValueError, match="no model 'gpt-huge' in the tiny tier"):
        Cell("gpt-huge", "topic", "gold", 1, 0)


def test_weights_are_those_of_the_file(served, toys):
    stored, loaded = (
        safetensors.torch.load(toys["smollm2"]["model.safetensors"]),
        load()[0].state_dict(),
    )
    assert stored and all(torch.equal(loaded[name], value) for name, value in stored.items())


def test_a_tuned_checkpoint_has_its_chat_template(hub, client, toys):
    hub.add("models", HUB["gpt-tuned"].repository, toys["tuned"])
    tokenizer = load_tokenizer("gpt-tuned", wanted_tier="hub")
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "one two"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\none two<|im_end|>\n<|im_start|>assistant\n"
    assert not any("safetensors" in request for request in files_asked(hub)), (
        "a tokenizer needs no weights"
    )


def test_a_revision_is_resolved_once_and_then_honoured(hub, client, toys, served):
    load()
    assert json.loads((client / "course-hub-lock.json").read_text(encoding="utf-8")) == {
        REPOSITORY: served
    }
    newer = hub.add("models", REPOSITORY, toys["llama"])
    assert locked_revision(REPOSITORY) == served and load()[0].config._name_or_path.endswith(served)
    (client / "course-hub-lock.json").write_text(json.dumps({REPOSITORY: newer}), encoding="utf-8")
    assert load()[0].config._name_or_path.endswith(newer)


def test_data_sets_and_models_of_one_name_have_entries_of_their_own(hub, client, toys, served):
    data = hub.add("datasets", REPOSITORY, {"README.md": b"data"})
    assert locked_revision(REPOSITORY, "dataset") == data and locked_revision(REPOSITORY) == served
    assert json.loads((client / "course-hub-lock.json").read_text(encoding="utf-8")) == {
        REPOSITORY: served,
        f"datasets/{REPOSITORY}": data,
    }


def test_what_is_complete_in_the_cache_is_used_without_the_hub(hub, served):
    load()
    hub.requests.clear()
    hub.stop()
    model, tokenizer = load()
    assert hub.requests == [] and tokenizer.decode(tokenizer("one two").input_ids) == "one two"


def test_a_part_in_the_cache_is_not_taken_for_the_whole(hub, served):
    load_tokenizer(NAME, wanted_tier="hub")
    hub.stop()
    with pytest.raises(
        HubError,
        match=f"{REPOSITORY} at revision {served} did not arrive from .*check the connection",
    ):
        load_model(NAME, wanted_tier="hub")
    hub.start()
    load()


def test_a_cache_that_another_program_filled_in_part_is_completed(served):
    hf_hub_download(REPOSITORY, "config.json", revision=served)
    locked_revision(REPOSITORY)
    load()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            Fault("/api/", status=401),
            r"cannot be read \(HTTP 401\).*private or gated.*hf auth login",
        ),
        (
            Fault("/api/", status=404),
            r"cannot be read \(HTTP 404\): it does not exist.*check the name at",
        ),
        (Fault("/resolve/", status=403), r"cannot be read \(HTTP 403\).*accept its terms"),
        (
            Fault("/api/", status=503),
            r"did not arrive from .*503.*check the connection and run again",
        ),
        (
            Fault("/large/", status=503),
            r"did not arrive from .*503.*check the connection and run again",
        ),
        (
            Fault("/api/models/[^/]*/[^/?]*$", delay=0.8),
            r"did not arrive from .*timed out; expected an answer within 0.5 seconds",
        ),
        (Fault("/tree/", delay=0.8), r"did not arrive from .*timed out"),
        (Fault("GET .*/large/", delay=0.8), r"did not arrive from .*timed out"),
        (Fault("/large/", short=True), r"did not arrive from .*should be of size"),
        (Fault("/large/", cut=True), r"did not arrive from .*peer closed connection"),
        (
            Fault("/api/", body=b"<html>log in to this network</html>"),
            r"did not arrive from .*Expecting value",
        ),
        (
            Fault("/api/", body=b'{"id": "x"}'),
            r"names the revision None for .*: expected the 40 .* of a commit; "
            "check that HF_ENDPOINT",
        ),
        (Fault("/tree/", cut=True), r"did not arrive from .*peer closed connection"),
    ],
    ids=lambda value: str(value) if isinstance(value, Fault) else "",
)
def test_trouble_is_named_and_leaves_the_cache_usable(hub, served, fault, message):
    hub.faults = [fault]
    with pytest.raises(HubError, match=message) as raised:
        load()
    assert REPOSITORY in str(raised.value)
    hub.faults = []
    load()


def test_a_hub_that_is_down_is_named_and_found_again(hub, served):
    hub.stop()
    with pytest.raises(
        HubError,
        match=f"the newest revision of {REPOSITORY} did not arrive from {hub.endpoint}.*refused",
    ):
        load()
    hub.start()
    load()


def test_a_repository_that_does_not_exist_is_named(hub, client):
    with pytest.raises(
        HubError, match=rf"the newest revision of {REPOSITORY} cannot be read \(HTTP 401\)"
    ):
        load()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/api/models/", times=2, status=503),
        Fault("/tree/", times=2, status=503),
        Fault("HEAD .*/resolve/", times=2, status=503),
        Fault("GET .*/large/", times=2, cut=True),
        Fault("GET .*/resolve/", times=2, cut=True),
        Fault("GET .*/large/", times=1, delay=0.8),
    ],
    ids=str,
)
def test_trouble_that_passes_is_only_a_delay(hub, served, fault):
    hub.faults = [fault]
    load()
    assert fault.times == 0


def test_a_cut_off_file_is_resumed_where_it_broke_off(hub, served, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1024)
    hub.faults = [Fault("GET .*/large/", times=1, cut=True)]
    load()
    first, second = (request for request in hub.requests if "GET /large/" in request)
    assert "bytes=" not in first and re.search(r" bytes=\d{5}-$", second)


def test_the_number_of_tries_is_bounded_and_can_be_set(hub, served, monkeypatch):
    hub.faults = [Fault("/api/", status=503)]
    for number in ("1", "2"):
        hub.requests.clear()
        monkeypatch.setenv("COURSE_HUB_TRIES", number)
        with pytest.raises(HubError, match="503"):
            load()
        assert len(hub.requests) == int(number)
    monkeypatch.setenv("COURSE_HUB_TRIES", "")
    assert tries() == 3
    for number in ("0", "many"):
        monkeypatch.setenv("COURSE_HUB_TRIES", number)
        with pytest.raises(
            ValueError, match=f"COURSE_HUB_TRIES is '{number}': expected a positive whole number"
        ):
            load()


def test_offline_mode_is_named(hub, served, monkeypatch):
    load_tokenizer(NAME, wanted_tier="hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    load_tokenizer(NAME, wanted_tier="hub")
    with pytest.raises(
        HubError,
        match="is not complete in the cache, and HF_HUB_OFFLINE forbids fetching it; unset it",
    ):
        load_model(NAME, wanted_tier="hub")


def test_a_revision_that_does_not_exist_is_named_with_what_to_do(hub, client, served):
    lock = client / "course-hub-lock.json"
    lock.write_text(json.dumps({REPOSITORY: "0" * 40}), encoding="utf-8")
    with pytest.raises(
        HubError,
        match=f"{REPOSITORY} has no revision {'0' * 40}, "
        "which course-hub-lock.json names; delete that entry",
    ):
        load()
    lock.unlink()
    load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"HuggingFaceTB/Smol',
            r"course-hub-lock.json is damaged \(.*\): expected JSON .*; delete it",
        ),
        ("[]", r"course-hub-lock.json is damaged: expected a map .*, found \[\]; delete it"),
        (
            json.dumps({REPOSITORY: "main"}),
            f"names the revision 'main' for {REPOSITORY}: expected the 40 .*; delete that entry",
        ),
        (json.dumps({REPOSITORY: None}), f"names the revision None for {REPOSITORY}"),
    ],
)
def test_a_damaged_lock_file_is_named_with_what_to_do(hub, client, served, content, message):
    (client / "course-hub-lock.json").write_text(content, encoding="utf-8")
    with pytest.raises(HubError, match=message):
        load()
    assert hub.requests == []


def test_a_lock_file_that_cannot_be_written_is_named_with_what_to_do(client, served):
    (client / ".course-hub-lock.json.lock").mkdir()
    with pytest.raises(
        HubError,
        match=r"course-hub-lock.json cannot be written \(.*\), .*; "
        "run from a folder that you may write to",
    ):
        load()
    assert not (client / "course-hub-lock.json").exists()


_RECORD_MANY = """
import sys
from pathlib import Path
from course.models import hub

hub._revision_on_hub = lambda repository, kind, revision: sys.argv[1] * 40
for number in range(25):
    print(hub.locked_revision(f"{sys.argv[1]}/{number}"), hub.locked_revision(f"both/{number}"))
"""


def test_processes_that_write_the_lock_file_at_once_lose_no_entry(tmp_path):
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _RECORD_MANY, name],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    told = [process.communicate()[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    locked = json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8"))
    assert len(locked) == 75
    assert told[0][1::2] == told[1][1::2] == [locked[f"both/{number}"] for number in range(25)], (
        "both use the same revision"
    )


def test_a_repository_that_asks_to_run_code_is_refused_and_runs_none(hub, client, toys):
    marker = client / "executed"
    hub.add("models", REPOSITORY, checkpoints.with_own_code(toys["smollm2"], marker))
    for door in (load_model, load_tokenizer):
        with pytest.raises(
            HubError, match=rf"{REPOSITORY} at revision \w+ asks to run its own code .*is never run"
        ):
            door(NAME, wanted_tier="hub")
    assert not marker.exists()
    assert not list(client.glob("**/*.py")), "code is not even fetched"


def test_the_planted_code_would_leave_its_marker(client, toys, monkeypatch):
    """The judge of the test above: from the same files, transformers runs the code when it is told
    to.
    """
    marker, folder = client / "executed", client / "own"
    folder.mkdir()
    for name, content in checkpoints.with_own_code(toys["smollm2"], marker).items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(client / "modules"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    AutoConfig.from_pretrained(folder, trust_remote_code=True)
    assert marker.exists()


def test_a_pickle_is_refused_and_not_even_fetched(hub, client, toys):
    hub.add("models", REPOSITORY, checkpoints.pickle_only(toys["smollm2"]))
    with pytest.raises(
        HubError,
        match=rf"{REPOSITORY} at revision \w+ has no weights in safetensors; "
        "expected safetensors only",
    ):
        load()
    assert not any(".bin" in request for request in files_asked(hub))


def test_files_that_do_not_load_are_named_with_the_folder_to_delete(hub, client, toys):
    sha = hub.add(
        "models", REPOSITORY, toys["smollm2"] | {"model.safetensors": b"these are no weights"}
    )
    with pytest.raises(
        HubError,
        match=rf"{REPOSITORY} at revision {sha} does not load: .*; delete (\S+) to fetch it anew",
    ) as raised:
        load()
    named = re.search(r"delete (\S+) to", str(raised.value))[1]
    assert named.startswith(str(client)) and named.endswith("models--HuggingFaceTB--SmolLM2-135M")

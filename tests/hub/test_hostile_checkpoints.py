"""Checkpoints that are broken or mean harm, from the hub and in a folder: refused by name, never
run, never half loaded.
"""

import json
import os
import pickle
from pathlib import Path

import peft
import pytest
import safetensors.torch
import torch
from transformers import (
    AutoModelForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from course.models import checkpoint_files
from course.models.complete_weights import IncompleteCheckpoint
from course.models.hub import HubError
from course.models.loading import load_model, load_tokenizer, load_with_head
from course.models.roles import HUB
from course.models.shipped import WeightsError

NAME = "gpt-small"
WEIGHTS, INDEX = checkpoint_files.WEIGHTS, checkpoint_files.INDEX


@pytest.fixture
def hub_gives(hub, client):
    """``give(files) -> name to load``, from the hub."""

    def give(files: dict[str, bytes]) -> str:
        hub.add("models", HUB[NAME].repository, files)
        return NAME

    return give


@pytest.fixture
def folder_gives(client):
    """``give(files) -> name to load``, in a folder of the user's."""

    def give(files: dict[str, bytes]) -> str:
        folder = client / "mine"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return "./mine"

    return give


@pytest.fixture(params=["hub", "folder"])
def give(request):
    return request.getfixturevalue(f"{request.param}_gives")


def load(name):
    return load_model(name, "hub")


def load_head(name):
    return load_with_head(name, AutoModelForSequenceClassification, wanted_tier="hub", num_labels=3)


def settings(files: dict[str, bytes], **others) -> dict[str, bytes]:
    """The files with something else in their configuration."""
    return files | {"config.json": json.dumps(json.loads(files["config.json"]) | others).encode()}


def weights(files: dict[str, bytes]) -> dict[str, torch.Tensor]:
    return safetensors.torch.load(files[WEIGHTS])


def with_weights(files: dict[str, bytes], tensors: dict[str, torch.Tensor]) -> dict[str, bytes]:
    return files | {WEIGHTS: safetensors.torch.save(tensors, {"format": "pt"})}


def in_shards(files: dict[str, bytes], other: str | None = None) -> dict[str, bytes]:
    """The files with their weights in two files and an index; the index calls the second one
    ``other``.
    """
    tensors = sorted(weights(files).items())
    parts = {"a.safetensors": dict(tensors[::2]), "b.safetensors": dict(tensors[1::2])}
    names = {key: name for name, part in parts.items() for key in part}
    if other is not None:
        names = {key: other if name == "b.safetensors" else name for key, name in names.items()}
    index = {"metadata": {"total_size": 1}, "weight_map": names}
    made = {name: safetensors.torch.save(part, {"format": "pt"}) for name, part in parts.items()}
    return (
        {k: v for k, v in files.items() if k != WEIGHTS}
        | made
        | {INDEX: json.dumps(index).encode()}
    )


class Planted:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def test_weights_in_several_files_load(give, toys):
    loaded = load(give(in_shards(toys["smollm2"]))).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in weights(toys["smollm2"]).items())


@pytest.mark.parametrize(
    "other",
    [
        "weights.txt",
        "weights.SAFETENSORS",
        "b.safetensors.txt",
        "../outside.safetensors",
        "../../outside.safetensors",
        "..\\outside.safetensors",
        "part/outside.safetensors",
        "C:outside.safetensors",
        "b.safetensors:outside.safetensors",
        "/ABSOLUTE/outside.safetensors",
        ".",
        "",
        "two\0.safetensors",
        "absent.safetensors",
    ],
)
def test_an_index_names_safetensors_of_its_own_folder_alone(give, toys, client, other):
    files = in_shards(toys["smollm2"], other.replace("/ABSOLUTE", str(client)))
    part = files["b.safetensors"]
    for place in (client, client / "mine", client / "mine" / "part"):
        place.mkdir(exist_ok=True)
        (place / "outside.safetensors").write_bytes(part)
    torch.save(safetensors.torch.load(part), client / "mine" / "weights.txt")
    files |= {
        "weights.txt": (client / "mine" / "weights.txt").read_bytes(),
        "b.safetensors.txt": part,
    }
    name = give(files)
    for door in (load, load_head):
        with pytest.raises(
            HubError,
            match=(
                "names .* as a file of weights; expected the bare name|names .*, which is not there"
            ),
        ):
            door(name)


@pytest.mark.parametrize(
    "index",
    [b"[]", b"{}", b'{"weight_map": []}', b'{"weight_map": {"a": 5}}', b'{"weight', b"\xff\xfe"],
)
def test_an_index_that_is_none_is_named(give, toys, index):
    with pytest.raises(HubError, match=r"index.json|does not load"):
        load(give(in_shards(toys["smollm2"]) | {INDEX: index}))


@pytest.mark.parametrize("other", ["adapter_model.bin", "../outside.safetensors", "weights.txt", 5])
def test_the_configuration_cannot_name_other_weights(give, toys, client, other):
    torch.save(weights(toys["smollm2"]), client / "w")
    files = settings(toys["smollm2"], transformers_weights=other)
    pickled = (client / "w").read_bytes()
    with pytest.raises(HubError, match="config.json of .* names .* as a file of weights"):
        load(give(files | {"adapter_model.bin": pickled, "weights.txt": pickled}))


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.pt", "model.pkl", "adapter_model.safetensors"]
)
def test_a_folder_without_safetensors_is_refused_and_nothing_is_unpickled(
    folder_gives, toys, client, name
):
    marker = client / "executed"
    files = {k: v for k, v in toys["smollm2"].items() if k != WEIGHTS}
    name = folder_gives(files | {name: pickle.dumps(Planted(marker))})
    for door in (load, load_head):
        with pytest.raises(
            HubError,
            match=(
                r"the checkpoint in .*mine has no weights in safetensors; expected safetensors "
                r"only"
            ),
        ):
            door(name)
    assert not marker.exists()


def test_a_file_that_is_a_link_out_of_the_folder_is_refused(folder_gives, toys, client):
    outside = client / "elsewhere"
    outside.write_bytes(toys["smollm2"][WEIGHTS])
    name = folder_gives({k: v for k, v in toys["smollm2"].items() if k != WEIGHTS})
    try:
        os.symlink(outside, client / "mine" / WEIGHTS)
    except OSError:
        pytest.skip("this system makes no symlinks")
    for door in (load, load_head, load_tokenizer):
        with pytest.raises(
            HubError,
            match=r"model.safetensors of the checkpoint in .*mine is a link to .*elsewhere",
        ):
            door(name)
    (client / "mine" / WEIGHTS).unlink()
    outside.rename(client / "mine" / "inside")
    os.symlink("inside", client / "mine" / WEIGHTS)
    load(name)


def test_a_folder_of_the_cache_is_a_folder_too(hub_gives, toys):
    cached = load(hub_gives(toys["smollm2"])).config._name_or_path
    assert torch.equal(load(cached).lm_head.weight, load(NAME).lm_head.weight)


def test_a_folder_is_loaded_as_what_it_was_saved_as(client, toys):
    for toy, kind in {
        "bert": "BertForMaskedLM",
        "gpt2": "GPT2LMHeadModel",
        "tuned": "LlamaForCausalLM",
    }.items():
        (client / toy).mkdir()
        for name, content in toys[toy].items():
            (client / toy / name).write_bytes(content)
        for path in (client / toy, f"./{toy}"):
            assert type(load_model(path)).__name__ == kind
        assert (
            load_tokenizer(client / toy).decode(
                load_tokenizer(client / toy)("one").input_ids, skip_special_tokens=True
            )
            == "one"
        )
    for door in (load_model, load_tokenizer):
        with pytest.raises(
            ValueError,
            match=(
                r"no folder './nowhere'; give the path of a folder with a checkpoint, a "
                r"repository of the hub, .* or the role"
            ),
        ):
            door("./nowhere")


@pytest.mark.parametrize(
    "key",
    [
        "_attn_implementation",
        "attn_implementation",
        "_experts_implementation",
        "experts_implementation",
    ],
)
def test_the_implementation_of_a_layer_is_not_the_repositorys_to_choose(give, toys, key):
    name = give(settings(toys["smollm2"], **{key: "somebody/some-kernel"}))
    for model in (load(name), load_head(name)):
        assert model.config._attn_implementation in ("sdpa", "eager")
        assert model.config._experts_implementation != "somebody/some-kernel"
    asked = load_with_head(
        name, AutoModelForSequenceClassification, wanted_tier="hub", attn_implementation="eager"
    )
    assert asked.config._attn_implementation == "eager"


def test_an_adapter_beside_the_weights_is_left_out(give, toys, client):
    base = LlamaForCausalLM(LlamaConfig(**json.loads(toys["smollm2"]["config.json"])))
    adapted = peft.get_peft_model(
        base, peft.LoraConfig(target_modules=["q_proj"], init_lora_weights=False)
    )
    adapted.save_pretrained(client / "adapter")
    beside = {
        path.name: path.read_bytes()
        for path in (client / "adapter").iterdir()
        if path.name.startswith("adapter_")
    }
    assert len(beside) == 2
    name = give(toys["smollm2"] | beside)
    for model in (load(name), load_head(name)):
        assert not any("lora" in key for key in model.state_dict())


def test_code_in_a_folder_is_refused(folder_gives, toys):
    name = folder_gives(
        settings(toys["smollm2"], auto_map={"AutoConfig": "own.Own"})
        | {"own.py": b"raise SystemExit"}
    )
    for door in (load, load_head, load_tokenizer):
        with pytest.raises(
            HubError,
            match=r"the checkpoint in .*mine asks to run its own code .*own.Own.* is never run",
        ):
            door(name)


@pytest.mark.parametrize(
    ("config", "method"),
    [
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "gptq"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "awq"),
        ({"quantization_config": {"load_in_4bit": True}}, "bitsandbytes"),
        ({"compression_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
        ({"text_config": {"quantization_config": {"quant_method": "fp8"}}}, "fp8"),
    ],
)
def test_a_quantised_checkpoint_is_named(give, toys, config, method):
    name = give(settings(toys["smollm2"], **config))
    for door in (load, load_head):
        with pytest.raises(
            HubError,
            match=(
                f"is quantised with {method}, as config.json says; expected weights in floating "
                "point .*made from"
            ),
        ):
            door(name)


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.float8_e4m3fn, torch.int32])
def test_weights_in_whole_numbers_or_eight_bits_are_named(give, toys, kind):
    tensors = weights(toys["smollm2"])
    key = "model.layers.0.self_attn.q_proj.weight"
    name = give(with_weights(toys["smollm2"], tensors | {key: tensors[key].to(kind)}))
    with pytest.raises(HubError, match=rf"is quantised \({key} in model.safetensors is \w+\)"):
        load(name)


def without(tensors, part):
    return {key: value for key, value in tensors.items() if part not in key}


def grown(tensors, part):
    return {
        key: torch.cat([value, value]) if part in key else value for key, value in tensors.items()
    }


Q = "model.layers.0.self_attn.q_proj"
#: What is wrong -> (a change of the weights, what is said of it).
WRONG = {
    "missing": (lambda t: without(t, Q), f"has no weights {Q}.weight"),
    "a layer less": (
        lambda t: without(t, "layers.1."),
        r"has no weights model.layers.1.\S+, .* and 1 more",
    ),
    "nothing": (lambda t: {"other": torch.zeros(1)}, r"has no weights .* and \d+ more"),
    "other shape": (
        lambda t: grown(t, Q),
        rf"has weights in other shapes: {Q}.weight \(64, 32\) instead of \(32, 32\)",
    ),
    "other vocabulary": (
        lambda t: grown(t, "embed_tokens"),
        r"in other shapes: \S*embed_tokens.weight",
    ),
    "a layer more": (
        lambda t: (
            t
            | {
                k.replace("layers.1", "layers.2"): v.clone()
                for k, v in t.items()
                if "layers.1" in k
            }
        ),
        r"has weights without a place: model.layers.2.",
    ),
    "a bias": (lambda t: t | {f"{Q}.bias": torch.zeros(32)}, f"without a place: {Q}.bias"),
    "GPTQ's names": (
        lambda t: without(t, Q) | {f"{Q}.qweight": torch.zeros(4, 32, dtype=torch.int32)},
        f"has no weights {Q}.weight and has weights without a place: {Q}.qweight",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_other_weights_than_the_models_are_named(folder_gives, toys, kind):
    change, message = WRONG[kind]
    name = folder_gives(with_weights(toys["smollm2"], change(weights(toys["smollm2"]))))
    for door, model in ((load, "LlamaForCausalLM"), (load_head, "LlamaForSequenceClassification")):
        with pytest.raises(
            IncompleteCheckpoint,
            match=rf"the checkpoint in .*mine .*{message}.* for {model}; take another",
        ) as raised:
            door(name)
        assert isinstance(raised.value, HubError) and isinstance(raised.value, WeightsError)


def test_a_checkpoint_of_the_hub_that_lacks_weights_is_named(hub_gives, toys):
    name = hub_gives(with_weights(toys["smollm2"], without(weights(toys["smollm2"]), Q)))
    for door in (load, load_head):
        with pytest.raises(
            HubError, match=rf"{HUB[NAME].repository} at revision \w+ has no weights {Q}.weight for"
        ):
            door(name)


def test_a_head_that_is_missing_is_missed_only_where_it_is_needed(folder_gives, toys):
    body = {
        key.removeprefix("bert."): value
        for key, value in weights(toys["bert"]).items()
        if key.startswith("bert.")
    }
    name = folder_gives(with_weights(toys["bert"], body))
    load_head(name)
    with pytest.raises(
        IncompleteCheckpoint, match=r"has no weights cls.predictions.*for BertForMaskedLM"
    ):
        load(name)


def test_extras_of_no_consequence_are_allowed(folder_gives, toys):
    """Tied weights, the head of another task, buffers of an older version, a pooler."""
    tensors = weights(toys["smollm2"])
    assert "lm_head.weight" not in tensors, "it is tied"
    extras = {"v_head.weight": torch.zeros(3), "score.weight": torch.zeros(7, 32)}
    extras |= {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.zeros(8) for i in range(2)}
    name = folder_gives(with_weights(toys["smollm2"], tensors | extras))
    assert torch.equal(load(name).lm_head.weight, tensors["model.embed_tokens.weight"])
    assert load_head(name).score.weight.shape == (3, 32)


def test_what_older_versions_saved_still_loads(folder_gives, toys):
    masks = {
        f"transformer.h.{i}.attn.bias": torch.ones(1, 1, 512, 512).tril().byte() for i in range(2)
    }
    old = weights(toys["gpt2"]) | masks
    assert isinstance(load(folder_gives(with_weights(toys["gpt2"], old))), GPT2LMHeadModel)


def test_older_names_of_berts_weights_still_load(folder_gives, toys):
    def old(key):
        return key.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        )

    tensors = {old(key): value for key, value in weights(toys["bert"]).items()}
    tensors["bert.embeddings.position_ids"] = torch.arange(512)[None]
    name = folder_gives(with_weights(toys["bert"], tensors))
    load(name), load_head(name)


def header(content: bytes, size: int | None = None) -> bytes:
    return (len(content) if size is None else size).to_bytes(8, "little") + content


@pytest.mark.parametrize(
    "change",
    [
        {WEIGHTS: b""},
        {WEIGHTS: b"\0" * 7},
        {WEIGHTS: header(b"{}", 1 << 60)},
        {WEIGHTS: header(b"[" * 5000)},
        {WEIGHTS: header(b"\xff\xfe{}")},
        {WEIGHTS: header(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}')},
        {WEIGHTS: header(b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}') + b"1234"},
        {WEIGHTS: header(b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}') + b"1234"},
        {"config.json": b"[]"},
        {"config.json": b"{"},
        {"config.json": b"[" * 100_000},
        {"config.json": b"\xff\xfe"},
        {"config.json": b"{}"},
        {"config.json": b'{"model_type": "no-such-model"}'},
        {"config.json": b'{"model_type": "llama", "hidden_size": "many"}'},
        {"config.json": b'{"model_type": "llama", "num_attention_heads": 0}'},
        {"config.json": b'{"model_type": ["llama"]}'},
    ],
    ids=lambda change: " ".join(f"{name} {content[:60]}" for name, content in change.items()),
)
def test_damaged_files_are_named_with_what_to_do(folder_gives, toys, change):
    name = folder_gives(toys["smollm2"] | change)
    for door in (load, load_head):
        with pytest.raises(
            HubError,
            match=r"the checkpoint in .*mine does not load: .*; save it anew with save_pretrained",
        ):
            door(name)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"5", b'{"version": "1.0"}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_tokenizer_is_named_with_what_to_do(folder_gives, toys, name, content):
    if (name, content) == ("tokenizer_config.json", b'{"version": "1.0"}'):
        pytest.skip("a configuration may be empty")
    given = folder_gives(toys["gpt2"] | {name: content})
    with pytest.raises(
        HubError,
        match=r"the checkpoint in .*mine does not load: .*; save it anew with save_pretrained",
    ):
        load_tokenizer(given)


TEMPLATES = {
    "syntax": ("{% for %}", "TemplateSyntaxError"),
    "refusal": ("{{ raise_exception('only images') }}", "TemplateError: only images"),
    "undefined": ("{{ messages[0].nothing.at.all }}", "UndefinedError"),
    "escape": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError|UndefinedError"),
    "mutation": ("{{ messages.clear() }}", "SecurityError"),
    "long loop": (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "takes more than 1 seconds",
    ),
    "long text": ("{{ 'ab' * 2000000 }}", "writes 4000000 characters"),
    "much memory": ("{{ 'ab' * 20000000000 }}", "more than a gigabyte"),
    "growing text": (
        (
            "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% "
            "endfor %}"
        ),
        "gigabyte",
    ),
    "endless recursion": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
    "type": ("{{ messages + 1 }}", "TypeError"),
}


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_hostile_chat_template_is_named_with_what_to_do(folder_gives, toys, kind, monkeypatch):
    template, message = TEMPLATES[kind]
    if kind == "long loop":
        monkeypatch.setattr(checkpoint_files, "TEMPLATE_SECONDS", 1.0)
    name = folder_gives(toys["smollm2"] | {"chat_template.jinja": template.encode()})
    with pytest.raises(
        HubError,
        match=(
            rf"the chat template of the checkpoint in .*mine cannot write .*({message}).*copy "
            r"its folder without"
        ),
    ):
        load_tokenizer(name)


def test_a_hostile_chat_template_of_the_hub_is_refused(hub_gives, toys):
    with pytest.raises(
        HubError,
        match=rf"the chat template of {HUB[NAME].repository} at revision .*: TemplateError: no",
    ):
        load_tokenizer(
            hub_gives(toys["smollm2"] | {"chat_template.jinja": b"{{ raise_exception('no') }}"}),
            "hub",
        )


def test_what_good_templates_do_is_allowed(folder_gives, toys):
    template = (
        "{{ bos_token }}{% for m in messages %}{% if loop.index > 9 %}{% break %}{% endif %}{{ m "
        "| tojson(indent=1) }}"
        "{% generation %}{{ m['content'] | trim }}{% endgeneration %}{% endfor %}{{ "
        "strftime_now('%Y') }}{{ tools is defined }}"
    )
    tokenizer = load_tokenizer(
        folder_gives(toys["smollm2"] | {"chat_template.jinja": template.encode()})
    )
    assert "one two" in tokenizer.apply_chat_template(
        [{"role": "user", "content": "one two"}], tokenize=False
    )

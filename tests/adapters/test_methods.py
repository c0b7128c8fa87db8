"""Every method: nothing changes at the start, only its own parameters learn, their number is the
formula's, and it comes back from disk.
"""

import pytest
import torch
from architectures import CONFIGS, INNER, LAYERS, MORE, WIDTH, batch, logits, new_model, shaken
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils import ModulesToSaveWrapper
from transformers import BertForMaskedLM

from course.adapters import INPUT_METHODS, METHODS, adapt, trainable
from course.adapters.bottleneck import BottleneckConfig
from course.adapters.prefix import start_prefix_from
from course.adapters.storage import save
from course.adapters.target_modules import WITH_CACHE, head_modules, norm_modules

ADAPTERS = [method for method in METHODS if method != "full"]
#: Llama and Qwen have no biases where BitFit looks for them; Qwen has some.
CASES = [
    (kind, method)
    for kind in CONFIGS
    for method in ADAPTERS
    if (kind, method) != ("llama", "bitfit")
]


def body_logits_follow_the_head(model) -> int:
    """Parameters of a model's head."""
    return sum(
        p.numel()
        for name in head_modules(model)
        for p in model.get_submodule(resolve(model, name)).parameters()
    )


def resolve(model, ending: str) -> str:
    return next(name for name, _ in model.named_modules() if name.endswith(ending))


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_a_fresh_adapter_changes_nothing(kind, method):
    model = new_model(kind)
    before = logits(model)
    after = logits(adapt(model, method).eval())
    same = torch.allclose(before, after, atol=1e-6)
    assert same == METHODS[method].unchanged_at_start


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_only_its_own_parameters_learn(kind, method):
    model = adapt(new_model(kind), method)
    before = {name: value.clone() for name, value in model.named_parameters()}
    own = {name for name, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):  # what stands behind a zero learns from the second step on
        model(**batch(), labels=torch.tensor([0, 1, 2, 0, 1])).loss.backward()
        optimizer.step()
    changed = {
        name for name, value in model.named_parameters() if not torch.equal(value, before[name])
    }
    marks = (
        "bitfit_delta",
        "adapter_bias_delta",
        "bottleneck_delta",
        "lora_",
        "ia3_",
        "prompt_encoder",
        "modules_to_save",
    )
    assert changed and changed <= own
    assert all(any(mark in name for mark in marks) for name in own)
    # the bias of keys shifts all scores of a query alike, and no softmax sees that
    assert {
        name for name in own - changed if not name.endswith("key.bitfit_delta.default.bias")
    } == set()


def formula(method: str, kind: str, model) -> int:
    """The parameters that each method adds, counted by hand from the sizes."""
    d, ff, layers = WIDTH, INNER, LAYERS
    norm = 2 * d if kind in ("bert", "gpt_neox", "gpt2") else d
    widths = {
        "bert": [(d, d)] * 4 + [(d, ff), (ff, d)],
        "gpt_neox": [(d, 3 * d), (d, d), (d, ff), (ff, d)],
        "gpt2": [(d, 3 * d), (d, d), (d, ff), (ff, d)],
        "llama": [(d, d)] * 4 + [(d, ff)] * 2 + [(ff, d)],
        "qwen2": [(d, d)] * 4 + [(d, ff)] * 2 + [(ff, d)],
    }[kind]
    biases = {
        "bert": layers * (sum(out for _, out in widths) + 2 * d) + d,
        "gpt_neox": layers * (sum(out for _, out in widths) + 2 * d) + d,
        "gpt2": layers * (sum(out for _, out in widths) + 2 * d) + d,
        "qwen2": layers * 3 * d,
    }
    scales = {
        "bert": d + d + d + ff,
        "gpt_neox": 3 * d + ff,
        "gpt2": 3 * d + ff,
        "llama": 2 * d + ff,
        "qwen2": 2 * d + ff,
    }
    return {
        "head": 0,
        "bitfit": biases.get(kind, 0),
        "adapter_bias": layers * (d + ff + 1) + layers * 2 * norm,
        "ia3": layers * scales[kind],
        "prefix": 2 * layers * 8 * d,
        "lora": layers * 4 * sum(i + o for i, o in widths),
        "bottleneck": 2 * layers * (2 * d * 16 + 16 + d) + layers * 2 * norm,
    }[method]


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_the_number_of_parameters_is_the_formulas(kind, method):
    model = new_model(kind)
    head = body_logits_follow_the_head(model)
    assert trainable(adapt(model, method)) == head + formula(method, kind, model)


def test_full_fine_tuning_trains_all_and_takes_no_options():
    model = new_model("bert").requires_grad_(False)
    assert trainable(adapt(model, "full")) == model.num_parameters()
    with pytest.raises(
        ValueError, match="full fine-tuning takes a model of transformers and no options"
    ):
        adapt(model, "full", r=4)


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_an_adapter_comes_back_from_disk_with_its_head(kind, method, tmp_path):
    model = shaken(adapt(new_model(kind), method)).eval()
    expected = logits(model)
    folder = save(model, tmp_path / "adapter")
    # the same body, as anybody can download it, under a head that was drawn anew
    again = PeftModel.from_pretrained(new_model(kind, fresh=1), folder).eval()
    assert torch.equal(logits(again), expected)


_KNOWN = (*ADAPTERS, *INPUT_METHODS)
_PLACED = ("bitfit", "adapter_bias", "bottleneck")
#: What a method says of an architecture that it does not know.
REFUSED = (
    {(kind, "bitfit"): "no biases" for kind in ("mistral", "qwen3", "phi3")}
    | {("deberta", "bitfit"): "out of BitFit's reach"}
    | {
        (kind, method): "no target modules are known"
        for kind in ("mixtral", "gemma2", "mamba")
        for method in ("bitfit", "adapter_bias", "bottleneck")
    }
    | {(kind, "prefix"): "prefix tuning does not know" for kind in set(MORE) - WITH_CACHE}
    | {
        ("mamba", "ia3"): "IA3 does not know the architecture 'mamba', only",
        ("mamba", "head"): "no modules_to_save",
    }
    | {("mamba", method): "only of architectures with attention" for method in INPUT_METHODS}
)


def more(kind: str, fresh: int = 0):
    return new_model(kind, "language" if kind == "mamba" else "sequence", fresh=fresh)


@pytest.mark.parametrize("method", _KNOWN)
@pytest.mark.parametrize("kind", MORE)
def test_a_method_works_on_an_architecture_or_says_which_it_knows(kind, method, tmp_path):
    model = more(kind)
    if message := REFUSED.get((kind, method)):
        with pytest.raises(ValueError, match=message):
            adapt(model, method)
        assert not any(
            isinstance(module, ModulesToSaveWrapper | LoraLayer) for module in model.modules()
        ), "nothing was changed"
        return
    before = logits(model)
    model = adapt(model, method, "own").eval()
    known = (METHODS | INPUT_METHODS)[method]
    assert torch.allclose(before, logits(model), atol=1e-5) == known.unchanged_at_start
    own, values = learn(model)
    changed = {
        name for name, value in model.named_parameters() if not torch.equal(value, values[name])
    }
    assert changed <= own and (
        method == "head" or any("modules_to_save" not in name for name in changed)
    )
    expected = logits(shaken(model))
    again = PeftModel.from_pretrained(
        more(kind, fresh=1), save(model, tmp_path / "adapter", "own")
    ).eval()
    assert torch.allclose(logits(again), expected, atol=1e-6)


def learn(model) -> tuple[set[str], dict[str, torch.Tensor]]:
    """Two steps of training; the names of what may learn, and all values before."""
    values = {name: value.clone() for name, value in model.named_parameters()}
    own = {name for name, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    labels = (
        batch()["input_ids"]
        if type(model.get_base_model()).__name__.endswith("ForCausalLM")
        else torch.tensor([0, 1, 2, 0, 1])
    )
    for _ in range(2):
        model(**batch(), labels=labels).loss.backward()
        optimizer.step()
    return own, values


@pytest.mark.parametrize("name", ["one", "b", "task-0"])
@pytest.mark.parametrize("method", ADAPTERS)
def test_an_adapter_of_any_name_comes_back_under_any_other(method, name, tmp_path):
    model = shaken(
        adapt(shaken(adapt(new_model("bert"), method, "first")), method, name), seed=1
    ).eval()
    folder = save(model, tmp_path / "adapter", name)
    for other in ("default", name, "another"):
        again = PeftModel.from_pretrained(
            new_model("bert", fresh=1), folder, adapter_name=other
        ).eval()
        assert torch.equal(logits(again), logits(model))


@pytest.mark.parametrize("head", ["tokens", "span"])
@pytest.mark.parametrize("method", ADAPTERS)
def test_the_other_heads_come_back_too(head, method, tmp_path):
    model = shaken(adapt(new_model("bert", head), method)).eval()
    folder = save(model, tmp_path / "adapter")
    assert torch.equal(
        logits(PeftModel.from_pretrained(new_model("bert", head, fresh=1), folder).eval()),
        logits(model),
    )


@pytest.mark.parametrize(("kind", "method"), [case for case in CASES if METHODS[case[1]].merges])
def test_what_merges_leaves_a_plain_model_with_the_same_answers(kind, method):
    model = shaken(adapt(new_model(kind), method)).eval()
    expected = logits(model)
    model.merge_adapter()
    assert torch.allclose(logits(model), expected, atol=1e-5)
    model.unmerge_adapter()
    assert torch.allclose(logits(model), expected, atol=1e-5)
    merged = model.merge_and_unload()
    assert type(merged) is type(new_model(kind)) and torch.allclose(
        logits(merged), expected, atol=1e-5
    )


@pytest.mark.parametrize("method", ["adapter_bias", "bottleneck"])
def test_what_depends_on_the_input_does_not_merge(method):
    with pytest.raises(ValueError, match="depends on the input and cannot be merged"):
        adapt(new_model("bert"), method).merge_and_unload()


@pytest.mark.parametrize("method", ADAPTERS)
def test_adapters_are_listed_switched_turned_off_and_deleted(method):
    model = new_model("bert")
    plain = logits(model)
    adapted = shaken(adapt(model, method, "one"), seed=1).eval()
    one = logits(adapted)
    adapted = shaken(adapt(adapted, method, "two"), seed=2).eval()
    two = logits(adapted)
    assert list(adapted.peft_config) == ["one", "two"] and adapted.active_adapter == "two"
    assert not torch.allclose(one, two, atol=1e-3)
    adapted.set_adapter("one")
    assert torch.equal(logits(adapted), one)
    if (
        method != "prefix"
    ):  # peft 0.21 cannot turn prefix tuning off for a model that does not generate
        with adapted.disable_adapter():
            assert torch.allclose(logits(adapted), plain, atol=1e-6)
    adapted.delete_adapter("two")
    assert list(adapted.peft_config) == ["one"] and torch.equal(logits(adapted), one)


def test_heads_and_norms_are_found():
    assert head_modules(new_model("bert")) == ["classifier", "pooler.dense"]
    assert head_modules(new_model("bert", "span")) == ["qa_outputs"]
    assert head_modules(new_model("gpt_neox")) == ["score"]
    assert (
        head_modules(new_model("gpt_neox", "language"))
        == head_modules(new_model("gpt2", "language"))
        == []
    )
    assert len(norm_modules(new_model("llama"))) == 2 * LAYERS


@pytest.mark.parametrize("norms", [True, False])
def test_layer_norms_are_trained_if_asked_for(norms):
    model = adapt(new_model("gpt_neox"), "lora", norms=norms)
    copied = [
        name for name, module in model.named_modules() if isinstance(module, ModulesToSaveWrapper)
    ]
    assert sum("layernorm" in name for name in copied) == (2 * LAYERS if norms else 0)


def test_options_reach_the_method():
    assert trainable(
        adapt(new_model("gpt_neox"), "bottleneck", r=2, norms=False)
    ) == 3 * WIDTH + 2 * LAYERS * (2 * WIDTH * 2 + 2 + WIDTH)
    lora = adapt(new_model("gpt_neox"), "lora", r=8, alpha=8, target_modules=["query_key_value"])
    assert lora.peft_config["default"].r == 8 and lora.peft_config["default"].lora_alpha == 8
    assert (
        adapt(new_model("bert"), "prefix", length=3).peft_config["default"].num_virtual_tokens == 3
    )


@pytest.mark.parametrize(
    ("kind", "head", "method", "message"),
    [
        ("bert", "sequence", "adapters", "no method 'adapters'; choose from head, bitfit"),
        ("llama", "sequence", "bitfit", "LlamaForSequenceClassification has no biases"),
        (
            "gpt_neox",
            "language",
            "head",
            "no modules_to_save: expected the names of the head's modules",
        ),
    ],
)
def test_what_cannot_be_adapted_is_refused(kind, head, method, message):
    with pytest.raises(ValueError, match=message):
        adapt(new_model(kind, head), method)


def test_an_unknown_architecture_and_a_taken_name_are_refused():
    strange = new_model("bert")
    strange.config.model_type = "strange"
    with pytest.raises(
        ValueError,
        match="no target modules are known for the architecture 'strange', only for bert, .* give "
        "target_modules",
    ):
        adapt(strange, "bottleneck")
    assert (
        trainable(adapt(strange, "bottleneck", r=1, target_modules=["output.dense"], norms=False))
        > 0
    )
    with pytest.raises(ValueError, match="has an adapter 'one' already; give another name"):
        adapt(adapt(new_model("bert"), "lora", "one"), "lora", "one")
    with pytest.raises(ValueError, match="r=0: expected a bottleneck at least 1 wide"):
        BottleneckConfig(r=0)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        *(
            ("lora", {"r": r}, "r=.*: expected a whole number from 1 to 16; a rank above")
            for r in (0, -4, 10**6, 17)
        ),
        *(("lora", {"r": r}, "r=.*: expected a whole number") for r in (2.5, "4", True, 4.0)),
        *(
            ("lora", {name: v}, f"{name}=.*: expected a finite number above 0; with 0 nothing")
            for v in (0, -4, NAN, INF, "8", True)
            for name in ("alpha", "lora_alpha")
        ),
        ("lora", {"alpha": 4, "lora_alpha": 8}, "lora_alpha=8 is also given as lora_alpha=4"),
        *(
            (
                "lora",
                {"lora_dropout": p},
                "lora_dropout=.*: expected a finite number of at least 0 and below 1",
            )
            for p in (1, -0.1, NAN)
        ),
        (
            "lora",
            {"rank": 4},
            "the method 'lora' has no option 'rank'; choose from alora_invocation_tokens, alpha, ",
        ),
        ("lora", {"length": 4}, "the method 'lora' has no option 'length'"),
        ("lora", {"task_type": "CAUSAL_LM"}, "has no option 'task_type'"),
        ("lora", {"inference_mode": True}, "has no option 'inference_mode'"),
        ("lora", {"use_dora": 1}, "use_dora=1: expected True or False"),
        (
            "lora",
            {"rank_pattern": {"query": 99}},
            r"rank_pattern\['query'\]=99: expected a whole number",
        ),
        ("lora", {"rank_pattern": 4}, "rank_pattern=4: expected a dictionary"),
        ("lora", {"alpha_pattern": {"query": 0}}, r"alpha_pattern\['query'\]=0"),
        ("lora", {"target_modules": 3}, "target_modules=3: expected a list"),
        ("lora", {"target_modules": []}, r"target_modules=\[\]: expected a list that is not empty"),
        (
            "lora",
            {"target_modules": ["query", 3]},
            r"target_modules\[1\]=3: expected the name of a module",
        ),
        (
            "lora",
            {"target_modules": ["query", "nowhere"]},
            "target_modules: BertForSequenceClassification has no module 'nowhere'",
        ),
        (
            "lora",
            {"target_modules": "query"},
            "target_modules: BertForSequenceClassification has no module 'query'",
        ),
        (
            "lora",
            {"modules_to_save": ["nowhere"]},
            "modules_to_save: BertForSequenceClassification has no module 'nowhere'",
        ),
        (
            "lora",
            {"modules_to_save": "classifier"},
            "modules_to_save='classifier': expected a list of names",
        ),
        (
            "lora",
            {"trainable_token_indices": [40]},
            r"trainable_token_indices\[0\]=40: expected .* to 39",
        ),
        (
            "lora",
            {"layers_to_transform": 2},
            "layers_to_transform=2: expected a whole number from 0 to 1",
        ),
        ("lora", {"norms": 1}, "norms=1: expected True or False"),
        (
            "bitfit",
            {"r": 4},
            "the method 'bitfit' has no option 'r'; choose from exclude_modules, modules_to_save, "
            "target_modules",
        ),
        ("ia3", {"alpha": 4}, "the method 'ia3' has no option 'alpha'"),
        *(("bottleneck", {"r": r}, "r=.*: expected a whole number") for r in (0, -1, 17, 1.5)),
        *(
            (
                method,
                {"length": n},
                "length=.*: expected a whole number from 1 to 511; the model reads 512 tokens",
            )
            for method in ("prefix", *INPUT_METHODS)
            for n in (0, -1, 512, 10**6)
        ),
        *(
            (method, {"length": 2.0}, "length=2.0: expected a whole number")
            for method in ("prefix", *INPUT_METHODS)
        ),
        ("prefix", {"num_virtual_tokens": 0}, "num_virtual_tokens=0"),
        (
            "p_tuning",
            {"encoder_hidden_size": 0},
            "encoder_hidden_size=0: expected a whole number of at least 1",
        ),
        *(("lora", {"name": name}, "cannot name a file") for name in ("", "a/b", "../../x")),
        *(
            ("lora", {"name": name}, "has a dot|cannot be called")
            for name in ("v1.0", "keys", "query", "weight")
        ),
        ("lora", {"name": 3}, "cannot name a file"),
        ("head", {"modules_to_save": ["nowhere"]}, "has no module 'nowhere'"),
    ],
)
def test_an_option_out_of_range_is_refused_before_anything_is_changed(method, options, message):
    model = new_model("bert")
    with pytest.raises((ValueError, TypeError), match=message):
        adapt(model, method, **options)


def test_positions_behind_the_padding_token_make_a_window_smaller():
    with pytest.raises(ValueError, match="length=511: .*the model reads 511 tokens"):
        adapt(new_model("roberta"), "prefix", length=511)


def test_what_is_no_model_no_method_or_has_adapters_in_it_is_refused():
    with pytest.raises(TypeError, match="str cannot be adapted: expected a model of transformers"):
        adapt("bert", "lora")
    with pytest.raises(ValueError, match=r"no method \['lora'\]"):
        adapt(new_model("bert"), ["lora"])
    body = new_model("bert")
    lora = adapt(body, "lora")
    with pytest.raises(
        ValueError, match="this BertForSequenceClassification has adapters in it already"
    ):
        adapt(body, "bitfit")
    with pytest.raises(
        ValueError,
        match="the model has adapters of LORA; BitFit needs a copy of the base model of its own",
    ):
        adapt(lora, "bitfit", "two")


@pytest.mark.parametrize("method", ["prefix", *INPUT_METHODS])
def test_vectors_that_peft_would_leave_out_without_a_word_are_refused(method):
    with pytest.raises(
        ValueError,
        match="does not know BertForMaskedLM, only classes that end in ForSequenceClassification",
    ):
        adapt(BertForMaskedLM(CONFIGS["bert"]()), method)


def test_modules_to_save_come_on_top_of_the_head():
    model = adapt(new_model("gpt_neox"), "lora", modules_to_save=["embed_in"])
    copied = [
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, ModulesToSaveWrapper)
    ]
    assert copied == ["embed_in", "score"]


def test_a_layer_that_has_no_matrix_is_refused():
    with pytest.raises(
        TypeError, match="GELUActivation cannot be adapted: expected a linear layer or a layer norm"
    ):
        adapt(new_model("bert"), "adapter_bias", target_modules=["intermediate_act_fn"])


def by_hand_bottleneck(delta, x, y):
    return (
        y
        + torch.nn.functional.gelu(y @ delta.down.weight.T + delta.down.bias) @ delta.up.weight.T
        + delta.up.bias
    )


def by_hand_adapter_bias(delta, x, y):
    return y + ((x @ delta.alpha.weight.T)[..., 0] + delta.alpha.bias)[..., None] * delta.v


@pytest.mark.parametrize(
    ("method", "by_hand"),
    [("bottleneck", by_hand_bottleneck), ("adapter_bias", by_hand_adapter_bias)],
)
def test_a_delta_is_its_equation(method, by_hand):
    model = shaken(adapt(new_model("bert"), method))
    layer = model.get_submodule("base_model.model.bert.encoder.layer.0.output.dense")
    x = torch.randn(2, 3, INNER)
    assert torch.allclose(
        layer(x), by_hand(layer.deltas["default"], x, layer.base_layer(x)), atol=1e-6
    )


@pytest.mark.parametrize("kind", sorted(WITH_CACHE))
def test_a_prefix_starts_as_the_keys_and_values_of_a_text(kind):
    """A model with a prefix made from a text answers as if it had read the text: for a decoder, the
    rest of the row follows it.
    """
    model = adapt(new_model(kind), "prefix", length=3).eval()
    ids = batch()["input_ids"][1]
    before = model.prompt_encoder["default"].embedding.weight.clone()
    start_prefix_from(model, ids)
    assert not torch.allclose(model.prompt_encoder["default"].embedding.weight, before)
    if kind not in ("bert", "roberta", "xlm-roberta", "electra"):
        behind = logits(
            model, input_ids=ids[None, 3:], attention_mask=torch.ones(1, 4, dtype=torch.long)
        )
        whole = logits(
            new_model(kind), input_ids=ids[None], attention_mask=torch.ones(1, 7, dtype=torch.long)
        )
        assert torch.allclose(behind, whole, atol=1e-5)
    with pytest.raises(ValueError, match="Need at least 3 cached tokens, got 2"):
        start_prefix_from(model, ids[:2])

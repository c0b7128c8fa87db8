"""Many adapters in one batch give what each gives alone."""

import copy
import itertools
from collections.abc import Sequence

import pytest
import torch
from architectures import CONFIGS, MORE, batch, logits, new_model, shaken
from hypothesis import given, settings
from hypothesis import strategies as st
from peft.tuners import lora
from tokenizers import processors

from course.adapters import adapt
from course.adapters.serving import AdapterBank
from course.lm.language_model import LanguageModel, load

NAMES = ("a", "b", "c")
METHODS = ("head", "bitfit", "adapter_bias", "ia3", "lora", "bottleneck")
CASES = [
    (kind, method)
    for kind in CONFIGS
    for method in METHODS
    if (kind, method) != ("llama", "bitfit")
]


def adapted(kind: str, method: str, head: str = "sequence", **options):
    model = new_model(kind, head)
    for seed, name in enumerate(NAMES):
        model = shaken(adapt(model, method, name, **options), seed=seed)
    return model.eval()


def alone(model) -> dict[str, torch.Tensor]:
    """What each adapter says to the whole batch, one after the other."""
    found = {}
    for name in NAMES:
        model.set_adapter(name)
        found[name] = logits(model)
    return found


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_every_row_is_answered_by_its_own_adapter(kind, method):
    model = adapted(kind, method)
    expected, rows = alone(model), list("bacca")
    bank = AdapterBank(model)
    found = bank.logits(rows, **batch())
    assert torch.allclose(
        found, torch.stack([expected[name][i] for i, name in enumerate(rows)]), atol=1e-5
    )
    assert not torch.allclose(expected["a"], expected["b"], atol=1e-2), (
        "the adapters differ, or this would prove nothing"
    )


def rows_of(expected: dict[str, torch.Tensor], rows: Sequence[str]) -> torch.Tensor:
    """Row by row what each adapter says alone."""
    return torch.stack([expected[name][i] for i, name in enumerate(rows)])


#: DeBERTa's attention sends relative positions, which have no rows, through some of its layers;
#: Mixtral's experts are no linear layers.
UNROUTED = {
    (
        "deberta",
        "lora",
    ): r"pos_proj reads something of the shape \(1, 4, 16\) in a batch of 3 rows, 2 tokens each",
    ("deberta-v2", "bitfit"): r"deberta.encoder.LayerNorm reads something of the shape \(16, 16\)",
    ("deberta-v2", "ia3"): "key_proj reads something of the shape",
    (
        "deberta-v2",
        "lora",
    ): "query_proj reads something of the shape .* adapt without it .* or answer its rows alone, "
    "with set_adapter",
    (
        "mixtral",
        "lora",
    ): "the adapter 'a' has target_parameters=.*, which cannot share a batch; name linear layers "
    "in target_modules",
}
#: What a method does not know; see the tests of the methods.
UNKNOWN = {
    (kind, "bitfit")
    for kind in ("mistral", "qwen3", "phi3", "deberta", "mixtral", "gemma2", "mamba")
} | {
    *(
        (kind, method)
        for kind in ("mixtral", "gemma2")
        for method in ("adapter_bias", "bottleneck")
    ),
    *(("mamba", method) for method in METHODS if method != "lora"),
}


@pytest.mark.parametrize(
    ("kind", "method"), [case for case in itertools.product(MORE, METHODS) if case not in UNKNOWN]
)
def test_an_architecture_is_served_or_refused_by_name(kind, method):
    model = adapted(kind, method, "language" if kind == "mamba" else "sequence")
    if message := UNROUTED.get((kind, method)):
        with pytest.raises(ValueError, match=message):
            AdapterBank(model)
        return
    expected, rows = alone(model), list("bacca")
    assert torch.allclose(
        AdapterBank(model).logits(rows, **batch()), rows_of(expected, rows), rtol=1e-4, atol=1e-5
    )
    assert not torch.allclose(expected["a"], expected["b"], atol=1e-3)


def test_what_goes_by_rows_in_deberta_and_mixtral_is_served():
    for kind, targets in (
        ("deberta-v2", ["value_proj", "dense"]),
        ("mixtral", ["q_proj", "o_proj"]),
    ):
        model = adapted(kind, "lora", target_modules=targets)
        assert torch.allclose(
            AdapterBank(model).logits(list("abcab"), **batch()),
            rows_of(alone(model), "abcab"),
            atol=1e-5,
        )


def grown(kind: str, *options: dict, head: str = "language"):
    """A model with a LoRA adapter for each of the options."""
    model = new_model(kind, head)
    for seed, (name, option) in enumerate(zip(NAMES, options, strict=True)):
        model = shaken(adapt(model, "lora", name, **option), seed=seed)
    return model.eval()


_ENDS = {
    "gpt_neox": ["query_key_value", "dense"],
    "gpt2": ["c_attn", "c_proj"],
    "llama": ["q_proj", "down_proj"],
    "bert": ["query", "dense"],
}
_EMBEDDING = {
    "gpt_neox": "embed_in",
    "gpt2": "wte",
    "llama": "embed_tokens",
    "bert": "word_embeddings",
}
#: Options of LoRA that the bank routes, each in an adapter of its own; and one that has them all.
VARIANTS = {
    "plain": lambda kind: {},
    "dora": lambda kind: {"use_dora": True},
    "biases": lambda kind: {"lora_bias": True},
    "narrow dora": lambda kind: {"use_dora": True, "r": 2, "target_modules": _ENDS[kind][:1]},
    "embedding": lambda kind: {"target_modules": [*_ENDS[kind], _EMBEDDING[kind]], "r": 3},
    "tokens": lambda kind: {"trainable_token_indices": {_EMBEDDING[kind]: [3, 0, 17]}},
    "more tokens": lambda kind: {"trainable_token_indices": {_EMBEDDING[kind]: [*range(5, 25)]}},
    "ranks": lambda kind: {
        "rank_pattern": {_ENDS[kind][0]: 7},
        "alpha_pattern": {_ENDS[kind][1]: 3},
        "use_rslora": True,
    },
    "few layers": lambda kind: {"target_modules": _ENDS[kind][:1], "layers_to_transform": 1},
    "others": lambda kind: {"target_modules": _ENDS[kind][1:]},
    "saved": lambda kind: {"modules_to_save": [_EMBEDDING[kind]]},
    "norms": lambda kind: {"norms": True},
}
MIXES = [
    ("gpt_neox", ("dora", "biases", "narrow dora")),
    ("gpt_neox", ("embedding", "plain", "ranks")),
    ("gpt_neox", ("tokens", "more tokens", "plain")),
    ("gpt_neox", ("few layers", "others", "norms")),
    ("gpt_neox", ("saved", "dora", "plain")),
    ("gpt2", ("dora", "ranks", "narrow dora")),
    ("gpt2", ("tokens", "dora", "more tokens")),
    ("bert", ("narrow dora", "embedding", "others")),
    ("llama", ("tokens", "biases", "few layers")),
]
_BUILT = {}


def built(case: int) -> tuple[AdapterBank, dict[str, torch.Tensor]]:
    """The bank of a mix, and what its adapters say alone; made once."""
    if case not in _BUILT:
        kind, variants = MIXES[case]
        model = grown(kind, *(VARIANTS[variant](kind) for variant in variants))
        _BUILT[case] = AdapterBank(model), alone(model)
    return _BUILT[case]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(MIXES) - 1), st.lists(st.sampled_from(NAMES), min_size=5, max_size=5))
def test_any_assignment_of_rows_to_adapters_of_any_options(case, rows):
    bank, expected = built(case)
    assert torch.allclose(
        bank.logits(rows, **batch()), rows_of(expected, rows), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("case", range(len(MIXES)))
def test_every_adapter_of_a_mix_says_something_of_its_own(case):
    bank, expected = built(case)
    for one, other in itertools.combinations(NAMES, 2):
        assert not torch.allclose(expected[one], expected[other], atol=1e-2), (
            "or the test above would prove nothing"
        )
    for name in NAMES:
        assert torch.allclose(
            bank.logits([name] * 5, **batch()), expected[name], rtol=1e-4, atol=1e-5
        )


def test_tokens_of_an_output_that_is_tied_to_the_input_are_learned_there_too():
    model = grown("gpt2", *(VARIANTS[name]("gpt2") for name in ("tokens", "plain", "more tokens")))
    assert type(model.get_base_model().lm_head).__name__ == "TrainableTokensWrapper"
    assert torch.allclose(
        AdapterBank(model).logits(list("abcca"), **batch()),
        rows_of(alone(model), "abcca"),
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_base_model_in_half_precision_is_served_as_alone():
    model = new_model("gpt_neox", "language").to(torch.bfloat16)
    for seed, (name, options) in enumerate(
        zip(NAMES, ({}, {"use_dora": True}, {"lora_bias": True}), strict=True)
    ):
        model = shaken(adapt(model, "lora", name, **options), seed=seed)
    found = AdapterBank(model.eval()).logits(list("abcab"), **batch())
    assert found.dtype == torch.bfloat16 and torch.allclose(
        found, rows_of(alone(model), "abcab"), rtol=0.02, atol=0.02
    )


@pytest.mark.parametrize(
    ("kind", "method", "options", "message"),
    [
        *(
            (
                "gpt_neox",
                method,
                {},
                f"the adapter 'a' is {kind}, which cannot share a batch: expected LoRA, IA3, .* "
                "with set_adapter",
            )
            for method, kind in (
                ("prompt", "PROMPT_TUNING"),
                ("p_tuning", "P_TUNING"),
                ("prefix", "PREFIX_TUNING"),
            )
        ),
        (
            "gpt_neox",
            "lora",
            {"alora_invocation_tokens": [1]},
            r"the adapter 'a' has alora_invocation_tokens=\[1\], which cannot share",
        ),
        (
            "gpt_neox",
            "lora",
            {"bias": "all"},
            "the adapter 'a' has bias='all', .*; train with bias='none'",
        ),
        (
            "gpt_neox",
            "lora",
            {"target_modules": ["embed_in"], "use_dora": True},
            "use_dora at embeddings.* at gpt_neox.embed_in cannot",
        ),
        (
            "gpt_neox",
            "lora",
            {"init_lora_weights": "mica"},
            "MiCALinearVariant of the adapter 'a' at .* cannot share a batch",
        ),
        (
            "llama",
            "lora",
            {"layer_replication": [(0, 2), (0, 2)]},
            "the adapter 'a' has layer_replication=",
        ),
        (
            "opt",
            "lora",
            {"target_modules": ["embed_positions"]},
            "around OPTLearnedPositionalEmbedding at model.decoder.embed_positions",
        ),
        (
            "bert",
            "lora",
            {"target_modules": ["position_embeddings"]},
            r"position_embeddings reads something of the shape \(1, 2\)",
        ),
    ],
)
def test_what_is_not_routed_is_refused_by_name(kind, method, options, message):
    model = adapt(new_model(kind, "language"), method, "a", **options)
    with pytest.raises(ValueError, match=message):
        AdapterBank(model)


def test_a_layer_that_peft_may_bring_some_day_is_refused():
    class Unheard(lora.Linear):
        pass

    model = adapted("gpt_neox", "lora")
    layer = next(module for module in model.modules() if type(module) is lora.Linear)
    layer.__class__ = Unheard
    with pytest.raises(
        ValueError,
        match="Unheard at gpt_neox.layers.0.attention.query_key_value cannot share a batch",
    ):
        AdapterBank(model)


def test_rows_are_one_for_each_name_whatever_multiplies_them():
    bank, _ = built(1)
    ids = batch()["input_ids"].clamp(min=1)
    with bank.rows(list("abcab")) as served:
        with pytest.raises(
            ValueError, match="5 names for 10 rows: .* name those of beams and samples, too"
        ):
            served.generate(
                input_ids=ids, max_new_tokens=2, num_beams=2, do_sample=False, pad_token_id=0
            )
        with pytest.raises(ValueError, match="got 4 rows for 5 names"):
            served.base_model(input_ids=ids[:4])


def test_a_batch_inside_of_a_batch_gives_the_outer_one_back():
    bank, expected = built(1)
    with bank.rows(["a"] * 5) as served:
        bank.logits(["b"] * 2, input_ids=batch()["input_ids"][:2])
        assert torch.allclose(served(**batch()).logits, expected["a"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", ["tokens", "span"])
def test_heads_at_every_position(head):
    model = adapted("bert", "lora", head)
    expected, rows = alone(model), list("abcab")
    with AdapterBank(model).rows(rows) as served:
        found = logits(served)
    assert torch.allclose(
        found, torch.stack([expected[name][i] for i, name in enumerate(rows)]), atol=1e-5
    )


def test_adapters_of_different_ranks_share_a_batch():
    model = new_model("gpt_neox", "language")
    for seed, (name, rank) in enumerate(zip(NAMES, (1, 4, 2), strict=True)):
        model = shaken(adapt(model, "lora", name, r=rank, alpha=3 * rank + seed), seed=seed)
    expected = alone(model.eval())
    found = AdapterBank(model).logits(list("abcab"), **batch())
    assert torch.allclose(
        found, torch.stack([expected[name][i] for i, name in enumerate("abcab")]), atol=1e-5
    )


def test_a_decoder_goes_on_from_its_cache():
    model = adapted("gpt_neox", "lora", "language")
    ids = batch()["input_ids"].clamp(min=1)
    bank, rows = AdapterBank(model), list("abcab")
    with bank.rows(rows) as served:
        whole = served(input_ids=ids).logits[:, -1]
        past = served(input_ids=ids[:, :-1], use_cache=True).past_key_values
        last = served(input_ids=ids[:, -1:], past_key_values=past).logits[:, -1]
        made = served.generate(input_ids=ids, max_new_tokens=3, do_sample=False, pad_token_id=0)
    assert torch.allclose(whole, last, atol=1e-5)
    for i, name in enumerate(rows):
        model.set_adapter(name)
        assert torch.equal(
            model.generate(
                input_ids=ids[i : i + 1], max_new_tokens=3, do_sample=False, pad_token_id=0
            )[0],
            made[i],
        )


def test_answers_are_those_of_each_adapter_alone():
    gpt = load("gpt-small")
    model = copy.deepcopy(gpt.model)
    for seed, name in enumerate(NAMES):
        model = shaken(adapt(model, "lora", name), seed=seed, scale=0.1)
    prompts = [
        "the capital of dorland is",
        "hot : cold \n young :",
        "the plot was dull but the ending was",
    ]
    found = AdapterBank(model).answer(gpt.tokenizer, NAMES, prompts, max_new_tokens=4, stop=".")
    for name, prompt, answer in zip(NAMES, prompts, found, strict=True):
        model.set_adapter(name)
        (sample,) = LanguageModel(model, gpt.tokenizer).generate(
            [prompt], max_tokens=4, temperature=0.0
        )[0]
        assert answer == sample.text.split(".")[0].strip()
    bank = AdapterBank(model)
    for names, asked, options, message in (
        (NAMES[:2], prompts, {}, "2 names for 3 prompts: expected one adapter for each prompt"),
        (NAMES, "abc", {}, "prompts='abc': expected a list of texts"),
        (NAMES, ["hot", None, "cold"], {}, "expected a list of texts"),
        ([], [], {}, "no names: expected at least one of a, b, c"),
        (
            NAMES,
            ["hot " * 300, "hot", "cold"],
            {},
            "has 301 tokens, and with 8 new ones that is more than the window of 256",
        ),
        (
            NAMES,
            prompts,
            {"max_new_tokens": 0},
            "max_new_tokens=0: expected a whole number of at least 1",
        ),
        (NAMES, prompts, {"max_new_tokens": 2.5}, "max_new_tokens=2.5: expected a whole number"),
        (NAMES, prompts, {"stop": ""}, "stop='': expected a string that is not empty"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            bank.answer(gpt.tokenizer, names, asked, **options)
    silent = copy.deepcopy(gpt.tokenizer)  # puts nothing before a text
    silent.backend_tokenizer.post_processor = processors.Sequence([])
    with pytest.raises(
        ValueError, match="the prompt '' has no tokens: expected some text to go on from"
    ):
        bank.answer(silent, ["a"], [""])
    with pytest.raises(ValueError, match="BertForSequenceClassification does not generate"):
        AdapterBank(adapted("bert", "lora")).answer(gpt.tokenizer, NAMES, prompts)


def test_outside_of_a_batch_the_bank_is_the_base_model_and_the_adapted_one_is_untouched():
    model = adapted("bert", "lora")
    expected = alone(model)
    bank = AdapterBank(model, ["a", "c"])
    bank.logits(["a"] * 5, **batch())
    with pytest.raises(RuntimeError, match="stop"), bank.rows(["a"] * 5):
        raise RuntimeError("stop")
    with model.disable_adapter():
        assert torch.allclose(logits(bank.model), logits(model), atol=1e-6)
    assert all(torch.equal(alone(model)[name], expected[name]) for name in NAMES)
    weight = "bert.encoder.layer.0.attention.self.query.base_layer.weight"
    assert (
        bank.model.get_parameter(weight).data_ptr()
        == model.get_base_model().get_parameter(weight).data_ptr()
    ), "no copy of the base"


def test_what_cannot_be_served_together_is_refused():
    model = adapted("bert", "lora")
    with pytest.raises(ValueError, match="no adapter 'd' to serve; choose from a, b, c"):
        AdapterBank(model, ["a", "d"])
    with pytest.raises(ValueError, match="no adapters: expected at least one of a, b, c"):
        AdapterBank(model, [])
    with pytest.raises(
        TypeError, match=r"adapters='a': expected a list of names, \['a'\] for a single one"
    ):
        AdapterBank(model, "a")
    with pytest.raises(
        TypeError, match="BertForSequenceClassification has no adapters: expected what"
    ):
        AdapterBank(new_model("bert"))
    bank = AdapterBank(model, ["a", "b"])
    with pytest.raises(ValueError, match="no adapter 'c' to serve; choose from a, b"):
        bank.logits(["c"] * 5, **batch())
    with pytest.raises(ValueError, match="4 names for 5 rows: expected one adapter for each row"):
        bank.logits(["a"] * 4, **batch())
    mixed = new_model("bert", "language")
    mixed = adapt(adapt(mixed, "bottleneck", "a", r=2), "bottleneck", "b", r=3)
    with pytest.raises(
        ValueError, match=r"the adapters differ at bert.*output.dense \(BottleneckLayer\)"
    ):
        AdapterBank(mixed)
    model.merge_adapter(["a"])
    with pytest.raises(ValueError, match="an adapter is merged into .*; call unmerge_adapter"):
        AdapterBank(model)

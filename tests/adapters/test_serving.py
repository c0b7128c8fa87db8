"""Many adapters in one batch give what each gives alone."""

import copy

import pytest
import torch
from architectures import CONFIGS, batch, logits, new_model, shaken
from hypothesis import given, settings
from hypothesis import strategies as st

from course.adapters import adapt
from course.adapters.serving import AdapterBank
from course.lm import LanguageModel, load

NAMES = ("a", "b", "c")
METHODS = ("head", "bitfit", "adapter_bias", "lora", "bottleneck")
CASES = [(kind, method) for kind in CONFIGS for method in METHODS if (kind, method) != ("llama", "bitfit")]


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
    assert torch.allclose(found, torch.stack([expected[name][i] for i, name in enumerate(rows)]), atol=1e-5)
    assert not torch.allclose(expected["a"], expected["b"], atol=1e-2), "the adapters differ, or this would prove nothing"


_LORA = adapted("gpt_neox", "lora")
_BANK, _ALONE = AdapterBank(_LORA), alone(_LORA)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=5, max_size=5))
def test_any_assignment_of_rows(rows):
    found = _BANK.logits(rows, **batch())
    assert torch.allclose(found, torch.stack([_ALONE[name][i] for i, name in enumerate(rows)]), atol=1e-5)


@pytest.mark.parametrize("head", ["tokens", "span"])
def test_heads_at_every_position(head):
    model = adapted("bert", "lora", head)
    expected, rows = alone(model), list("abcab")
    with AdapterBank(model).rows(rows) as served:
        found = logits(served)
    assert torch.allclose(found, torch.stack([expected[name][i] for i, name in enumerate(rows)]), atol=1e-5)


def test_adapters_of_different_ranks_share_a_batch():
    model = new_model("gpt_neox", "language")
    for seed, (name, rank) in enumerate(zip(NAMES, (1, 4, 2), strict=True)):
        model = shaken(adapt(model, "lora", name, r=rank, alpha=3 * rank + seed), seed=seed)
    expected = alone(model.eval())
    found = AdapterBank(model).logits(list("abcab"), **batch())
    assert torch.allclose(found, torch.stack([expected[name][i] for i, name in enumerate("abcab")]), atol=1e-5)


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
        assert torch.equal(model.generate(input_ids=ids[i : i + 1], max_new_tokens=3, do_sample=False, pad_token_id=0)[0], made[i])


def test_answers_are_those_of_each_adapter_alone():
    gpt = load("gpt-small")
    model = copy.deepcopy(gpt.model)
    for seed, name in enumerate(NAMES):
        model = shaken(adapt(model, "lora", name), seed=seed, scale=0.1)
    prompts = ["the capital of dorland is", "hot : cold \n young :", "the plot was dull but the ending was"]
    found = AdapterBank(model).answer(gpt.tokenizer, NAMES, prompts, max_new_tokens=4, stop=".")
    for name, prompt, answer in zip(NAMES, prompts, found, strict=True):
        model.set_adapter(name)
        (sample,) = LanguageModel(model, gpt.tokenizer).generate([prompt], max_tokens=4, temperature=0.0)[0]
        assert answer == sample.text.split(".")[0].strip()
    with pytest.raises(ValueError, match="2 names for 3 prompts: expected one adapter for each prompt"):
        AdapterBank(model).answer(gpt.tokenizer, NAMES[:2], prompts)


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
    assert bank.model.get_parameter(weight).data_ptr() == model.get_base_model().get_parameter(weight).data_ptr(), "no copy of the base"


def test_what_cannot_be_served_together_is_refused():
    model = adapted("bert", "lora")
    with pytest.raises(ValueError, match="'d' cannot be served; choose from a, b, c"):
        AdapterBank(model, ["a", "d"])
    bank = AdapterBank(model, ["a", "b"])
    with pytest.raises(ValueError, match="no adapter 'c' in the bank; choose from a, b"):
        bank.logits(["c"] * 5, **batch())
    with pytest.raises(ValueError, match="4 names for 5 rows: expected one adapter for each row"):
        bank.logits(["a"] * 4, **batch())
    with pytest.raises(ValueError, match="adapters of IA3 cannot share a batch"):
        AdapterBank(adapted("bert", "ia3"))
    with pytest.raises(ValueError, match="adapters of PREFIX_TUNING cannot share a batch"):
        AdapterBank(adapted("bert", "prefix"))
    mixed = new_model("bert", "language")
    mixed = adapt(adapt(mixed, "bottleneck", "a", r=2), "bottleneck", "b", r=3)
    with pytest.raises(ValueError, match="the adapters differ at BottleneckLayer"):
        AdapterBank(mixed)
    model.merge_adapter(["a"])
    with pytest.raises(ValueError, match="an adapter is merged into .*; call unmerge_adapter"):
        AdapterBank(model)

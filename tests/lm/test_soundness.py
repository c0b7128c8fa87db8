"""What cannot be asked says so: other kinds of models, other tokenizers, logits that are not
numbers; dropout is off while one asks.
"""

import copy

import pytest
import torch
from toys import byte_level, toy_model, word_pieces
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    GPT2Model,
    T5Config,
    T5ForConditionalGeneration,
)

from course.lm.language_model import LanguageModel, load
from course.lm.predictor import CausalLM, MaskedLM
from course.lm.soundness import NotANumberError, evaluating
from course.prompting.classify import choose


@pytest.fixture(params=["gpt2", "bloom"])
def model(request):
    """One that reads trees, and one that does not."""
    return LanguageModel(toy_model(request.param, byte_level()), byte_level())


def in_training(model: LanguageModel) -> LanguageModel:
    for module in model.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    model.model.train()
    return model


def test_a_model_in_training_mode_is_asked_without_dropout(model):
    prompts, labels = ["the red fox", "is it"], [" yes", " no"]
    options = {"n": 2, "temperature": 1.0, "max_tokens": 4}
    wanted = (
        model.score(prompts, labels),
        model.next_word(prompts),
        model.generate(prompts, **options),
    )
    fresh = in_training(LanguageModel(model.model, model.tokenizer))
    parts = {name: module.training for name, module in fresh.model.named_modules()}
    assert fresh.score(prompts, labels) == pytest.approx(wanted[0], abs=1e-4)
    assert torch.allclose(fresh.next_word(prompts), wanted[1], atol=1e-4)
    assert [[s.text for s in found] for found in fresh.generate(prompts, **options)] == [
        [s.text for s in found] for found in wanted[2]
    ]
    assert fresh.continue_text("the red", 3) == LanguageModel(
        model.model.eval(), model.tokenizer
    ).continue_text("the red", 3)
    assert (
        all(parts.values())
        and fresh.runner.supports_tree_attention == model.runner.supports_tree_attention
    )


def test_every_part_of_a_model_is_put_back_into_the_mode_in_which_it_was():
    model = toy_model("gpt2", byte_level()).train()
    model.transformer.h[0].eval()
    before = {name: module.training for name, module in model.named_modules()}
    with pytest.raises(KeyError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise KeyError
    assert {name: module.training for name, module in model.named_modules()} == before and len(
        set(before.values())
    ) == 2


def asks(model: LanguageModel):
    yield lambda: model.score(["the fox"], [" yes"])
    yield lambda: model.next_word(["the fox"])
    yield lambda: model.generate(["the fox"])
    yield lambda: model.generate(["the fox"], n=2, temperature=1.0)
    yield lambda: model.continue_text("the fox", 1)
    yield lambda: choose(model, ["the fox"], [" yes", " no"])


def test_the_first_bad_weight_is_named(model):
    names = [name for name, _ in model.model.named_parameters()]
    with torch.no_grad():
        dict(model.model.named_parameters())[names[5]].view(-1)[3] = float("nan")
        dict(model.model.named_parameters())[names[9]].view(-1)[3] = float("inf")
    for ask in asks(LanguageModel(model.model, model.tokenizer)):
        with pytest.raises(
            NotANumberError,
            match=rf"the weight {names[5]} is the first that holds NaN or infinity \(1 of",
        ):
            ask()


def test_the_first_bad_layer_is_named(model):
    def overflow(module, given, output):
        return output * float("inf")

    model.model.transformer.h[1].mlp.register_forward_hook(overflow)
    for ask in asks(LanguageModel(model.model, model.tokenizer)):
        with pytest.raises(
            NotANumberError,
            match=(
                r"all weights are finite, and the layer transformer\.h\.1\.mlp \(\w+MLP\) is "
                r"the first"
            ),
        ):
            ask()


def test_bert_names_its_bad_weight_too():
    bert = load("bert-middle")
    model = copy.deepcopy(bert.model)
    # not one of the attention: there a NaN in a query does not reach torch's fused kernel's output
    name = "model.embeddings.norm.bias"
    weight = model.get_parameter(name)
    weight.data.view(-1)[0] = float("nan")
    with pytest.raises(NotANumberError, match=name):
        MaskedLM(model, bert.tokenizer).blank(["a [MASK]"])


def small_bert(kind, **more):
    return kind(
        BertConfig(
            vocab_size=120,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            **more,
        )
    ).eval()


def test_models_that_do_not_continue_texts_are_refused_with_what_to_use_instead():
    with pytest.raises(
        ValueError, match=r"BertForMaskedLM fills in blanks.*MaskedLM\(model, tokenizer\)"
    ):
        LanguageModel(small_bert(BertForMaskedLM), word_pieces())
    with pytest.raises(ValueError, match="BertLMHeadModel reads what stands behind a word, too"):
        LanguageModel(small_bert(BertLMHeadModel), word_pieces())
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=400, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    )
    with pytest.raises(
        ValueError,
        match="T5ForConditionalGeneration has an encoder and a decoder.*AutoModelForCausalLM",
    ):
        LanguageModel(t5, byte_level())
    with pytest.raises(ValueError, match="GPT2Model has no head.*AutoModelForCausalLM"):
        LanguageModel(GPT2Model(toy_model("gpt2", byte_level()).config), byte_level())


def test_foreign_tokenizers_are_refused():
    gpt, bert = load("gpt-small"), load("bert-middle")
    small = toy_model("gpt2", byte_level())
    for kind in (LanguageModel, CausalLM):
        with pytest.raises(
            ValueError,
            match=(
                r"has ids up to \d+, and GPT2LMHeadModel knows those below \d+.*load both by "
                r"one name"
            ),
        ):
            kind(small, gpt.tokenizer)
    with pytest.raises(ValueError, match=r"puts '\[SEP\]' behind every text"):
        LanguageModel(gpt.model, bert.tokenizer)
    with pytest.raises(
        ValueError, match="has no mask token; load the tokenizer that belongs to the model"
    ):
        MaskedLM(bert.model, gpt.tokenizer)

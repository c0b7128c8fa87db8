"""Talking to a model behind a soft prompt: trees and plain reading agree with vectors put before
the words by hand.
"""

import pytest
import torch
from toys import byte_level, sentencepiece, toy_model

from course.adapters import adapt
from course.lm.language_model import LanguageModel
from course.models.peft_wrapper import num_virtual_tokens
from course.search.soft import SOFT, vectors

TOYS = {"gpt2": byte_level, "llama": sentencepiece, "bloom": byte_level}
PROMPTS = ("the red fox", "the red", "is it large ?", "is it wild ? no . is it")


def embedded(kind: str, method: str, length: int = 5) -> LanguageModel:
    """A toy with a soft prompt large enough to change every answer."""
    tokenizer = TOYS[kind]()
    torch.manual_seed(1)
    model = adapt(toy_model(kind, tokenizer), method, length=length).eval()
    return LanguageModel(model, tokenizer)


def naive_logits(model: LanguageModel, ids: list[int]) -> torch.Tensor:
    """What the frozen model says after the vectors and the words, put together by hand, (tokens,
    vocabulary).
    """
    base = model.model.get_base_model()
    words = base.get_input_embeddings()(torch.tensor([ids]))
    with torch.no_grad():
        return base(inputs_embeds=torch.cat([vectors(model)[None], words], dim=1)).logits[
            0, -len(ids) :
        ]


@pytest.mark.parametrize("method", ["prompt", "p_tuning"])
@pytest.mark.parametrize("kind", TOYS)
def test_a_soft_prompt_is_vectors_before_the_words(kind, method):
    model = embedded(kind, method)
    assert model.runner.supports_tree_attention == (kind != "bloom")
    texts = [
        f"{prompt} {rest}"
        for prompt, rest in zip(PROMPTS, ("runs", "fox runs over", "yes", "large ?"), strict=True)
    ]
    scored = model.score(
        PROMPTS, [text.removeprefix(prompt) for prompt, text in zip(PROMPTS, texts, strict=True)]
    )
    for prompt, text, score in zip(PROMPTS, texts, scored, strict=True):
        context, whole = model.tokenizer(prompt).input_ids, model.tokenizer(text).input_ids
        values = naive_logits(model, whole).log_softmax(-1)
        assert score == pytest.approx(
            sum(values[i - 1, whole[i]].item() for i in range(len(context), len(whole))), abs=1e-3
        )


@pytest.mark.parametrize("method", SOFT)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_trees_behind_a_soft_prompt_agree_with_one_text_at_a_time(kind, method):
    model = embedded(kind, method)
    assert model.runner.supports_tree_attention
    plain = LanguageModel(model.model, model.tokenizer)
    plain.runner.supports_tree_attention = False
    rest = [" dog", " fox runs", " yes", " large"]
    assert model.score(PROMPTS, rest) == pytest.approx(plain.score(PROMPTS, rest), abs=1e-3)
    assert torch.allclose(model.next_word(PROMPTS), plain.next_word(PROMPTS), atol=1e-3)
    written = [[s.text for s in samples] for samples in model.generate(PROMPTS, max_tokens=6)]
    assert written == [
        [s.text for s in samples] for samples in plain.generate(PROMPTS, max_tokens=6)
    ]
    with torch.no_grad():
        again = (
            model.model(torch.tensor([model.tokenizer(PROMPTS[0]).input_ids]))
            .logits[0, -1]
            .log_softmax(-1)
        )
    assert torch.allclose(model.next_word(PROMPTS[:1])[0], again, atol=1e-3)


def test_a_soft_prompt_takes_room_in_the_window():
    base, model = (
        LanguageModel(toy_model("gpt2", byte_level()), byte_level()),
        embedded("gpt2", "prompt"),
    )
    assert model.window == base.window - 5
    text = "a" + " a" * (base.window - 5)
    assert len(base.tokenizer(text).input_ids) == model.window + 1
    base.next_word([text])
    with pytest.raises(ValueError, match=f"window of {model.window}"):
        model.next_word([text])
    with pytest.raises(ValueError, match=f"the window holds {model.window}"):
        model.score([text], [" a"])
    with model.model.disable_adapter():
        assert num_virtual_tokens(model.model) == 0 and model.window == base.window

"""Asking a model: the batched answers are those of one text at a time, and wrong questions are
refused.
"""

import pytest
import torch

from course.lm.language_model import load
from course.lm.predictor import CausalLM


@pytest.fixture(scope="module")
def gpt():
    return load("gpt-small")


@pytest.fixture(scope="module")
def bert():
    return load("bert-middle")


TEXTS = ["", "the cat", "the opposite of hot is", "cat : yes \n dog : yes \n apple :", "dorland"]


def test_next_word_equals_one_prompt_at_a_time(gpt):
    small_batches = CausalLM(gpt.model, gpt.tokenizer, batch_tokens=12)
    naive = []
    for text in TEXTS:
        ids = gpt.tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            naive.append(gpt.model(ids).logits[0, -1].log_softmax(-1))
    for model in (gpt, small_batches):
        assert torch.allclose(model.next_word(TEXTS), torch.stack(naive), atol=1e-4)


def test_blank_equals_one_text_at_a_time(bert):
    texts = [
        "the opposite of [MASK] is cold .",
        "[MASK]",
        "a [MASK] is a kind of animal . it is not large .",
    ]
    naive = []
    for text in texts:
        encoded = bert.tokenizer(text, return_tensors="pt")
        at = (encoded.input_ids[0] == bert.tokenizer.mask_token_id).nonzero().item()
        with torch.no_grad():
            naive.append(bert.model(**encoded).logits[0, at].log_softmax(-1))
    assert torch.allclose(bert.blank(texts), torch.stack(naive), atol=1e-4)


def test_all_blanks_of_a_text_are_filled_side_by_side(bert):
    encoded = bert.tokenizer("the [MASK] of hot is [MASK] .", return_tensors="pt")
    at = (encoded.input_ids[0] == bert.tokenizer.mask_token_id).nonzero()[:, 0]
    with torch.no_grad():
        naive = bert.model(**encoded).logits[0, at].log_softmax(-1)
    assert torch.allclose(bert.blanks("the [MASK] of hot is [MASK] ."), naive, atol=1e-4)


def test_a_text_behind_an_empty_prompt_is_scored_as_a_whole(gpt):
    texts = ["the opposite of hot is cold .", "the cat"]
    for text, found in zip(texts, gpt.score(["", ""], texts), strict=True):
        words, total = text.split(), 0.0
        for i, word in enumerate(words):
            total += gpt.next_word([" ".join(words[:i])])[0, gpt.token_ids([word])[0]].item()
        assert found.item() == pytest.approx(total, abs=1e-3)


def test_continuing_is_greedy_generation(gpt):
    for prompt in ("the capital of dorland is", "hot : cold \n young : old \n fast :"):
        ids = gpt.tokenizer(prompt, return_tensors="pt")
        made = gpt.model.generate(**ids, max_new_tokens=6, do_sample=False)[
            0, ids.input_ids.shape[1] :
        ]
        assert gpt.continue_text(prompt, 6)[: len(made)] == [
            gpt.tokenizer.decode([int(i)]).strip(" ") for i in made
        ]
    assert "\n" in gpt.continue_text(prompt, 6)


def test_bert_is_helped_along_one_blank_at_a_time(bert):
    text, found = "the opposite of hot is", []
    for _ in range(3):
        found += bert.likeliest(bert.blank([f"{text} [MASK]"]))
        text = f"{text} {found[-1]}"
    assert bert.continue_text("the opposite of hot is", 3) == found


def test_nothing_asked_nothing_answered(gpt, bert):
    vocabulary = gpt.next_word(["the"]).shape[1]
    assert (
        gpt.next_word([]).shape
        == CausalLM(gpt.model, gpt.tokenizer).next_word([]).shape
        == bert.blank([]).shape
        == (0, vocabulary)
    )
    assert gpt.continue_text("the", 0) == [] == gpt.token_ids([])


def test_words_that_do_not_fit_into_the_window_are_not_written(gpt, bert):
    assert (
        len(gpt.continue_text("cat " * 250, 6)) == 6
        and len(bert.continue_text("cat " * 250, 4)) == 4
    )
    with pytest.raises(
        ValueError,
        match=(
            "7 words after the 251 tokens .* make the model read 257 tokens, and the window "
            "holds 256"
        ),
    ):
        gpt.continue_text("cat " * 250, 7)
    with pytest.raises(
        ValueError,
        match="5 words after the 251 tokens .* read 257 tokens, and the window holds 256; shorten",
    ):
        bert.continue_text("cat " * 250, 5)


def test_the_likeliest_among_some_words(gpt):
    scores = gpt.next_word(["the opposite of hot is"])
    assert gpt.likeliest(scores, ["dog", "cold"]) == ["cold"]


def test_wrong_questions_are_refused(gpt, bert):
    with pytest.raises(ValueError, match="no blank to fill in 'the cat'"):
        bert.blanks("the cat")
    with pytest.raises(ValueError, match=r"has 2 blanks: expected exactly one \[MASK\]"):
        bert.blank(["[MASK] [MASK]"])
    with pytest.raises(ValueError, match="a text of 301 tokens is longer than the window of 256"):
        gpt.next_word(["cat " * 300])
    with pytest.raises(ValueError, match="among=.*expected at least one"):
        gpt.likeliest(gpt.next_word(["the"]), [])
    for words in (-1, 2.5, None, True):
        with pytest.raises(
            (TypeError, ValueError), match="words=.*expected a whole number of at least 0"
        ):
            gpt.continue_text("the", words)
    with pytest.raises(ValueError, match="'paris' is not one known token"):
        gpt.token_ids(["paris"])

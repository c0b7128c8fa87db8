"""What is written out in a few lines gives the probabilities of the package."""

import torch

from course.cloze import by_hand
from course.lm.language_model import load


def test_the_next_word_is_that_of_the_package():
    gpt, text = load("gpt-small"), "the capital of dorland is"
    ours = by_hand.next_word(gpt.model, gpt.tokenizer, text)
    assert torch.allclose(ours, gpt.next_word([text])[0].exp(), atol=1e-6)


def test_the_word_in_a_blank_is_that_of_the_package():
    bert, text = load("bert-middle"), "the capital of [MASK] is rosken ."
    ours = by_hand.word_in_blank(bert.model, bert.tokenizer, text)
    assert torch.allclose(ours, bert.blank([text])[0].exp(), atol=1e-6)

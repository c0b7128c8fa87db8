"""Losses lie between those of the generator and of guessing."""

import torch

from course.lm.language_model import load
from course.studies import model_losses


def test_no_model_beats_the_generator_on_lists():
    found = model_losses.list_losses(load("gpt-small"), seed=0, count=150)
    assert found["model"] > found["generator"] - 0.1
    assert found["generator"] > 0


def test_unseen_loss_is_far_under_guessing():
    model = load("gpt-small")
    assert (
        model_losses.unseen_loss(model, seed=0, batches=1)
        < 2
        < torch.log(torch.tensor(len(model.tokenizer))).item()
    )


def test_bert_fills_in_most_masked_words():
    assert model_losses.masked_accuracy(load("bert-middle"), seed=0, batches=1) > 0.5

"""The loss of an answer by hand is that of the package and of ``transformers``."""

import pytest
import torch

from course.finetuning.by_hand import IGNORED, answer_loss
from course.lm.language_model import load
from course.training import FitSettings, completions, mean_loss


@pytest.fixture(scope="module")
def gpt():
    return load("gpt-small")


def test_the_loss_of_an_answer_is_that_of_the_package_and_of_transformers(gpt):
    examples = [("input : hot \n output :", "cold \n"), ("what is it ?", "a red dog \n")]
    encoded = completions(gpt.tokenizer, examples, end=True)
    for i, (ids, start) in enumerate(zip(encoded.ids, encoded.starts, strict=True)):
        by_hand = answer_loss(gpt.model, ids[:start], ids[start:]).item()
        labels = torch.tensor([[IGNORED] * start + ids[start:]])
        theirs = gpt.model(torch.tensor([ids]), labels=labels).loss.item()
        alone = completions(gpt.tokenizer, examples[i : i + 1], end=True)
        ours = mean_loss(gpt.model, alone, FitSettings(precision="fp32"))
        assert by_hand == pytest.approx(theirs, abs=1e-4)
        assert by_hand == pytest.approx(ours, abs=1e-4)


def test_the_prompt_does_not_count(gpt):
    short, long = [5, 6, 7], [8, 9, 5, 6, 7]
    losses = [answer_loss(gpt.model, prompt, [10, 11]).item() for prompt in (short, long)]
    own = torch.log_softmax(gpt.model(torch.tensor([[*short, 10, 11]])).logits[0], -1)
    assert losses[0] == pytest.approx(-(own[2, 10] + own[3, 11]).item() / 2, abs=1e-4)
    assert losses[0] != losses[1], "it is read, though"

"""What chapter 4 asks of a base and of its tuned sibling in the hub tier: real data sets in words,
with and without a chat template.
"""

import pytest
from hub import tables
from hub.checkpoints import smollm2

from course.cloze import english
from course.finetuning import instruction_tuning
from course.lm.language_model import load
from course.models.roles import HUB

TASKS = ("sentiment", "inference", "extraction")


@pytest.fixture
def pair(hub, client, monkeypatch):
    """The two models, from a hub that has toys of them and of the data sets."""
    monkeypatch.setenv("COURSE_TIER", "hub")
    for name, make in tables.TABLES.items():
        hub.add("datasets", name, make())
    texts = 3 * [instruction_tuning.request(request) for request in english.REQUESTS]
    for role, tuned in (("gpt-middle", False), ("gpt-tuned", True)):
        hub.add("models", HUB[role].repository, smollm2(texts, tuned=tuned))
    return load("gpt-middle"), load("gpt-tuned")


def test_both_are_asked_about_real_data_in_words(pair):
    base, tuned = pair
    asked = instruction_tuning.samples(TASKS)
    assert len(asked) == 3 and all(example.output for _, example in asked)
    prompts = [instruction_tuning.request(wording, example.input) for wording, example in asked]
    for model in pair:
        assert len(instruction_tuning.answers(model, prompts)) == 3 and all(
            "\n" not in answer for answer in instruction_tuning.answers(model, prompts)
        )
    assert tuned.encoder.chat and not base.encoder.chat
    (wrapped,) = tuned.encoder.prompts(prompts[:1])
    assert "<|im_start|>user" in tuned.tokenizer.decode(wrapped) and prompts[
        0
    ] in tuned.tokenizer.decode(wrapped)


def test_the_micro_world_stays_that_of_the_package(pair):
    """Mixtures and tests are the micro-world's in both tiers: the clusters exist there alone."""
    tuning = instruction_tuning.Tuning(("geography",), corpus_share=0.0)
    (prompt, _), *_ = instruction_tuning.mixture(tuning, 1)
    assert "input : " in prompt and instruction_tuning.evaluate(
        pair[0], ["words"], wordings=(0,)
    ).keys() == {"opposite"}

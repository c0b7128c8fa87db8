"""Soft prompts: what is learned is counted and survives the disk, and what its nearest words are
worth.
"""

import pytest
import torch
from peft import PeftModel

from course.adapters import adapt, storage
from course.lm.language_model import LanguageModel, load
from course.models.loading import load_model
from course.search import GRADIENT_CALLS, answers
from course.search.objective import demonstrated, exchanged
from course.search.soft import (
    LEARNABLE,
    SoftPromptSettings,
    as_words,
    learn,
    nearest,
    some_words,
    start_from,
    vectors,
)


@pytest.fixture(scope="module")
def gpt():
    return load("gpt-small", "tiny")


@pytest.fixture(scope="module")
def animals():
    return answers("is_animal", 12, 6, measure="likelihood", wanted_tier="tiny")


@pytest.mark.parametrize("method", LEARNABLE)
def test_learning_leaves_the_model_alone_and_survives_the_disk(method, gpt, animals, tmp_path):
    before = [p.clone() for p in gpt.model.parameters()]
    found = learn(
        SoftPromptSettings(method, length=3, steps=4, looks=2, batch_size=4), animals, gpt
    )
    assert all(map(torch.equal, before, gpt.model.parameters()))
    assert (
        found.history.losses[-1] != found.history.losses[0]
        and found.steps[-1].score >= found.steps[0].score
    )
    folder = storage.save(found.model.model, tmp_path / "prompt")
    again = PeftModel.from_pretrained(load_model("gpt-small", "tiny"), folder).eval()
    ids = torch.tensor([found.model.tokenizer("horse :").input_ids])
    with torch.no_grad():
        assert torch.allclose(found.model.model(ids).logits, again(ids).logits, atol=1e-5)


def test_every_item_tried_and_every_gradient_is_counted(gpt, animals):
    lesson = SoftPromptSettings(
        length=2, steps=5, looks=2, batch_size=4
    )  # looks before step 1, after steps 3 and 5
    found = learn(lesson, animals, gpt)
    assert found.calls == 3 * animals.size + GRADIENT_CALLS * 4 * 5
    assert found.steps[0].calls == animals.size and found.prompt == "" and found.at(0) is None
    assert found.held_out == animals.held_out(found.model, "")


def test_a_step_takes_no_more_items_than_there_are(gpt, animals):
    few, many = (
        learn(SoftPromptSettings(length=2, steps=2, looks=1, batch_size=size), animals, gpt)
        for size in (animals.size, 10 * animals.size)
    )
    assert many.steps == few.steps and many.calls == few.calls


def test_learning_repeats_itself(gpt, animals):
    lesson = SoftPromptSettings(length=2, steps=3, looks=1, batch_size=4)
    first, same, other = (vectors(learn(lesson, animals, gpt, seed).model) for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_exchanged_labels_keep_the_items_and_move_the_words(animals):
    moved = exchanged(animals)
    assert [q.prompt.query for q in moved.train] == [q.prompt.query for q in animals.train]
    for question, usual in zip(moved.train + moved.test, animals.train + animals.test, strict=True):
        assert question.answers == usual.answers and {question.words[0], usual.words[0]} == {
            "yes",
            "no",
        }
    topics = exchanged(answers("topic", 6, 2, wanted_tier="tiny"))
    assert len({q.words[0] for q in topics.train}) == len({q.answers[0] for q in topics.train})
    with pytest.raises(ValueError, match="has no labels to exchange"):
        exchanged(answers("capital", 2, 2, wanted_tier="tiny"))


def test_demonstrations_are_training_items_that_are_not_asked_any_more(animals):
    shown = demonstrated(animals, 3)
    first = [(q.prompt.query, q.answers[0]) for q in animals.train[:3]]
    for question in shown.train + shown.test:
        assert [(e.input, e.output) for e in question.prompt.demonstrations] == first
    assert [q.prompt.query for q in shown.train] == [
        q.prompt.query for q in animals.train[3:]
    ] and len(shown.test) == len(animals.test)
    with pytest.raises(ValueError, match=f"count={animals.size}: expected 0 to {animals.size - 1}"):
        demonstrated(animals, animals.size)


def prompted(gpt: LanguageModel) -> LanguageModel:
    return LanguageModel(adapt(gpt.model, "prompt", length=1).eval(), gpt.tokenizer)


def test_a_prompt_begun_as_a_text_is_the_text(gpt, animals):
    ids = gpt.tokenizer("is it an animal \n").input_ids
    read = as_words(prompted(gpt), ids)
    items = range(animals.size)
    hard = animals.values(gpt, [("is it an animal", item) for item in items])
    assert animals.values(read, [("", item) for item in items]) == pytest.approx(hard, abs=1e-4)
    assert nearest(read) == nearest(read, "euclidean") == [[i] for i in ids]


def test_a_start_is_repeated_until_it_fills_the_vectors(gpt):
    model = adapt(load_model("gpt-small", "tiny"), "prompt", length=5)
    start_from(model, [7, 8])
    table = model.get_input_embeddings().weight
    assert torch.equal(
        vectors(LanguageModel(model, gpt.tokenizer)), table[[7, 8, 7, 8, 7]].detach()
    )
    prefix = adapt(load_model("gpt-small", "tiny"), "prefix", length=5)
    start_from(prefix, [7, 8])
    # behind the keys and values of a text, a model goes on as behind the text
    with torch.no_grad():
        read = prefix.eval()(torch.tensor([[9]])).logits[0, -1]
        assert torch.allclose(
            read,
            load_model("gpt-small", "tiny")(torch.tensor([[7, 8, 7, 8, 7, 9]])).logits[0, -1],
            atol=1e-3,
        )


def test_the_nearest_words_of_moved_embeddings_are_found_by_both_measures(gpt):
    model = prompted(gpt)
    weight = model.model.prompt_encoder["default"].embedding.weight
    table = gpt.model.get_input_embeddings().weight
    with torch.no_grad():
        weight.copy_(3 * table[11])  # the angle of one word; by length another one may be nearer
    assert nearest(model) == [[11]]
    distances = (table - 3 * table[11]).norm(dim=1)
    assert nearest(model, "euclidean", 3)[0] == distances.argsort()[:3].tolist()


def test_words_at_random_repeat_themselves(gpt):
    assert some_words(gpt, 4, 1) == some_words(gpt, 4, 1) != some_words(gpt, 4, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "soft"},
            "method='soft': expected one of 'prompt', 'p_tuning', 'prefix', 'lora'",
        ),
        ({"method": "lora", "start": "a text"}, "start='a text' for 'lora'"),
        ({"start": ()}, r"start=\(\) for 'prompt'"),
        ({"steps": 3, "looks": 4}, "looks=4: expected 1 to 3"),
        ({"length": 0}, "length=0: expected a whole number of at least 1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: expected a finite number above 0"),
    ],
)
def test_bad_lessons_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SoftPromptSettings(**settings)


def test_what_has_no_vectors_or_no_room_says_so(gpt, animals):
    with pytest.raises(ValueError, match="no adapter has no vectors at the input"):
        vectors(gpt)
    with pytest.raises(ValueError, match="PREFIX_TUNING has no vectors"):
        nearest(LanguageModel(adapt(gpt.model, "prefix", length=2), gpt.tokenizer))
    with pytest.raises(ValueError, match="measure='dot'"):
        nearest(prompted(gpt), "dot")
    with pytest.raises(ValueError, match="P_TUNING cannot begin as a text"):
        start_from(adapt(load_model("gpt-small", "tiny"), "p_tuning", length=2), [3])
    with pytest.raises(ValueError, match="beside 254 vectors the window holds 2"):
        learn(SoftPromptSettings(length=254, steps=1, looks=1), animals, gpt)

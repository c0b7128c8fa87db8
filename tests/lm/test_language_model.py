"""Talking to a model: the fast ways agree with the naive ones, which stand here, on every
architecture.
"""

import itertools
import random

import numpy as np
import pytest
import torch
from toys import TEXTS, byte_level, sentencepiece, toy_model

from course.lm import sample_state
from course.lm.language_model import LanguageModel, load
from course.lm.sample_state import SampleState

#: Architectures that share prefixes, each with a tokenizer of its kind; the last two fall back to
#: the plain way.
SHARING = ("shipped", "gpt2", "llama", "qwen2", "qwen3")
PLAIN = ("bloom", "mistral")


@pytest.fixture(scope="module", params=[*SHARING, *PLAIN])
def model(request):
    if request.param == "shipped":
        return load("gpt-small")
    tokenizer = {"llama": sentencepiece(), "mistral": sentencepiece(legacy=True)}.get(
        request.param
    ) or byte_level()
    made = LanguageModel(toy_model(request.param, tokenizer), tokenizer)
    assert made.runner.supports_tree_attention == (request.param in SHARING)
    return made


def naive_score(model: LanguageModel, prompt: str, continuation: str) -> float:
    """One pair at a time, the whole text in one pass, no cache, no sharing."""
    tokenizer = model.tokenizer
    context, whole = tokenizer(prompt).input_ids, tokenizer(prompt + continuation).input_ids
    while (
        whole[: len(context)] != context
    ):  # tokens that span the boundary belong to the continuation
        context = context[:-1]
    if not context:
        context, whole = [tokenizer.bos_token_id], [tokenizer.bos_token_id, *whole]
    with torch.no_grad():
        values = model.model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(values[i - 1, whole[i]].item() for i in range(len(context), len(whole)))


def naive_text(model: LanguageModel, prompt: str, tokens: int) -> str:
    """Greedy, one prompt at a time, the whole text anew for every token."""
    ids = start = model.tokenizer(prompt).input_ids or [model.tokenizer.bos_token_id]
    for _ in range(tokens):
        with torch.no_grad():
            token = int(model.model(torch.tensor([ids])).logits[0, -1].argmax())
        ids = [*ids, token]
        if token == model.tokenizer.eos_token_id:
            ids = ids[:-1]
            break
    before, whole = (
        model.tokenizer.decode(start[-1:]),
        model.tokenizer.decode([*start[-1:], *ids[len(start) :]]),
    )
    return whole[len(before) :]


SHOWN = "input : red \n output : yes \n input : 12 \n output : no \n "
PROMPTS = (
    [
        f"{SHOWN}input : {x} \n output :"
        for x in ("fox", "the lazy dog", "hill", "fox and dog and fox and dog and hill")
    ]
    + [f"{SHOWN}{SHOWN}input : {x} \n output :" for x in ("fox", "dog")]
    + [
        "",
        "the",
        "the red",
        "the red fox",
        "the red fox",
        "is it large ?",
        "review : a lovely plot , but the ending",
    ]
)
LABELS = (" yes", " no", " no no", " negative", " yes and no")


def pairs():
    every = list(itertools.product(PROMPTS, LABELS))
    random.Random(0).shuffle(every)
    return every


def test_scores_are_those_of_one_pair_at_a_time(model):
    prompts, labels = zip(*pairs(), strict=True)
    naive = [naive_score(model, *pair) for pair in pairs()]
    np.testing.assert_allclose(model.score(prompts, labels), naive, atol=1e-4)


def test_all_labels_of_a_prompt_are_read_off_the_same_logits(monkeypatch):
    tokenizer = byte_level()
    model = LanguageModel(toy_model("qwen2", tokenizer), tokenizer)
    prompts, labels = ["is it large ?", "is it wild ?"], [" yes", " no", " lazy dog", " lazy fox"]
    asked = [(prompt, label) for prompt in prompts for label in labels]
    pairs = model.encoder.pairs([p for p, _ in asked], [label for _, label in asked])
    places = {tuple(context + rest[:i]) for context, rest in pairs for i in range(len(rest))}
    assert model.runner.supports_tree_attention and len(places) < sum(len(r) for _, r in pairs)
    rows, logits = [], model.runner.logits
    monkeypatch.setattr(model.runner, "logits", lambda h: rows.append(len(h)) or logits(h))
    values = model.score_labels(prompts, labels)
    assert sum(rows) == len(places)
    naive = [[naive_score(model, prompt, label) for label in labels] for prompt in prompts]
    assert np.allclose(values, naive, atol=1e-4)


def test_small_batches_change_nothing(model):
    small = LanguageModel(model.model, model.tokenizer, batch_tokens=60)
    prompts, labels = zip(*pairs()[:30], strict=True)
    np.testing.assert_allclose(
        small.score(prompts, labels), model.score(prompts, labels), atol=1e-4
    )


def test_token_scores_add_up_and_labels_make_a_table(model):
    values = model.score_tokens(PROMPTS[:2], [" no no", " yes"])
    table = model.score_labels(PROMPTS, LABELS)
    assert table.shape == (len(PROMPTS), len(LABELS)) and len(values[0]) > 1
    assert [v.sum() for v in values] == pytest.approx([table[0, 2], table[1, 0]], abs=1e-4)


def test_greedy_texts_are_those_of_one_prompt_at_a_time(model):
    found = [samples[0].text for samples in model.generate(PROMPTS, max_tokens=12)]
    assert found == [naive_text(model, prompt, 12) for prompt in PROMPTS]


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_side_of_the_padding_does_not_matter(model, side, monkeypatch):
    monkeypatch.setattr(model.tokenizer, "padding_side", side)
    other = LanguageModel(model.model, model.tokenizer)
    naive = [naive_score(model, *pair) for pair in pairs()[:5]]
    np.testing.assert_allclose(other.score(*zip(*pairs()[:5], strict=True)), naive, atol=1e-4)


def test_same_seed_same_samples_whatever_stands_beside_them(model):
    options = {"n": 3, "temperature": 0.9, "seed": 5, "max_tokens": 10}
    together = model.generate(PROMPTS, **options)
    small = LanguageModel(model.model, model.tokenizer, batch_tokens=60)
    texts = [[s.text for s in samples] for samples in together]
    assert texts == [[s.text for s in samples] for samples in small.generate(PROMPTS, **options)]
    backwards = model.generate(list(reversed(PROMPTS[:9])), **options)
    assert texts[:9] == [[s.text for s in samples] for samples in reversed(backwards)]
    # a prompt that comes twice gets samples of its own the second time, and another seed gives
    # others
    assert texts[9] != texts[10]
    assert texts != [
        [s.text for s in samples] for samples in model.generate(PROMPTS, **options | {"seed": 6})
    ]


def test_samples_follow_the_distribution(model):
    """Many first tokens against the model's own probabilities, at two temperatures."""
    for temperature in (1.0, 0.5):
        ids = torch.tensor([model.encoder.prompts(["the red fox"])[0]])
        with torch.no_grad():
            log_probabilities = model.model(ids).logits[0, -1].log_softmax(-1)
        n = 1000 if model.runner.supports_tree_attention else 100
        samples = model.generate(["the red fox"], n=n, temperature=temperature, max_tokens=1)[0]
        # the samples of the likeliest token are known by their probability, which stays that of
        # temperature 1
        share = np.mean(
            [abs(s.log_probability - log_probabilities.max().item()) < 1e-5 for s in samples]
        )
        p = (log_probabilities / temperature).softmax(-1).max().item()
        assert abs(share - p) < 4 * (p * (1 - p) / n) ** 0.5 + 1e-3


def test_a_text_ends_before_the_stop(model):
    whole = model.generate(["the red fox"], max_tokens=40)[0][0]
    stop = next(letter for letter in whole.text[2:] if letter != "�")
    (stopped,) = model.generate(["the red fox"], stop=stop, max_tokens=40)[0]
    assert stopped.text == whole.text[: whole.text.index(stop)] and stopped.finish == "stop"
    assert stopped.tokens <= whole.tokens


def test_the_stopping_rule_sees_the_samples_in_order_and_ends_the_work(model):
    asked = []

    def rule(texts):
        asked.append(list(texts))
        return len(texts) == 6

    options = {"n": 16, "temperature": 1.0, "max_tokens": 6}
    (every,) = model.generate(["the red fox"], **options)
    (some,) = model.generate(["the red fox"], until=rule, **options)
    assert [s.text for s in some] == [s.text for s in every[:6]]
    assert asked == [[s.text for s in every[:k]] for k in range(1, 7)]


@pytest.fixture(scope="module")
def shipped():
    return load("gpt-small")


def test_a_sample_knows_its_probability(shipped):
    prompts = PROMPTS[:3]
    for (sample,), prompt in zip(
        shipped.generate(prompts, max_tokens=4, temperature=0.7), prompts, strict=True
    ):
        assert sample.tokens == 4 and sample.finish == "length"
        assert sample.log_probability == pytest.approx(
            naive_score(shipped, prompt, sample.text), abs=1e-3
        )


def test_the_model_ends_a_text_itself(shipped):
    (sample,) = shipped.generate(["the capital of dorland is"], max_tokens=200)[0]
    assert sample.finish in ("end", "length") and "[END]" not in sample.text


def test_wrong_questions_are_refused(shipped):
    with pytest.raises(ValueError, match="2 prompts, 1 continuations: expected one continuation"):
        shipped.score(["a", "b"], [" c"])
    with pytest.raises(ValueError, match="empty continuation ' ' after 'the cat'"):
        shipped.score(["the cat"], [" "])
    with pytest.raises(ValueError, match="' paris' has a word that this tokenizer does not know"):
        shipped.score(["the capital is"], [" paris"])
    with pytest.raises(ValueError, match=r"has 301 tokens and the window holds 256; shorten it"):
        shipped.score(["cat " * 300], [" dog"])
    with pytest.raises(
        ValueError,
        match=r"has 251 tokens, with 10 more to write, and the window holds 256; .*ask for fewer",
    ):
        shipped.generate(["cat " * 250], max_tokens=10)
    with pytest.raises(ValueError, match="n=0: expected a whole number of at least 1"):
        shipped.generate(["a"], n=0)
    with pytest.raises(ValueError, match="n=2 samples at temperature 0 would all be the same"):
        shipped.generate(["a"], n=2)
    with pytest.raises(ValueError, match="temperature=-1: expected a finite number of at least 0"):
        shipped.generate(["a"], temperature=-1)
    with pytest.raises(ValueError, match="an empty stop text"):
        shipped.generate(["a"], stop="")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n", (1.0, "2", None, True)),
        ("max_tokens", (2.5, "64", None, True, 0)),
        ("seed", (0.5, "a", None)),
        ("temperature", ("warm", None, True, float("inf"), float("nan"), 1e-300)),
        ("stop", (None, 3, [None], b"x")),
        ("until", (3, "enough")),
    ],
)
def test_settings_of_another_type_are_refused_by_name(shipped, name, values):
    for value in values:
        with pytest.raises((TypeError, ValueError), match=rf"{name}(\[0\])?(=| is )"):
            shipped.generate(["the"], **{"temperature": 1.0, name: value})


def test_numbers_of_numpy_are_numbers(shipped):
    options = {
        "n": np.int64(2),
        "seed": np.int32(3),
        "max_tokens": np.int64(3),
        "temperature": np.float32(1),
    }
    found = shipped.generate(["the"], **options)[0]
    assert [s.text for s in found] == [
        s.text for s in shipped.generate(["the"], n=2, seed=3, max_tokens=3, temperature=1.0)[0]
    ]


def test_a_sample_is_drawn_by_seed_prompt_place_among_equal_ones_and_number(shipped):
    options = {"temperature": 1.0, "seed": 4, "max_tokens": 8}
    (alone,) = shipped.generate(["the"], n=3, **options)
    first, other, second = shipped.generate(["the", "a cat", "the"], n=5, **options)
    assert [s.text for s in alone] == [s.text for s in first[:3]]
    assert [s.text for s in second] != [s.text for s in first]
    assert [s.text for s in shipped.generate(["the", "the"], n=5, **options)[1]] == [
        s.text for s in second
    ]


def test_a_rule_that_can_tell_gets_just_as_many_samples_as_it_takes(shipped, monkeypatch):
    begun = []
    monkeypatch.setattr(
        sample_state, "SampleState", lambda source: begun.append(1) or SampleState(source)
    )

    class Rule:
        def __call__(self, texts):
            return len(texts) == 7

        def at_least(self, texts):
            return max(1, 5 - len(texts))

    (found,) = shipped.generate(["the"], n=16, temperature=1.0, max_tokens=4, until=Rule())
    assert len(found) == len(begun) == 7
    (every,) = shipped.generate(["the"], n=16, temperature=1.0, max_tokens=4)
    assert [s.text for s in found] == [s.text for s in every[:7]]


def test_the_window_may_be_filled_to_the_last_token(shipped):
    prompt = "cat " * 255  # and [END] before it
    assert shipped.score([prompt], [" dog"]).shape == (1,)
    assert shipped.generate([prompt], max_tokens=1)[0][0].tokens == 1


def test_nothing_asked_nothing_answered(shipped):
    assert shipped.score([], []).shape == (0,) and shipped.generate([]) == []


def test_a_chat_model_gets_a_users_message():
    tokenizer = byte_level()
    template = "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}<assistant> "
    tokenizer.chat_template = template
    try:
        model = LanguageModel(toy_model("qwen2", tokenizer), tokenizer)
        plain = LanguageModel(model.model, tokenizer, chat=False)
    finally:
        tokenizer.chat_template = None
    tokenizer.chat_template = template
    framed = "<user> is it large ? <assistant> "
    assert model.score(["is it large ?"], [" yes"]) == pytest.approx(
        naive_score(plain, framed, "yes"), abs=1e-4
    )
    assert model.generate(["is it large ?"], max_tokens=5)[0][0].text == naive_text(
        plain, framed, 5
    )
    tokenizer.chat_template = None
    with pytest.raises(ValueError, match="has no chat template; pass chat=False"):
        LanguageModel(model.model, tokenizer, chat=True)


def test_texts_are_part_of_the_corpus_of_the_toy_tokenizers():
    assert all(byte_level().decode(byte_level()(text).input_ids) == text for text in TEXTS)

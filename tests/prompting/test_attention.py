"""Attention is that of the model, and the two scores find the heads that they are named after."""

import pytest
import torch

from course.lm.language_model import load
from course.prompting import attention as module
from course.prompting.attention import attention, induction_scores, lookup_scores, strongest
from course.world.lexicon import NONCE_KEYS, NOUNS

PAIRS = list(zip(NONCE_KEYS[:5], NOUNS[:5], strict=True))


@pytest.fixture(scope="module")
def model():
    return load("gpt-small")


def test_weights_are_of_the_past_and_sum_to_one(model):
    before = model.model.config._attn_implementation
    found = attention(model, "dax : lamp \n toma : cat \n dax :")
    layers, heads = model.model.config.num_hidden_layers, model.model.config.num_attention_heads
    size = len(found.tokens)
    assert (
        found.weights.shape == (layers, heads, size, size)
        and found.tokens[1] == "dax"
        and found.tokens[4] == "\n"
    )
    assert torch.allclose(found.weights.sum(-1), torch.ones(layers, heads, size), atol=1e-5)
    assert found.weights.triu(1).abs().max() == 0
    assert torch.equal(found.from_last(1, 2), found.weights[1, 2, -1])
    assert model.model.config._attn_implementation == before


def test_the_plain_attention_gives_the_model_s_own_answers(model):
    """Fused and plain attention are the same function: the next word does not change."""
    text = "dax : lamp \n toma : cat \n dax :"
    ids = torch.tensor([model.encoder.prompts([text])[0]])
    with module._eager(model), torch.inference_mode():
        plain = model.model(input_ids=ids).logits[0, -1].log_softmax(-1)
    assert torch.allclose(plain, model.next_word([text])[0], atol=1e-4)


def made_up(look):
    """Weights (rows, 1 layer, 2 heads, T, T): the first head looks where ``look`` says, the second
    everywhere.
    """

    def weights(model, ids):
        rows, size = ids.shape
        found = torch.zeros(rows, 1, 2, size, size)
        found[:, 0, 1] = 1 / size
        for row in range(rows):
            for t in range(size):
                found[row, 0, 0, t, look(ids[row], t)] = 1.0
        return found

    return weights


def behind_the_last_time(ids: torch.Tensor, t: int) -> int:
    """The position behind the previous occurrence of token ``t``, or the first one."""
    earlier = [i for i in range(t) if ids[i] == ids[t]]
    return earlier[-1] + 1 if earlier else 0


def test_an_induction_head_scores_one_and_others_do_not(model, monkeypatch):
    monkeypatch.setattr(module, "_weights", made_up(behind_the_last_time))
    found = induction_scores(model, NOUNS[:10])
    assert found.shape == (1, 2) and found[0, 0] == 1.0 and found[0, 1] == pytest.approx(1 / 20)
    monkeypatch.setattr(module, "_weights", made_up(lambda ids, t: max(0, t - 1)))
    assert induction_scores(model, NOUNS[:10])[0, 0] == 0.0
    assert strongest(found) == (0, 0)


def test_a_head_that_looks_the_output_up_scores_one(model, monkeypatch):
    def output_of_the_query(ids, t):
        earlier = [i for i in range(t - 2) if ids[i] == ids[t - 1]]
        return earlier[0] + 2 if earlier else 0

    monkeypatch.setattr(module, "_weights", made_up(output_of_the_query))
    assert lookup_scores(model, PAIRS)[0, 0] == 1.0
    monkeypatch.setattr(module, "_weights", made_up(behind_the_last_time))
    # behind the last colon stands the last output, which is asked for in two of the twelve lists
    assert lookup_scores(model, PAIRS)[0, 0] == pytest.approx(2 / 12)


def test_the_small_model_has_scores_for_every_head(model):
    found = lookup_scores(model, PAIRS, rows=2)
    assert found.shape == (
        model.model.config.num_hidden_layers,
        model.model.config.num_attention_heads,
    )
    assert found.min() >= 0 and found.max() <= 1


def test_too_little_is_refused(model):
    with pytest.raises(ValueError, match="1 words: expected two or more"):
        induction_scores(model, ["cat"])
    with pytest.raises(ValueError, match="1 pairs: expected two or more"):
        lookup_scores(model, PAIRS[:1])
    with pytest.raises(ValueError, match="longer than the window"):
        attention(model, "cat " * 300)

"""Pretraining batches: little is lost to padding, and a packed batch has the loss of its documents
read one by one.
"""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from course.pretraining.packing import (
    MASKED_SHARES,
    encode,
    masked_share,
    pack_for_bert,
    pack_for_gpt,
)
from course.pretraining.recipes import RECIPES, Recipe
from course.pretraining.train import batch_at, summed_loss
from course.training.packing import IGNORED
from course.world.corpus import Corpus
from course.world.vocabulary import CLS, END, MASK, SEP, vocabulary

TINY = {
    "gpt": Recipe("tiny-gpt", "gpt", layers=2, width=16, heads=2, steps=4, rows=4),
    "bert": Recipe("tiny-bert", "bert", layers=2, width=16, heads=2, steps=4, rows=4),
}


def test_few_positions_are_lost_to_padding():
    shares = [(batch_at(RECIPES["gpt-middle"], step).document >= 0).mean() for step in range(5)]
    assert min(shares) > 0.9


def test_gpt_labels_are_the_next_words_up_to_the_end():
    documents = list(islice(Corpus().stream(0), 20))
    batch, end = pack_for_gpt(documents, 8, 256), vocabulary()[END]
    seen = set()
    for row in range(8):
        for d in range(batch.document[row].max() + 1):
            here = batch.document[row] == d
            ids, labels = batch.ids[row][here], batch.labels[row][here]
            assert ids[0] == end and labels[-1] == end
            assert (ids[1:] == labels[:-1]).all()
            assert (batch.position[row][here] == np.arange(here.sum())).all()
            seen.add(tuple(ids[1:]))
    assert seen == {tuple(encode(d)) for d in documents}
    assert (batch.labels[batch.document < 0] == IGNORED).all()


def test_the_share_that_bert_fills_in_falls_in_a_straight_line():
    first, last = MASKED_SHARES
    assert masked_share(0, 200) == first > masked_share(50, 200) > masked_share(100, 200)
    assert masked_share(100, 200) == pytest.approx((first + last) / 2)
    early, late = (
        (batch_at(replace(TINY["bert"], steps=100), step).labels != IGNORED).sum()
        for step in (0, 99)
    )
    assert late < 0.6 * early


@pytest.mark.parametrize("share", MASKED_SHARES)
def test_bert_hides_a_share_of_the_words_and_never_a_special_token(share):
    batch = pack_for_bert(Corpus().stream(1), 32, 256, share, [0, 1])
    words, labelled = vocabulary(), batch.labels != IGNORED
    whole = pack_for_bert(Corpus().stream(1), 32, 256, share, [0, 2])
    assert (whole.document == batch.document).all()
    assert abs(labelled.sum() / (batch.document >= 0).sum() - share) < 0.02
    assert not np.isin(batch.labels[labelled], [words[CLS], words[SEP]]).any()
    assert abs((batch.ids == words[MASK])[labelled].mean() - 0.8) < 0.03
    assert abs((batch.ids == batch.labels)[labelled].mean() - 0.1) < 0.03


def sensitive_model(kind):
    """A model whose weights are large enough that every visible token moves the loss."""
    model = TINY[kind].new_model().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(20)
    return model


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", ["gpt", "bert"])
def test_packed_loss_is_that_of_the_documents_one_by_one(kind, attention):
    model = sensitive_model(kind)
    model.set_attn_implementation(attention)
    batch = batch_at(TINY[kind], 0)
    naive = 0.0
    with torch.no_grad():
        packed = summed_loss(model, batch).item()
        for row in range(batch.ids.shape[0]):
            for d in range(batch.document[row].max() + 1):
                here = batch.document[row] == d
                logits = model(input_ids=torch.from_numpy(batch.ids[row][here])[None]).logits[0]
                labels = torch.from_numpy(batch.labels[row][here])
                naive += cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum").item()
    assert packed == pytest.approx(naive, rel=1e-5)


def test_the_check_above_sees_a_leak():
    """Without the mask a document sees its neighbours, and the packed loss differs."""
    model = sensitive_model("gpt")
    batch = batch_at(TINY["gpt"], 0)
    with torch.no_grad():
        right = summed_loss(model, batch).item()
        logits = model(input_ids=torch.from_numpy(batch.ids)).logits
        leaky = cross_entropy(
            logits.flatten(0, 1),
            torch.from_numpy(batch.labels).flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
    assert leaky.item() != pytest.approx(right, rel=1e-5)


def test_a_batch_is_a_pure_function_of_its_step():
    first, again, other = (batch_at(TINY["bert"], step) for step in (3, 3, 4))
    assert (first.ids == again.ids).all() and (first.labels == again.labels).all()
    assert (first.ids != other.ids).any()

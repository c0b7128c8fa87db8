"""Completions: every example once and whole, little padding, and bad pairs are refused."""

import pytest
import torch

from course.foundation.rng import Rng
from course.lm.language_model import load
from course.training.batches import BatchingPlan
from course.training.completion_data import Completions, completions
from course.training.packing import IGNORED

PACKED, SORTED = (
    BatchingPlan(packed=True, chosen_logits=True),
    BatchingPlan(packed=False, chosen_logits=True),
)


@pytest.fixture(scope="module")
def base():
    return load("gpt-small")


def mixture(count: int = 64) -> Completions:
    """Examples of lengths as in a mixture of tasks: many short, a few long; the tokens are all
    different.
    """
    rng = Rng("mixture")
    lengths = [
        rng.randint(4, 20) if rng.bernoulli(0.8) else rng.randint(60, 200) for _ in range(count)
    ]
    starts = [rng.randint(1, length - 1) for length in lengths]
    ids = [list(range(1000 * i, 1000 * i + length)) for i, length in enumerate(lengths)]
    return Completions(tuple(ids), tuple(starts))


@pytest.mark.parametrize(
    "plan",
    [
        PACKED,
        SORTED,
        BatchingPlan(True, True, max_tokens_per_batch=256),
        BatchingPlan(False, True, max_tokens_per_batch=256),
    ],
)
def test_every_chosen_example_is_laid_out_once_and_whole(plan):
    data, chosen = mixture(), list(range(3, 50))
    passes = data.micro_batches(chosen, plan)
    seen = torch.cat([batch.tensors["input_ids"].flatten() for batch in passes])
    assert sorted(seen[seen > 0].tolist()) == sorted(token for i in chosen for token in data.ids[i])
    labels = torch.cat([batch.tensors["labels"].flatten() for batch in passes])
    wanted = [token for i in chosen for token in data.ids[i][data.starts[i] :]]
    assert sorted(labels[labels != IGNORED].tolist()) == sorted(wanted)
    assert (
        sum(batch.num_targets for batch in passes)
        == len(wanted)
        == sum(data.num_targets[i] for i in chosen)
    )
    for batch in passes:
        rows, length = batch.tensors["input_ids"].shape
        # packing may run a row over; one example too long for a pass stands alone
        assert rows * length <= 1.3 * plan.max_tokens_per_batch or rows == 1


@pytest.mark.parametrize(("plan", "most"), [(PACKED, 0.15), (SORTED, 0.35)])
def test_little_of_a_pass_is_padding(plan, most):
    data = mixture()
    for start in range(0, 64, 32):
        chosen = range(start, start + 32)
        cells = sum(
            batch.tensors["input_ids"].numel() for batch in data.micro_batches(chosen, plan)
        )
        assert 1 - sum(data.tokens[i] for i in chosen) / cells < most
        assert (
            32 * max(data.tokens[i] for i in chosen) > 2 * cells
        )  # what padding to the longest would cost


def test_the_end_of_the_text_is_learned_if_wanted(base):
    pairs = [("cat :", "red")]
    plain, ended = completions(base.tokenizer, pairs), completions(base.tokenizer, pairs, end=True)
    assert ended.ids[0] == [*plain.ids[0], base.tokenizer.eos_token_id] and ended.num_targets == [2]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "no pairs to train on"),
        ([("cat :", "")], "empty completion after 'cat :'"),
        ([("cat " * 300, "red")], "has 302 tokens; at most 256 fit"),
        ([("cat :", "red"), ("dog :", None)], r"pair 1 is \('dog :', None\): expected two texts"),
        (["cat : red"], "pair 0 is 'cat : red': expected two texts"),
        ([("cat :", "red", "blue")], "pair 0 is .*: expected two texts"),
    ],
)
def test_bad_pairs_are_refused(base, pairs, message):
    with pytest.raises(ValueError, match=message):
        completions(base.tokenizer, pairs)

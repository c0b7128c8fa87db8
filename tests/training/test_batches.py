"""Batches: every example once, no more padding than needed, and what is not a training example is
refused.
"""

import pytest
import torch
from peft import PromptTuningConfig, get_peft_model
from transformers import MambaConfig, MambaForCausalLM

from course.foundation.rng import Rng
from course.lm.language_model import load
from course.training.batches import (
    BatchingPlan,
    Completions,
    balanced_rows,
    batching_plan,
    completions,
    encoded,
    similar_lengths,
)
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


def test_equal_lengths_make_full_rows():
    assert balanced_rows([7] * 32) == [[i] for i in range(32)]
    assert similar_lengths([7] * 32, SORTED) == [list(range(32))]


def test_groups_of_similar_lengths_cost_the_least_of_all_cuts():
    lengths = [90, 80, 75, 40, 12, 11, 10, 9]
    plan = BatchingPlan(False, True, max_tokens_per_batch=200, pass_cost=20)

    def cost(groups):
        return sum(len(g) * max(g) + plan.pass_cost for g in groups)

    def cuts(rest):
        if not rest:
            yield []
        for i in range(1, len(rest) + 1):
            if i == 1 or i * rest[0] <= plan.max_tokens_per_batch:
                yield from ([rest[:i], *others] for others in cuts(rest[i:]))

    found = [[lengths[i] for i in group] for group in similar_lengths(lengths, plan)]
    assert sorted(x for group in found for x in group) == sorted(lengths)
    assert cost(found) == min(map(cost, cuts(lengths)))


def test_only_what_attends_by_our_mask_is_packed(base):
    assert batching_plan(base.model, 1000) == BatchingPlan(True, True, 1000)
    prompted = get_peft_model(
        load("gpt-small").model, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    )
    assert batching_plan(prompted, 1000) == BatchingPlan(False, False, 1000)
    recurrent = MambaForCausalLM(
        MambaConfig(vocab_size=32, hidden_size=16, state_size=4, num_hidden_layers=1)
    )
    assert not batching_plan(recurrent, 1000).packed


def test_features_are_padded_each_in_its_own_way():
    data = encoded(
        [{"input_ids": [5, 6, 7], "labels": [1, IGNORED, 2]}, {"input_ids": [8], "labels": [3]}],
        pad=9,
    )
    (batch,) = data.micro_batches([0, 1], SORTED)
    assert batch.num_targets == 3 and data.num_targets == [2, 1]
    assert {name: tensor.tolist() for name, tensor in batch.tensors.items()} == {
        "input_ids": [[5, 6, 7], [8, 9, 9]],
        "attention_mask": [[1, 1, 1], [1, 0, 0]],
        "labels": [[1, IGNORED, 2], [3, IGNORED, IGNORED]],
    }


def test_one_label_an_example_is_stacked():
    data = encoded(
        [{"input_ids": [5, 6], "labels": [0.5, 1.0]}, {"input_ids": [5, 6], "labels": [0.1, 0.2]}],
        pad=0,
    )
    assert data.num_targets == [1, 1]
    assert torch.equal(
        data.micro_batches([0, 1], SORTED)[0].tensors["labels"],
        torch.tensor([[0.5, 1.0], [0.1, 0.2]]),
    )


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


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], "no features to train on"),
        ([{"labels": 1}], "feature 0 has no input_ids but labels"),
        ([{"input_ids": [1]}], "feature 0 has nothing to predict"),
        ([{"input_ids": [1], "labels": [IGNORED]}], "feature 0 has nothing to predict"),
        (
            [{"input_ids": [1], "labels": 0}, {"input_ids": [1], "start_positions": 0}],
            "feature 1 has input_ids, start_positions; expected",
        ),
        (
            [{"input_ids": [1], "labels": -1}],
            "feature 0 has labels=-1: expected numbers of classes from 0 on",
        ),
        (
            [{"input_ids": [1], "labels": "positive"}],
            "feature 0 has labels='positive': expected numbers of classes",
        ),
        (
            [{"input_ids": [1], "labels": None}],
            "feature 0 has labels=None: expected numbers of classes",
        ),
        (
            [{"input_ids": [1, 2], "labels": [0, -1]}],
            r"feature 0 has labels=\[0, -1\]: expected numbers of classes",
        ),
        (
            [{"input_ids": [1, 2, 3], "labels": [0, 1]}],
            "feature 0 has 3 input_ids and 2 labels: expected one for each",
        ),
        (
            [{"input_ids": [1, 2], "attention_mask": [1], "labels": 0}],
            "feature 0 has 2 input_ids and 1 attention_mask",
        ),
    ],
)
def test_bad_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        encoded(features, pad=0)

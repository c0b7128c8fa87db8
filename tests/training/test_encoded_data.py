"""Features for heads are padded each in its own way, and bad ones are refused."""

import pytest
import torch

from course.training.batches import BatchingPlan
from course.training.encoded_data import encoded
from course.training.packing import IGNORED

SORTED = BatchingPlan(packed=False, chosen_logits=True)


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

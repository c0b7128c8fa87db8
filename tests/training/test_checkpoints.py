"""A checkpoint is whole or refused, whichever byte of it is damaged."""

import json
import os
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from course.training.checkpoints import RunCheckpoint

IDENTITY, PROGRESS = {"settings": "{}", "é": "是"}, {"step": 3}


def checkpoint(path, optimizer):
    return RunCheckpoint(path, IDENTITY, [optimizer], 120.0, "delete it")


@pytest.fixture
def stored(tmp_path):
    """The file of a checkpoint with an optimiser's state, and what it holds."""
    parameter = torch.nn.Parameter(torch.arange(3.0))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    weights = {"model": {"a": parameter.detach().clone(), "none": torch.zeros(0),
    "half": torch.ones(2, 2, dtype=torch.bfloat16)},
               "best": {"a": torch.tensor(2)}}  # fmt: skip
    path = tmp_path / "new" / "fit.safetensors"
    checkpoint(path, optimizer).save(weights, PROGRESS)
    return path, weights, optimizer


def read(path):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])
    weights, progress = checkpoint(path, optimizer).resume()
    return progress, weights, optimizer


def test_a_checkpoint_comes_back_as_it_was(stored):
    path, weights, optimizer = stored
    progress, found, other = read(path)
    assert progress == PROGRESS and found.keys() == weights.keys()
    for owner, tensors in weights.items():
        assert found[owner].keys() == tensors.keys()
        assert all(
            torch.equal(found[owner][name], value) and found[owner][name].dtype == value.dtype
            for name, value in tensors.items()
        )
    for name, value in optimizer.state_dict()["state"][0].items():
        assert torch.equal(other.state_dict()["state"][0][name], value)
    assert os.listdir(path.parent) == [path.name]


def test_every_flipped_byte_is_found(stored):
    path = stored[0]
    whole = path.read_bytes()
    believed = []
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            read(path)
        except ValueError as error:
            assert "fit.safetensors is no whole checkpoint" in str(
                error
            ) and "delete it to start again" in str(error)
        else:
            believed.append(place)
    (length,) = struct.unpack("<Q", whole[:8])
    # what safetensors fills its header up with means nothing
    padding = 8 + len(whole[8 : 8 + length].rstrip())
    assert not [place for place in believed if not padding <= place < 8 + length]


@pytest.mark.parametrize("size", [0, 1, 8, 100, -1])
def test_a_cut_off_file_is_refused(stored, size):
    path = stored[0]
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="is no whole checkpoint"):
        read(path)


def test_a_file_without_a_sha256_is_refused(stored):
    path = stored[0]
    save_file(load_file(path), path, metadata=IDENTITY | {"progress": json.dumps(PROGRESS)})
    with pytest.raises(ValueError, match="is no whole checkpoint .*expected none"):
        read(path)


def test_notes_that_were_changed_are_found(stored):
    path = stored[0]
    path.write_bytes(
        path.read_bytes().replace(
            json.dumps('{"step": 3}').encode(), json.dumps('{"step": 4}').encode()
        )
    )
    with pytest.raises(ValueError, match="is no whole checkpoint"):
        read(path)

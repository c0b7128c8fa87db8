"""Device and numbers follow the machine, unless a precision is asked for."""

import pytest
import torch

from course.models.devices import best_device_and_dtype, dtype_of


@pytest.mark.parametrize(
    ("cuda", "bf16", "mps", "expected"),
    [
        (True, True, False, ("cuda", torch.bfloat16)),
        (True, False, False, ("cuda", torch.float16)),
        (False, False, True, ("mps", torch.float16)),
        (False, False, False, ("cpu", torch.float32)),
    ],
)
def test_device_and_precision_follow_the_machine(monkeypatch, cuda, bf16, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device_and_dtype() == expected


def test_a_precision_decides_the_numbers_and_none_leaves_them_to_the_machine():
    assert dtype_of("bf16") == torch.bfloat16 and dtype_of("fp32") == torch.float32
    assert dtype_of(None) is None
    with pytest.raises(ValueError, match="precision='int4': expected 'fp32' or 'bf16'"):
        dtype_of("int4")

"""Device and precision: where a model is computed, and in which type of numbers."""

from __future__ import annotations

import torch

#: Precision -> the type of a model's numbers.
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def dtype_of(precision: str | None) -> torch.dtype | None:
    """The type of the numbers of a precision; None for whatever the machine allows.

    Raises:
        ValueError: for an unknown precision.
    """
    if precision is not None and precision not in DTYPES:
        raise ValueError(f"precision={precision!r}: expected {' or '.join(map(repr, DTYPES))}")
    return DTYPES[precision] if precision else None


def best_device_and_dtype() -> tuple[str, torch.dtype]:
    """The accelerator of this machine, if it has one, and the numbers that it computes in fast."""
    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float16
    return "cpu", torch.float32

"""Settings of a training run: steps, batch size, learning rate, validation, precision."""

from dataclasses import dataclass

from course.foundation.validation import check_fields, integer, number, one_of, optional, share
from course.training.precision import PRECISIONS


@dataclass(frozen=True)
class FitSettings:
    """How to train.

    Attributes:
        steps: optimiser steps.
        batch_size: examples in each step, over all processes.
        learning_rate: the peak learning rate of AdamW (Loshchilov and Hutter 2019).
        warmup_ratio: share of the steps over which the rate rises; then it falls to zero in a
            straight line.
        weight_decay: of AdamW.
        max_grad_norm: largest norm of the gradient; a larger one is scaled down to it.
        seed: of the order of the examples and of dropout.
        validate_every: steps between validations; there is one before the first step and one after
            the last, too.
        patience: how many validations in a row may bring no better score before training stops
            (default: it never stops early).
        precision: ``"fp32"``, ``"bf16"`` (autocast), or None for bf16 where it pays: see
            :func:`course.training.precision.pays_in_bf16`.
        max_tokens_per_batch: most tokens of a micro-batch, padding included; the gradients of a
            step's micro-batches add up.
    """

    steps: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    seed: int = 0
    validate_every: int = 20
    patience: int | None = None
    precision: str | None = None
    max_tokens_per_batch: int = 16_384

    def __post_init__(self) -> None:
        check_fields(
            self,
            steps=integer(1),
            batch_size=integer(1),
            learning_rate=number(above=0),
            warmup_ratio=share(),
            weight_decay=number(0),
            max_grad_norm=number(above=0),
            seed=integer(),
            validate_every=integer(1),
            patience=optional(integer(1)),
            precision=one_of((None, *PRECISIONS)),
            max_tokens_per_batch=integer(1),
        )

"""Checkers of chapter 3: LoRA's forward pass, its merge, and how much adapters store."""

from collections.abc import Callable

import torch

from course.check.verdict import Verdict, cases, judge

_LORA_HINT = "B A x, from right to left, times alpha / r, where r is the number of rows of A"


def lora_forward(answer: Callable[..., torch.Tensor]) -> Verdict:
    """Check ``lora_forward(x, weight, bias, A, B, alpha)``: W x + b + alpha / r B A x of each row
    of x, (..., out), with W (out, in), A (r, in) and B (out, r).
    """
    fresh = _layer(2, 3, 2)
    return judge(
        "lora_forward",
        answer,
        [
            *cases(_forward, _LORA_HINT, _layer(2, 3, 1), _layer(3, 3, 2)),
            *cases(
                _forward,
                "with B = 0 a fresh LoRA computes what the frozen layer computes",
                fresh | {"B": torch.zeros(2, 2)},
            ),
            *cases(
                _forward,
                "x may have more dimensions in front, (batch, tokens, in)",
                _layer(2, 3, 2) | {"x": torch.arange(12.0).view(2, 2, 3)},
            ),
        ],
    )


def _layer(outer: int, inner: int, r: int) -> dict[str, torch.Tensor | float]:
    """Small whole numbers, so that a sentence can show them."""

    def numbers(rows: int, columns: int, step: int) -> torch.Tensor:
        return (torch.arange(rows * columns) * step % 7 - 3.0).view(rows, columns)

    return {
        "x": numbers(2, inner, 3),
        "weight": numbers(outer, inner, 5),
        "bias": numbers(1, outer, 2)[0],
        "A": numbers(r, inner, 4),
        "B": numbers(outer, r, 3) + 1,
        "alpha": 6.0,
    }


def _forward(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    A: torch.Tensor,
    B: torch.Tensor,
    alpha: float,
) -> torch.Tensor:
    rows = []
    for row in x.flatten(0, -2):
        rows.append(weight @ row + bias + alpha / len(A) * (B @ (A @ row)))
    return torch.stack(rows).view(*x.shape[:-1], len(weight))


def lora_merge(answer: Callable[..., torch.Tensor]) -> Verdict:
    """Check ``lora_merge(weight, A, B, alpha)``: the matrix (out, in) that does alone what the
    frozen one does with its LoRA.
    """

    def arguments(outer: int, inner: int, r: int) -> dict[str, torch.Tensor | float]:
        layer = _layer(outer, inner, r)
        return {name: layer[name] for name in ("weight", "A", "B", "alpha")}

    hint = "W + alpha / r B A, as a new matrix"
    return judge(
        "lora_merge",
        answer,
        [
            *cases(_merged, hint, arguments(2, 3, 1), arguments(3, 2, 2)),
            *cases(
                _merged,
                "B A and A B have one shape if all sizes are equal: B stands on the left",
                arguments(2, 2, 2),
            ),
        ],
    )


def _merged(weight: torch.Tensor, A: torch.Tensor, B: torch.Tensor, alpha: float) -> torch.Tensor:
    merged = weight.clone()
    for i in range(len(A)):
        merged += alpha / len(A) * torch.outer(B[:, i], A[i])
    return merged


def lora_size(answer: Callable[[int, int, int], int]) -> Verdict:
    """Check ``lora_size(rows, columns, r)``: how many parameters LoRA trains beside one matrix."""
    hint = "count the two thin matrices: A has r rows, B has r columns"
    inputs = [{"rows": 3, "columns": 5, "r": 2}, {"rows": 64, "columns": 256, "r": 4}]
    square = {"rows": 8, "columns": 8, "r": 8}
    return judge(
        "lora_size",
        answer,
        [
            *cases(_lora_size, hint, *inputs),
            *cases(_lora_size, "LoRA of a high rank has more than the matrix itself", square),
        ],
    )


def _lora_size(rows: int, columns: int, r: int) -> int:
    A, B = torch.zeros(r, columns), torch.zeros(rows, r)
    return A.numel() + B.numel()


def bottleneck_size(answer: Callable[[int, int, int], int]) -> Verdict:
    """Check ``bottleneck_size(width, r, layers)``: how many parameters the bottleneck adapters of
    Houlsby et al. 2019 have, two a layer, with biases and without the layer norms.
    """
    hint = "two adapters a layer, each with W_down, b_down, W_up and b_up"
    inputs = [
        {"width": 5, "r": 2, "layers": 1},
        {"width": 64, "r": 16, "layers": 4},
        {"width": 3, "r": 1, "layers": 2},
    ]
    return judge("bottleneck_size", answer, cases(_bottleneck_size, hint, *inputs))


def _bottleneck_size(width: int, r: int, layers: int) -> int:
    down, up = torch.nn.Linear(width, r), torch.nn.Linear(r, width)
    one = sum(p.numel() for part in (down, up) for p in part.parameters())
    return sum(one for _ in range(layers) for _ in ("attention", "feed-forward"))

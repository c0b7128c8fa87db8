r"""LoRA (Hu et al. 2022) in a few lines: a frozen linear layer with a change of low rank beside it.

$$y = W x + b + \frac{\alpha}{r}\, B A x$$

with $A \in \mathbb{R}^{r \times n}$, random at the start, and $B \in \mathbb{R}^{m \times r}$,
zero at the start, so that a fresh layer computes what the frozen one did.
"""

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, frozen: nn.Linear, r: int = 4, alpha: float = 8.0):
        super().__init__()
        self.frozen, self.scale = frozen.requires_grad_(False), alpha / r
        self.A = nn.Parameter(torch.randn(r, frozen.in_features) / r**0.5)
        self.B = nn.Parameter(torch.zeros(frozen.out_features, r))

    def forward(self, x: Tensor) -> Tensor:  # (..., in) -> (..., out)
        return self.frozen(x) + self.scale * (x @ self.A.T) @ self.B.T

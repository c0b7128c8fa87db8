r"""AdapterBias (Fu et al. 2022, from the lecturer's group): one shift vector a layer, scaled by
each token.

At the second matrix $W_2$ of the feed-forward block, for the hidden vector $x \in
\mathbb{R}^{d_\text{ff}}$ of a token,

$$y = W_2 x + b_2 + \alpha(x)\, v, \qquad \alpha(x) = w^\top x + c,$$

with a vector $v \in \mathbb{R}^d$, zero at the start, and a linear layer with one output ($w \in
\mathbb{R}^{d_\text{ff}}$, $c$). In $L$ layers that makes $L (d + d_\text{ff} + 1)$ parameters. As
in the authors' program the layer norm that follows is trained, too: see ``norms`` in
:func:`course.adapters.adapt`.
"""

from dataclasses import dataclass

import torch
from torch import nn

from course.adapters.tuner import Delta, DeltaConfig, DeltaLayer, DeltaModel, register, width


@dataclass
class AdapterBiasConfig(DeltaConfig):
    """The settings of AdapterBias: those of :class:`DeltaConfig`."""


class AdapterBiasDelta(Delta):
    """The vector ``v`` (d,) and the linear layer ``alpha`` (d_ff -> 1)."""

    def __init__(self, base_layer: nn.Module, config: AdapterBiasConfig):
        super().__init__(base_layer, config)
        inner, outer = width(base_layer)
        self.alpha = nn.Linear(inner, 1)
        self.v = nn.Parameter(torch.zeros(outer))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return y + self.alpha(x.to(self.v.dtype)) * self.v  # (..., 1) * (d,)


class AdapterBiasLayer(DeltaLayer):
    adapter_layer_names = ("adapter_bias_delta",)
    delta = AdapterBiasDelta


class AdapterBiasModel(DeltaModel):
    prefix = "adapter_bias_"
    tuner_layer_cls = AdapterBiasLayer


register("adapter_bias", AdapterBiasConfig, AdapterBiasModel)

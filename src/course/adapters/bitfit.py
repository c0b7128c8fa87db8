r"""BitFit (Ben Zaken et al. 2022): fine-tuning of the biases only.

For every module with a bias, whatever else it computes,

$$y = f(x) + b + \Delta b,$$

with $\Delta b$ zero at the start. (Training $b$ itself or a difference to it is the same; the
difference can be taken out again.) For a body with biases of the sizes $d_i$ it has $\sum_i d_i$
parameters, for BERT about one in a thousand.
"""

from dataclasses import dataclass

import torch
from torch import nn

from course.adapters.tuner import Delta, DeltaConfig, DeltaLayer, DeltaModel, register, width


@dataclass
class BitFitConfig(DeltaConfig):
    """The settings of BitFit: those of :class:`DeltaConfig`."""


class BitFitDelta(Delta):
    """A trained change of one bias, (out,)."""

    def __init__(self, base_layer: nn.Module, config: BitFitConfig):
        super().__init__(base_layer, config)
        self.bias = nn.Parameter(torch.zeros(width(base_layer)[1]))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return y + self.bias

    def merge_into(self, base_layer: nn.Module, sign: int) -> None:
        bias = base_layer.get_parameter("bias")
        bias.data += sign * self.bias.data.to(bias.dtype)


class BitFitLayer(DeltaLayer):
    adapter_layer_names = ("bitfit_delta",)
    delta = BitFitDelta


class BitFitModel(DeltaModel):
    prefix = "bitfit_"
    tuner_layer_cls = BitFitLayer


register("bitfit", BitFitConfig, BitFitModel)

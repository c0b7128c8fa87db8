r"""The bottleneck adapter of Houlsby et al. 2019: a small network behind each of the two blocks of
a layer.

Behind the attention and behind the feed-forward block, before their output $y \in \mathbb{R}^d$ is
added to the residual stream,

$$y \leftarrow y + W_\text{up}\, \phi(W_\text{down}\, y + b_\text{down}) + b_\text{up},$$

with $W_\text{down} \in \mathbb{R}^{r \times d}$, $W_\text{up} \in \mathbb{R}^{d \times r}$ and
$\phi$ = GELU. $W_\text{up}$ and $b_\text{up}$ are zero at the start (the paper starts near zero).
In $L$ layers that makes $2 L (2 d r + r + d)$ parameters. As in the paper the layer norms are
trained, too: see ``norms`` in :func:`course.adapters.adapt`.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import gelu

from course.adapters.tuner import Delta, DeltaConfig, DeltaLayer, DeltaModel, register, width


@dataclass
class BottleneckConfig(DeltaConfig):
    """The settings of a bottleneck adapter, beside those of :class:`DeltaConfig`.

    Attributes:
        r: the width of the bottleneck.
    """

    r: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.r < 1:
            raise ValueError(f"r={self.r}: expected a bottleneck at least 1 wide")


class BottleneckDelta(Delta):
    """The matrices ``down`` (d -> r) and ``up`` (r -> d)."""

    def __init__(self, base_layer: nn.Module, config: BottleneckConfig):
        super().__init__(base_layer, config)
        outer = width(base_layer)[1]
        self.down, self.up = nn.Linear(outer, config.r), nn.Linear(config.r, outer)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return y + self.up(gelu(self.down(y.to(self.down.weight.dtype))))


class BottleneckLayer(DeltaLayer):
    adapter_layer_names = ("bottleneck_delta",)
    delta = BottleneckDelta


class BottleneckModel(DeltaModel):
    prefix = "bottleneck_"
    tuner_layer_cls = BottleneckLayer


register("bottleneck", BottleneckConfig, BottleneckModel)

"""LoRA written out in a few lines computes what peft's does."""

import pytest
import torch
from peft.tuners.lora import Linear
from torch import nn

from course.adapters import adapt
from course.adapters.by_hand import LoRALinear
from course.models.loading import load_model


def test_a_fresh_layer_computes_what_the_frozen_one_did():
    frozen, x = nn.Linear(6, 5), torch.randn(2, 3, 6)
    layer = LoRALinear(frozen, r=2)
    assert torch.equal(layer(x), frozen(x))
    trained = {name for name, p in layer.named_parameters() if p.requires_grad}
    assert trained == {"A", "B"}


@pytest.mark.parametrize(("r", "alpha"), [(1, 1.0), (4, 8.0)])
def test_it_computes_what_peft_does(r, alpha):
    model = adapt(load_model("bert-middle"), "lora", r=r, alpha=alpha)
    peft = next(module for module in model.modules() if isinstance(module, Linear))
    nn.init.normal_(peft.lora_B["default"].weight)
    ours = LoRALinear(peft.base_layer, r, alpha)
    ours.A, ours.B = peft.lora_A["default"].weight, peft.lora_B["default"].weight
    x = torch.randn(2, 3, peft.in_features)
    assert torch.allclose(ours(x), peft(x), atol=1e-5)

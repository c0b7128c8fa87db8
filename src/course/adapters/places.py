"""Where in a transformer the methods intervene, by architecture; names are those of the modules in ``transformers``."""

import re
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class Places:
    """Regular expressions for the whole names of modules.

    Attributes:
        attention: the last linear layer of each attention block.
        feed_forward: the last linear layer of each feed-forward block.
        norms: the layer norms of each layer.
    """

    attention: str
    feed_forward: str
    norms: str

    @property
    def blocks(self) -> str:
        """Both blocks of each layer."""
        return f"{self.attention}|{self.feed_forward}"


_LLAMA = Places(r".*\.self_attn\.o_proj", r".*\.mlp\.down_proj", r".*layers\.\d+\.\w+_layernorm")
#: ``model_type`` of a configuration -> places.
PLACES = {
    "bert": Places(r".*\.attention\.output\.dense", r".*layer\.\d+\.output\.dense", r".*layer\.\d+\..*LayerNorm"),
    "gpt_neox": Places(r".*\.attention\.dense", r".*\.mlp\.dense_4h_to_h", r".*layers\.\d+\.\w+_layernorm"),
    "gpt2": Places(r".*\.attn\.c_proj", r".*\.mlp\.c_proj", r".*h\.\d+\.ln_\d"),
    "llama": _LLAMA,
    "qwen2": _LLAMA,
}


def places(model: PreTrainedModel) -> Places:
    """The places of a model's architecture.

    Raises:
        ValueError: for an architecture that is not in :data:`PLACES`.
    """
    kind = model.config.model_type
    if kind not in PLACES:
        raise ValueError(f"no places are known for the architecture {kind!r}; add it to PLACES, which has {', '.join(PLACES)}")
    return PLACES[kind]


def head_modules(model: PreTrainedModel) -> list[str]:
    """The names of the modules that a task's head consists of; empty for a language model, whose output layer was pretrained.

    BERT's pooler counts as part of the head: it stands above the body, and masked language modelling alone never trains it.
    """
    name = type(model).__name__
    if name.endswith(("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")):
        return []
    body = model.base_model_prefix
    names = [child for child, module in model.named_children() if child != body and any(True for _ in module.parameters())]
    pooled = getattr(getattr(model, body, None), "pooler", None) is not None
    return names + ["pooler.dense"] * pooled


def norm_modules(model: PreTrainedModel) -> list[str]:
    """The whole names of the layers' norms."""
    pattern = re.compile(places(model).norms)
    return [name for name, _ in model.named_modules() if pattern.fullmatch(name)]


def biased_modules(model: PreTrainedModel) -> list[str]:
    """The whole names of the body's modules that have a bias and one input: linear layers and layer norms.

    Raises:
        ValueError: for a model without biases, such as Llama.
    """
    body, head, names = f"{model.base_model_prefix}.", head_modules(model), []
    for name, module in model.named_modules():
        # where an adapter stands already, the module of the base model is inside of it
        name = name.removesuffix(".base_layer")
        of_head = any(f".{part}." in f".{name}." for part in head)
        linear_or_norm = isinstance(module, nn.Linear | nn.LayerNorm) or hasattr(module, "nf")
        if linear_or_norm and name.startswith(body) and not of_head and getattr(module, "bias", None) is not None:
            names.append(name)
    if not names:
        raise ValueError(f"{type(model).__name__} has no biases, so BitFit has nothing to train; choose another method")
    return names

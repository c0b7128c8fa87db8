"""Target modules by architecture: where in a transformer each method acts. Names are those of the
modules in ``transformers``.
"""

import re
from dataclasses import dataclass

from peft.utils.constants import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING
from torch import nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class TargetModules:
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


_BERT = TargetModules(
    r".*\.attention\.output\.dense", r".*layer\.\d+\.output\.dense", r".*layer\.\d+\..*LayerNorm"
)
_LLAMA = TargetModules(
    r".*\.self_attn\.o_proj", r".*\.mlp\.down_proj", r".*layers\.\d+\.\w+_layernorm"
)
_BLOOM = TargetModules(
    r".*\.self_attention\.dense", r".*\.mlp\.dense_4h_to_h", r".*h\.\d+\.(\w+_layernorm|ln_\w+)"
)
#: ``model_type`` of a configuration -> target modules.
TARGET_MODULES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "electra": _BERT,
    "deberta": _BERT,
    "deberta-v2": _BERT,
    "mpnet": TargetModules(r".*\.attention\.attn\.o", _BERT.feed_forward, _BERT.norms),
    "distilbert": TargetModules(
        r".*\.attention\.out_lin", r".*\.ffn\.lin2", r".*layer\.\d+\.\w+_layer_norm"
    ),
    # all layers share one set of weights, and so they share what an adapter adds
    "albert": TargetModules(
        r".*albert_layers\.\d+\.attention\.dense",
        r".*\.ffn_output",
        r".*albert_layers\.\d+\.(attention\.LayerNorm|full_layer_layer_norm)",
    ),
    "modernbert": TargetModules(r".*\.attn\.Wo", r".*\.mlp\.Wo", r".*layers\.\d+\.\w+_norm"),
    "gpt_neox": TargetModules(
        r".*\.attention\.dense", r".*\.mlp\.dense_4h_to_h", r".*layers\.\d+\.\w+_layernorm"
    ),
    "gpt2": TargetModules(r".*\.attn\.c_proj", r".*\.mlp\.c_proj", r".*h\.\d+\.ln_\d"),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "phi3": _LLAMA,
    "phi": TargetModules(r".*\.self_attn\.dense", r".*\.mlp\.fc2", r".*layers\.\d+\.\w+_layernorm"),
    "opt": TargetModules(
        r".*\.self_attn\.out_proj", r".*layers\.\d+\.fc2", r".*layers\.\d+\.\w+_layer_norm"
    ),
    "bloom": _BLOOM,
    "falcon": _BLOOM,
}
#: What IA3 scales where ``peft`` does not know it: the ends of the names of keys and values (or of
#: the layer that makes them all), and of the feed-forward blocks' last layer.
_SCALED = {
    "xlm-roberta": (["key", "value"], ["output.dense"]),
    "electra": (["key", "value"], ["output.dense"]),
    "mpnet": (["attn.k", "attn.v"], ["output.dense"]),
    "distilbert": (["k_lin", "v_lin"], ["lin2"]),
    "albert": (["key", "value"], ["ffn_output"]),
    "modernbert": (["Wqkv"], ["mlp.Wo"]),
    "phi3": (["qkv_proj"], ["down_proj"]),
}
#: Architectures whose attention reads keys and values that were not made from its input, which a
#: prefix consists of.
WITH_CACHE = frozenset({
    "bert", "roberta", "xlm-roberta", "electra", "gpt_neox", "gpt2", "llama", "mistral", "mixtral",
    "qwen2", "qwen3", "gemma2", "phi", "phi3", "opt", "bloom", "falcon",
})  # fmt: skip


def target_modules(model: PreTrainedModel) -> TargetModules:
    """The target modules of a model's architecture.

    Raises:
        ValueError: for an architecture that is not in :data:`TARGET_MODULES`.
    """
    kind = model.config.model_type
    if kind not in TARGET_MODULES:
        raise ValueError(
            f"no target modules are known for the architecture {kind!r}, only for "
            f"{', '.join(TARGET_MODULES)}; give target_modules=[...], the ends of the "
            "names of its linear layers, and norms=False; or choose 'lora' or 'head', which know "
            "every architecture"
        )
    return TARGET_MODULES[kind]


def scaled_modules(model: PreTrainedModel) -> dict[str, list[str]]:
    """The modules that IA3 scales, as options; none where ``peft`` knows the architecture.

    Raises:
        ValueError: for an architecture that neither knows.
    """
    kind = model.config.model_type
    if kind in TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING:
        return {}
    if kind not in _SCALED:
        known = sorted({*TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING, *_SCALED})
        raise ValueError(
            f"IA3 does not know the architecture {kind!r}, only {', '.join(known)}; give "
            "target_modules=[...] and "
            "feedforward_modules=[...], or choose another method"
        )
    keys_and_values, feed_forward = _SCALED[kind]
    return {"target_modules": keys_and_values + feed_forward, "feedforward_modules": feed_forward}


def low_rank_modules(model: PreTrainedModel) -> str | list[str]:
    """The default target modules of LoRA: every linear layer of the body that is called as one."""
    # Mamba's other matrices are handed to a kernel, which would not see what an adapter adds
    return ["in_proj", "x_proj"] if model.config.model_type == "mamba" else "all-linear"


def prefix_sizes(model: PreTrainedModel) -> dict[str, int]:
    """The sizes of a prefix that ``peft`` reads wrongly from a configuration: those of Falcon's
    keys, which its heads may share.

    Raises:
        ValueError: for an architecture without a cache of keys and values.
    """
    config = model.config
    if config.model_type not in WITH_CACHE:
        raise ValueError(
            f"prefix tuning does not know the architecture {config.model_type!r}, only "
            f"{', '.join(sorted(WITH_CACHE))}: it needs an "
            "attention that reads keys and values from a cache; choose another method"
        )
    if config.model_type != "falcon":
        return {}
    shared = config.multi_query and not config.new_decoder_architecture
    heads = 1 if shared else config.num_kv_heads
    return {"num_attention_heads": heads, "token_dim": heads * config.head_dim}


def input_sizes(model: PreTrainedModel) -> dict[str, int]:
    """The sizes of vectors before the input; ``peft`` guesses them from names that not every
    configuration has.

    Raises:
        ValueError: for an architecture without attention, whose kernels do not know how many
            vectors stand before a text.
    """
    config = model.config
    if not getattr(config, "num_attention_heads", None):
        raise ValueError(
            f"vectors before the input of {config.model_type!r} are not known here, only of "
            "architectures with attention; choose 'lora'"
        )
    return {
        "token_dim": model.get_input_embeddings().weight.shape[-1],
        "num_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
    }


def head_modules(model: PreTrainedModel) -> list[str]:
    """The names of the modules that a task's head consists of; empty for a language model, whose
    output layer was pretrained.

    BERT's pooler counts as part of the head: it stands above the body, and masked language
    modelling alone never trains it.
    """
    name = type(model).__name__
    if name.endswith(("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")):
        return []
    body = model.base_model_prefix
    names = [
        child
        for child, module in model.named_children()
        if child != body and any(True for _ in module.parameters())
    ]
    pooler = getattr(getattr(model, body, None), "pooler", None)
    # ALBERT's is a linear layer itself
    return names + (
        [] if pooler is None else ["pooler.dense" if hasattr(pooler, "dense") else "pooler"]
    )


def norm_modules(model: PreTrainedModel) -> list[str]:
    """The whole names of the layers' norms."""
    pattern = re.compile(target_modules(model).norms)
    # ModernBERT's first layer has an identity in the place of one
    return [
        name
        for name, module in model.named_modules()
        if pattern.fullmatch(name) and any(True for _ in module.parameters())
    ]


def biased_modules(model: PreTrainedModel) -> list[str]:
    """The whole names of the body's modules that have a bias and one input: linear layers and layer
    norms.

    Raises:
        ValueError: for an architecture whose biases are not known, that has others than those, or
            none, such as Llama.
    """
    target_modules(model)
    if model.config.model_type == "deberta":
        raise ValueError(
            "'deberta' adds biases to queries and values outside of any linear layer, out of "
            "BitFit's reach; take deberta-v2"
        )
    body, head, names = f"{model.base_model_prefix}.", head_modules(model), []
    for name, module in model.named_modules():
        # where an adapter stands already, the module of the base model is inside of it
        name = name.removesuffix(".base_layer")
        of_head = any(f".{part}." in f".{name}." for part in head)
        linear_or_norm = isinstance(module, nn.Linear | nn.LayerNorm) or hasattr(module, "nf")
        if (
            linear_or_norm
            and name.startswith(body)
            and not of_head
            and getattr(module, "bias", None) is not None
        ):
            names.append(name)
    if not names:
        raise ValueError(
            f"{type(model).__name__} has no biases, so BitFit has nothing to train; choose "
            "another method"
        )
    return names

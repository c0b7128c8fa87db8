"""Which adapters can share a batch, and the layer that routes each of them.

Two lists say what is supported: the options of an adapter's configuration, and the layers that
``peft`` puts into a model. Everything else is refused by name, because a layer without routing
would silently apply whichever adapter is active.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, fields

from peft import IA3Config, LoraConfig, PeftConfig
from peft.tuners import ia3, lora
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import AuxiliaryTrainingWrapper, ModulesToSaveWrapper, TrainableTokensWrapper
from torch import nn

from course.adapters.routed_layers import (
    ALONE,
    Routed,
    RoutedCopy,
    RoutedDelta,
    RoutedEmbedding,
    RoutedLora,
    RoutedScale,
    RoutedTokens,
    not_routed,
)
from course.adapters.tuner import DeltaConfig, DeltaLayer

#: Options of a configuration that say where an adapter stands, how it started or was trained, or
#: what its layers here route.
_ROUTED_OPTIONS = {
    LoraConfig: {
        "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "lora_dropout",
        "init_lora_weights", "fan_in_fan_out", "target_modules", "exclude_modules",
        "modules_to_save", "layers_to_transform", "layers_pattern", "trainable_token_indices",
        "lora_bias", "use_dora", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        "runtime_config",
    },
    IA3Config: {
        "target_modules", "exclude_modules", "feedforward_modules", "fan_in_fan_out",
        "modules_to_save", "init_ia3_weights",
    },
}  # fmt: skip
_INSTEAD = {
    "target_parameters": f"name linear layers in target_modules instead, or {ALONE}",
    "bias": (
        f"train with bias='none' (lora_bias=True gives every adapter biases of its own), or {ALONE}"
    ),
}


def check_options(name: str, config: PeftConfig) -> None:
    """Refuse an adapter that needs what no layer of this module supports.

    Raises:
        ValueError: for another method, or an option that would change what the adapter says.
    """
    if isinstance(config, DeltaConfig):
        return
    if type(config) not in _ROUTED_OPTIONS:
        raise ValueError(
            f"the adapter {name!r} is {config.peft_type.value}, which cannot share a batch: "
            "expected LoRA, IA3, or one of this "
            f"package's methods; {ALONE}"
        )
    allowed = _ROUTED_OPTIONS[type(config)] | {field.name for field in fields(PeftConfig)}
    for field in fields(config):
        value = getattr(config, field.name)
        # an empty set says no more than None
        if field.name not in allowed and (value or None) != (_default(field) or None):
            raise ValueError(
                f"the adapter {name!r} has {field.name}={value!r}, which cannot share a batch; "
                f"{_INSTEAD.get(field.name, ALONE)}"
            )


def _default(field: Field) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


_ROUTES = {
    lora.Linear: RoutedLora,
    lora.Embedding: RoutedEmbedding,
    ia3.Linear: RoutedScale,
    TrainableTokensWrapper: RoutedTokens,
    ModulesToSaveWrapper: RoutedCopy,
}


def routed_layers(model: nn.Module, names: Sequence[str]) -> Iterator[tuple[str, Routed]]:
    """A layer that routes ``names`` for every adapted one of a model, with its name; nothing is
    replaced yet.

    Raises:
        ValueError: for a layer that holds a merged adapter, or that nothing here routes.
    """
    outer = "\n"
    for where, layer in model.named_modules():
        if where.startswith(outer) or not isinstance(
            layer, BaseTunerLayer | AuxiliaryTrainingWrapper
        ):
            continue
        if layer.merged_adapters:
            raise ValueError(f"an adapter is merged into {where}; call unmerge_adapter() first")
        route = RoutedDelta if isinstance(layer, DeltaLayer) else _ROUTES.get(type(layer))
        if route is None:
            raise not_routed(f"{type(layer).__module__}.{type(layer).__name__}", where)
        inner = getattr(layer, "base_layer", None)
        if isinstance(inner, BaseTunerLayer | AuxiliaryTrainingWrapper):
            raise not_routed(f"{type(layer).__name__} around {type(inner).__name__}", where)
        outer = f"{where}."
        yield where, route(layer, names, where)

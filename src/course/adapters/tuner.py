"""Base classes of adapters that change the output of chosen modules, for the methods that ``peft``
lacks.

A method is a *delta*, a small module that turns (input, output) of a module of the base model into
its new output; a layer that holds the deltas of all adapters; and a tuner that puts such layers in
place. Registered with ``peft``, it saves, loads, lists and switches like LoRA does.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from peft import PeftConfig, PeftType
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer, check_adapters_to_merge
from peft.utils import register_peft_method
from torch import nn
from transformers.pytorch_utils import Conv1D


@dataclass
class DeltaConfig(PeftConfig):
    """The settings that all methods here share.

    Attributes:
        target_modules: which modules of the base model get a delta: a regular expression for their
            whole names, or a list of endings.
        exclude_modules: as ``target_modules``; those that do not.
        modules_to_save: modules that are trained as a whole and stored with the adapter, such as
            the head.
    """

    target_modules: list[str] | str | None = None
    exclude_modules: list[str] | str | None = None
    modules_to_save: list[str] | None = field(default=None)
    #: Set by :func:`register`.
    method: ClassVar[PeftType]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = self.method


class Delta(nn.Module, ABC):
    """The change that one adapter makes at one module; a fresh one must change nothing."""

    def __init__(self, base_layer: nn.Module, config: DeltaConfig):
        super().__init__()

    @abstractmethod
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The new output (..., out) for an input ``x`` (..., in) and the base's output ``y``."""

    def merge_into(self, base_layer: nn.Module, sign: int) -> None:
        """Add the delta to the base layer's own weights (``sign=1``) or take it out again (``-1``).

        Raises:
            ValueError: if what it adds depends on the input, so that no weights of the base layer
                would do the same.
        """
        raise ValueError(
            f"{type(self).__name__} depends on the input and cannot be merged into the base "
            "model; keep it beside it"
        )


def width(layer: nn.Module) -> tuple[int, int]:
    """The sizes (in, out) of a linear layer, also of GPT-2's ``Conv1D``, or of a layer norm.

    Raises:
        TypeError: for another layer.
    """
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    if isinstance(layer, Conv1D):
        return layer.weight.shape[0], layer.nf
    if isinstance(layer, nn.LayerNorm):
        return layer.normalized_shape[-1], layer.normalized_shape[-1]
    raise TypeError(
        f"{type(layer).__name__} cannot be adapted: expected a linear layer or a layer norm; "
        "choose other target_modules"
    )


class DeltaLayer(nn.Module, BaseTunerLayer):
    """A module of the base model with the deltas of its adapters; those of the active ones count.

    A subclass says which deltas, and under which name they are stored (``peft`` finds them by it).
    """

    delta: type[Delta]
    # of peft's BaseTunerLayer, which has no types
    adapter_layer_names: tuple[str, ...]
    active_adapters: list[str]
    get_base_layer: Callable[[], nn.Module]
    set_adapter: Callable[..., None]
    _move_adapter_to_device_of_base_layer: Callable[[str], None]

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: DeltaConfig):
        super().__init__()
        self.base_layer = base_layer
        self.merged_adapters: list[str] = []
        self._active_adapter = adapter_name
        self.add_module(self.adapter_layer_names[0], nn.ModuleDict())
        self.update_layer(adapter_name, config)

    @property
    def deltas(self) -> nn.ModuleDict:
        return getattr(self, self.adapter_layer_names[0])

    def update_layer(self, adapter_name: str, config: DeltaConfig) -> None:
        """Add a fresh delta for another adapter."""
        self.deltas[adapter_name] = self.delta(self.get_base_layer(), config)
        self._move_adapter_to_device_of_base_layer(adapter_name)
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.disable_adapters and self.merged:
            self.unmerge()
        y = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters or self.merged:
            return y
        for name in self.active_adapters:
            if name in self.deltas:
                y = self.deltas[name](x, y).to(y.dtype)
        return y

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        for name in check_adapters_to_merge(self, adapter_names):
            if name in self.deltas:
                self._add_to_base(name, 1)
                self.merged_adapters.append(name)

    def unmerge(self) -> None:
        while self.merged_adapters:
            self._add_to_base(self.merged_adapters.pop(), -1)

    def _add_to_base(self, name: str, sign: int) -> None:
        delta = self.deltas[name]
        assert isinstance(delta, Delta)
        delta.merge_into(self.get_base_layer(), sign)


class DeltaModel(BaseTuner):
    """Puts a :class:`DeltaLayer` around every target module."""

    tuner_layer_cls: type[DeltaLayer]
    # which modules depends on the method and on the architecture, and stands in
    # course.adapters.target_modules
    target_module_mapping: dict[str, list[str]] = {}

    @classmethod
    def _remove_adapter_name_from_key(cls, key: str, adapter_name: str) -> str:
        # peft looks for the name just before a parameter's own; a delta's parameters may lie deeper
        return key.replace(f".{cls.prefix}delta.{adapter_name}.", f".{cls.prefix}delta.")

    def _create_and_replace(
        self,
        peft_config: DeltaConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        if isinstance(target, self.tuner_layer_cls):
            target.update_layer(adapter_name, peft_config)
            return
        layer = self.tuner_layer_cls(target, adapter_name, peft_config)
        if adapter_name not in self.active_adapters:
            layer.requires_grad_(False)
        self._replace_module(parent, target_name, layer, target)


def register(name: str, config: type[DeltaConfig], tuner: type[DeltaModel]) -> None:
    """Make a method known to ``peft``, so that ``get_peft_model`` and ``PeftModel.from_pretrained``
    accept it.

    ``peft`` names its methods in an enumeration, which Python offers no public way to extend; hence
    the lines that do it by hand.
    """
    value = name.upper()
    member = str.__new__(PeftType, value)
    member._name_ = member._value_ = value
    member._sort_order_ = len(PeftType)
    setattr(PeftType, value, member)
    PeftType._member_map_[value] = member
    PeftType._value2member_map_[value] = member
    PeftType._member_names_.append(value)
    config.method = member
    register_peft_method(name=name, config_cls=config, model_cls=tuner)

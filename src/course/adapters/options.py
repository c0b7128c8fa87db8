"""Validation of a method's options: types, ranges and the model's sizes, before the model is
changed.
"""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from peft import PeftConfig
from torch import nn
from transformers import PreTrainedModel

from course.foundation.names import checked_name
from course.foundation.validation import Rule, boolean, integer, number, optional, share, shown

#: What :func:`course.adapters.adapt` sets by itself, or what would leave nothing to train.
_NOT_OPTIONS = {field.name for field in fields(PeftConfig)}
#: Short names of options, and what ``peft`` calls them.
_SHORT = {"alpha": "lora_alpha", "length": "num_virtual_tokens"}
#: Options that are a size, and those that are switched on or off.
_SIZES = (
    "encoder_hidden_size",
    "encoder_num_layers",
    "token_dim",
    "num_layers",
    "num_attention_heads",
)
_SWITCHES = (
    "use_dora",
    "use_rslora",
    "lora_bias",
    "prefix_projection",
    "init_ia3_weights",
    "fan_in_fan_out",
)


def checked_options(
    method: str, config: type[PeftConfig], model: PreTrainedModel, options: dict[str, Any]
) -> dict[str, Any]:
    """Validated options of a method, under the names that ``peft`` has for them.

    Raises:
        TypeError: for a value of the wrong type.
        ValueError: for an option that the method does not have, or a value out of range.
    """
    known = {field.name for field in fields(config)} - _NOT_OPTIONS
    short = {name: long for name, long in _SHORT.items() if long in known}
    rules = _rules(model)
    checked: dict[str, Any] = {}
    for name, value in options.items():
        long = short.get(name, name)
        if long not in known:
            raise ValueError(
                f"the method {method!r} has no option {name!r}; choose from "
                f"{', '.join(sorted({*known, *short}))}"
            )
        if long in checked:
            raise ValueError(
                f"{name}={shown(value)} is also given as {long}={shown(checked[long])}: expected "
                "one of both"
            )
        checked[long] = rules[long](name, value) if long in rules else value
    return checked


def checked_adapter(name: str) -> str:
    """A validated name of an adapter: it must be able to name a module of torch and a folder.

    Raises:
        ValueError: if it cannot.
    """
    if "." in checked_name(name, "adapter"):
        raise ValueError(
            f"adapter {name!r} has a dot, which torch allows in no module's name; write "
            f"{name.replace('.', '_')!r}"
        )
    if hasattr(nn.ModuleDict, name) or hasattr(nn.ParameterDict, name):
        raise ValueError(
            f"an adapter cannot be called {name!r}, as torch calls something of its own; take one "
            "such as 'run-1'"
        )
    return name


def check_no_part(name: str, model: PreTrainedModel) -> None:
    """Refuse the name of a part of the model: in a file, ``peft`` could not tell the adapter from
    it.

    Raises:
        ValueError: for such a name.
    """
    if name in {part for key, _ in model.named_parameters() for part in key.split(".")}:
        raise ValueError(
            f"an adapter cannot be called {name!r}, as a part of {type(model).__name__} is; take "
            "one such as 'run-1'"
        )


def window(model: PreTrainedModel) -> int | None:
    """The context window of a model in tokens; None without a bound."""
    config = model.config
    bound = getattr(config, "max_position_embeddings", None)
    # these count positions from behind the padding token's
    return (
        bound - config.pad_token_id - 1
        if bound and config.model_type in ("roberta", "xlm-roberta", "mpnet")
        else bound
    )


def _rules(model: PreTrainedModel) -> dict[str, Rule]:
    """Option -> its rule. ``peft`` itself checks the options that are not here."""
    rank = _advised(
        integer(1, max(min(p.shape) for p in model.parameters() if p.ndim == 2)),
        "a rank above the width of the model adds parameters and nothing else",
    )
    scale = _advised(
        number(above=0), "with 0 nothing is learned, and below it a change of the wrong sign"
    )
    read = window(model)
    length = _advised(
        integer(1, read and read - 1),
        f"the model reads {read or 'any number of'} tokens, these vectors included",
    )
    token = integer(0, model.get_input_embeddings().weight.shape[0] - 1)
    layer = integer(0, model.config.num_hidden_layers - 1)
    rules: dict[str, Rule] = {
        "r": rank,
        "lora_alpha": optional(scale),
        "rank_pattern": _values(rank),
        "alpha_pattern": _values(scale),
        "num_virtual_tokens": length,
        "lora_dropout": share(below=1),
        "encoder_dropout": share(below=1),
        "target_modules": _targets(model),
        "exclude_modules": optional(_names),
        "feedforward_modules": _names,
        "modules_to_save": _saved(model),
        "trainable_token_indices": _values_or_each(token),
        "layers_to_transform": _one_or_each(layer),
    }
    sizes, switches = dict.fromkeys(_SIZES, integer(1)), dict.fromkeys(_SWITCHES, boolean())
    return rules | sizes | switches


def _advised(rule: Rule, advice: str) -> Rule:
    """A rule with advice in its errors."""

    def advised(name: str, value: Any) -> Any:
        try:
            return rule(name, value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error}; {advice}") from None

    return advised


def _each(rule: Rule) -> Rule:
    def all_of(name: str, value: Any) -> list:
        if not isinstance(value, list | tuple | set) or not value:
            raise TypeError(f"{name}={shown(value)}: expected a list that is not empty")
        return [rule(f"{name}[{i}]", part) for i, part in enumerate(value)]

    return all_of


def _values(rule: Rule) -> Rule:
    def values(name: str, value: Any) -> dict:
        if not isinstance(value, dict):
            raise TypeError(f"{name}={shown(value)}: expected a dictionary from names of modules")
        return {key: rule(f"{name}[{key!r}]", one) for key, one in value.items()}

    return values


def _values_or_each(rule: Rule) -> Rule:
    """A rule for a list, or for a dictionary of lists."""
    each = _each(rule)
    values = _values(each)
    return lambda name, value: (values if isinstance(value, dict) else each)(name, value)


def _one_or_each(rule: Rule) -> Rule:
    """A rule for a value, or for a list."""
    each = _each(rule)
    return lambda name, value: (each if isinstance(value, list | tuple) else rule)(name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name}={shown(value)}: expected the name of a module, or the end of one")
    return value


def _names(name: str, value: Any) -> str | list[str]:
    """A regular expression, or the ends of names."""
    return _text(name, value) if isinstance(value, str) else _each(_text)(name, value)


def _targets(model: PreTrainedModel) -> Rule:
    """A rule as ``_names``, for modules that the model has."""
    modules = [where for where, _ in model.named_modules()]

    def targets(name: str, value: Any) -> str | list[str]:
        names = _names(name, value)
        if names == "all-linear":
            return names
        whole = isinstance(names, str)
        for one in [names] if isinstance(names, str) else names:
            if not any(
                re.fullmatch(one, where) if whole else f".{where}".endswith(f".{one}")
                for where in modules
            ):
                raise ValueError(
                    f"{name}: {type(model).__name__} has no module {one!r}; print the model for "
                    "their names"
                )
        return names

    return targets


def _saved(model: PreTrainedModel) -> Callable[[str, Any], list[str]]:
    """A rule for names of modules in the model: ``peft`` silently ignores all others."""

    def saved(name: str, value: Any) -> list[str]:
        if isinstance(value, str):
            raise TypeError(
                f"{name}={value!r}: expected a list of names, [{value!r}] for a single one"
            )
        names = [] if value in (None, []) else _each(_text)(name, value)
        for ending in names:
            if not any(f".{where}".endswith(f".{ending}") for where, _ in model.named_modules()):
                raise ValueError(
                    f"{name}: {type(model).__name__} has no module {ending!r}; print the model "
                    "for their names"
                )
        return names

    return saved

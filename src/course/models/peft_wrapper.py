"""What ``peft`` puts around a model: the base model inside, and virtual tokens before the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def get_base_model(model: PreTrainedModel) -> PreTrainedModel:
    """The model of ``transformers`` inside one of ``peft``; any other as it is."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def num_virtual_tokens(model: PreTrainedModel) -> int:
    """How many vectors of a soft prompt (prompt tuning, prefix tuning, P-tuning) stand before every
    text and take room in the window.
    """
    config = getattr(model, "active_peft_config", None)
    # peft has no public way to ask whether its adapters are switched off
    learned = getattr(config, "is_prompt_learning", False)
    if config is None or not learned or model._adapters_disabled:
        return 0
    return config.num_virtual_tokens

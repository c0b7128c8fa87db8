"""Checks of a model: its kind, its tokenizer, evaluation mode, logits that are numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch

from course.models.peft_wrapper import get_base_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class NotANumberError(FloatingPointError):
    """A model's logits are not numbers; the message names the first weight or layer where that
    begins.
    """


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode for a while: no dropout. Afterwards every part of the model is in the mode in
    which it was.
    """
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def not_a_number(model: PreTrainedModel, ids: Sequence[int]) -> NotANumberError:
    """The error for a model whose logits for ``ids`` are not numbers. Looking for the reason costs
    a forward pass.
    """
    where = (
        _bad_weight(model)
        or _bad_layer(model, ids)
        or "the weights and, for the prompt alone, all layers are sound"
    )
    return NotANumberError(
        f"{type(get_base_model(model)).__name__} gives logits that are not numbers: {where}. Load "
        "the weights again; after a training of your own, train with a lower rate; in float16, "
        "load them in float32"
    )


def _bad_weight(model: PreTrainedModel) -> str | None:
    for name, weight in model.named_parameters():
        if weight.is_floating_point() and (bad := int((~weight.isfinite()).sum())):
            share = f"{bad} of {weight.numel()} values"
            return f"the weight {name} is the first that holds NaN or infinity ({share})"
    return None


def _bad_layer(model: PreTrainedModel, ids: Sequence[int]) -> str | None:
    found: list[str] = []

    def look(name: str) -> Callable[[torch.nn.Module, object, object], None]:
        def hook(module: torch.nn.Module, _: object, output: object) -> None:
            if not found and not _is_finite(output):
                found.append(
                    f"all weights are finite, and the layer {name} ({type(module).__name__}) is "
                    "the first whose output is not"
                )

        return hook

    hooks = [module.register_forward_hook(look(name)) for name, module in model.named_modules()]
    try:
        with torch.inference_mode(), evaluating(model):
            model(input_ids=torch.tensor([list(ids)], device=model.device))
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None


def _is_finite(output: object) -> bool:
    """Whether all numbers of a layer's output are finite; a layer gives a tensor or several in a
    tuple or a mapping.
    """
    if isinstance(output, torch.Tensor):
        return not output.is_floating_point() or bool(output.isfinite().all())
    if isinstance(output, dict):
        output = list(output.values())
    parts = output if isinstance(output, (tuple, list)) else ()
    return all(_is_finite(part) for part in parts)


@cache
def _auto_names() -> tuple[dict[str, str], dict[str, str]]:
    """Model type -> class of a causal and of a masked language model in ``transformers``."""
    from transformers.models.auto import modeling_auto  # slow to import

    names = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return dict(names), dict(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)


def fills_blanks(model: PreTrainedModel) -> bool:
    """Whether a model is a masked one (BERT) and not a causal one (GPT)."""
    causal, masked = _auto_names()
    name = type(get_base_model(model)).__name__
    return name in masked.values() and name not in causal.values()


def check_causal(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse what cannot continue a text.

    Raises:
        ValueError: for a masked model, one with an encoder, one that reads to the right or has no
            head over the vocabulary, a tokenizer that puts a token behind every text, and one with
            ids that the model does not have.
    """
    inner = get_base_model(model)
    name, config = type(inner).__name__, inner.config
    causal, masked = _auto_names()
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(
            f"{name} has an encoder and a decoder and does not continue texts: expected a causal "
            "model, as AutoModelForCausalLM "
            "or course.lm.load('gpt-middle') gives it. For this one, use its own generate()"
        )
    if fills_blanks(model):
        raise ValueError(
            f"{name} fills in blanks and cannot continue a text; use course.lm.MaskedLM(model, "
            "tokenizer)"
        )
    if config.model_type in masked and getattr(config, "is_decoder", True) is False:
        raise ValueError(
            f"{name} reads what stands behind a word, too (is_decoder=False); load it with "
            "AutoModelForMaskedLM for MaskedLM"
        )
    if name not in causal.values() and inner.get_output_embeddings() is None:
        raise ValueError(
            f"{name} has no head that gives logits over the vocabulary; load the checkpoint with "
            "AutoModelForCausalLM"
        )
    check_ids(model, tokenizer)
    alone, whole = (tokenizer("a", add_special_tokens=begin).input_ids for begin in (False, True))
    if whole[-1:] != alone[-1:]:
        behind = tokenizer.convert_ids_to_tokens(whole[-1])
        raise ValueError(
            f"the tokenizer of {tokenizer.name_or_path!r} puts {behind!r} behind every text, so "
            "nothing can go on after a prompt; "
            f"load the tokenizer that belongs to {name}, or take {behind!r} out of its "
            "post-processor"
        )


def check_masked(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse what cannot fill in a blank.

    Raises:
        ValueError: for a model that is no masked one, a tokenizer without a mask token, and one
            with ids that the model does not have.
    """
    name = type(get_base_model(model)).__name__
    if not fills_blanks(model):
        raise ValueError(
            f"{name} is no masked language model and cannot fill a blank: expected one, as "
            "AutoModelForMaskedLM or course.lm.load('bert-middle') gives it; for a causal one use "
            "course.lm.LanguageModel(model, tokenizer)"
        )
    if tokenizer.mask_token is None:
        raise ValueError(
            f"{name} fills in blanks, and the tokenizer of {tokenizer.name_or_path!r} has no mask "
            "token; load the tokenizer that belongs to the model"
        )
    check_ids(model, tokenizer)


def check_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse a tokenizer with ids that the model does not have.

    Raises:
        ValueError: saying how many the model has, and what to do.
    """
    rows = get_base_model(model).get_input_embeddings().weight.shape[0]
    highest = max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise ValueError(
            f"the tokenizer of {tokenizer.name_or_path!r} has ids up to {highest}, and "
            f"{type(get_base_model(model)).__name__} knows those below "
            f"{rows}: load both by one name (course.lm.load), or after adding tokens call "
            "model.resize_token_embeddings(len(tokenizer))"
        )

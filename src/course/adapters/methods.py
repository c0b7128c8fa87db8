r"""Adapter methods behind one call, :func:`adapt`.

LoRA, IA3, prefix tuning, prompt tuning and P-tuning come from ``peft``; BitFit, AdapterBias,
bottleneck adapters and the head alone are registered with it by their modules. Full fine-tuning
changes the model itself. With a task's head on the model, the head is trained and stored by all of
them.

In the equations $W \in \mathbb{R}^{m \times n}$ is a frozen matrix, $x$ its input and $y$ its
output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptLearningConfig,
    PromptTuningConfig,
    TaskType,
    get_peft_model,
)
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from course.adapters.adapter_bias import AdapterBiasConfig
from course.adapters.bitfit import BitFitConfig
from course.adapters.bottleneck import BottleneckConfig
from course.adapters.head_only import HeadOnlyConfig
from course.adapters.options import check_no_part, checked_adapter, checked_options
from course.adapters.target_modules import (
    biased_modules,
    head_modules,
    input_sizes,
    low_rank_modules,
    norm_modules,
    prefix_sizes,
    scaled_modules,
    target_modules,
)
from course.foundation.validation import boolean, optional
from course.models.peft_wrapper import get_base_model

#: What a class of ``transformers`` is for, in the words of ``peft``.
_TASK_TYPES = {
    "ForSequenceClassification": TaskType.SEQ_CLS,
    "ForTokenClassification": TaskType.TOKEN_CLS,
    "ForQuestionAnswering": TaskType.QUESTION_ANS,
    "ForCausalLM": TaskType.CAUSAL_LM,
    "LMHeadModel": TaskType.CAUSAL_LM,
}


@dataclass(frozen=True)
class Method:
    """A method of fine-tuning, as a figure and :func:`adapt` need it.

    Attributes:
        title: its name in figures.
        equation: what it changes, in LaTeX.
        source: the paper, as a key of the bibliography.
        config: its configuration in ``peft``; None for full fine-tuning.
        usual: its default options for a model.
        norms: whether the paper trains the layer norms, too.
        unchanged_at_start: whether a fresh adapter leaves the model's output as it was.
        merges: whether it can be added to the base model's own weights.
    """

    title: str
    equation: str
    source: str
    config: type[PeftConfig] | None
    usual: Callable[[PreTrainedModel, dict], dict] | None = None
    norms: bool = False
    unchanged_at_start: bool = True
    merges: bool = False


def _lora(model: PreTrainedModel, given: dict) -> dict:
    r = given.get("r", 4)
    # twice the rank, as is usual; and every linear layer of the body, where few parameters do most
    alpha = {} if given.get("lora_alpha") else {"lora_alpha": 2 * r}
    return (
        {"r": r}
        | ({} if "target_modules" in given else {"target_modules": low_rank_modules(model)})
        | alpha
    )


def _at(
    modules: Callable[[PreTrainedModel], str | list[str]],
) -> Callable[[PreTrainedModel, dict], dict]:
    """The default target modules of a method; an unknown architecture is no error where a caller
    names them.
    """
    return lambda model, given: (
        {} if "target_modules" in given else {"target_modules": modules(model)}
    )


#: name -> method, from the fewest parameters to the most.
METHODS = {
    "head": Method(
        "head only",
        r"\text{logits} = W_\text{head}\, f(x)",
        "devlin2019bert",
        HeadOnlyConfig,
        lambda model, given: {"modules_to_save": head_modules(model)},
    ),
    "bitfit": Method(
        "BitFit",
        r"y = W x + b + \Delta b",
        "benzaken2022bitfit",
        BitFitConfig,
        _at(biased_modules),
        merges=True,
    ),
    "adapter_bias": Method(
        "AdapterBias",
        r"y = W_2 x + b_2 + \alpha(x)\, v",
        "fu2022adapterbias",
        AdapterBiasConfig,
        _at(lambda model: target_modules(model).feed_forward),
        norms=True,
    ),
    "ia3": Method(
        "IA3",
        r"k \leftarrow l_k \odot k,\ v \leftarrow l_v \odot v,\ h \leftarrow l \odot h",
        "liu2022ia3",
        IA3Config,
        lambda model, given: {} if "target_modules" in given else scaled_modules(model),
        merges=True,
    ),
    "prefix": Method(
        "prefix tuning",
        r"\text{attention over } [P_k; K],\ [P_v; V]",
        "li2021prefix",
        PrefixTuningConfig,
        lambda model, given: {"num_virtual_tokens": 8} | prefix_sizes(model),
        unchanged_at_start=False,
    ),
    "lora": Method(
        "LoRA", r"y = W x + \frac{\alpha}{r}\, B A x", "hu2022lora", LoraConfig, _lora, merges=True
    ),
    "bottleneck": Method(
        "Houlsby",
        r"y \leftarrow y + W_\text{up}\,\phi(W_\text{down}\, y)",
        "houlsby2019adapters",
        BottleneckConfig,
        _at(lambda model: target_modules(model).blocks),
        norms=True,
    ),
    "full": Method("full fine-tuning", r"W \leftarrow W + \Delta W", "devlin2019bert", None),
}


def _before_the_input(model: PreTrainedModel, given: dict) -> dict:
    return {"num_virtual_tokens": 8} | input_sizes(model)


#: Methods that put vectors before the input and change nothing else; see :mod:`course.search.soft`.
INPUT_METHODS = {
    "prompt": Method(
        "prompt tuning",
        r"f([P; e(x)])",
        "lester2021power",
        PromptTuningConfig,
        _before_the_input,
        unchanged_at_start=False,
    ),
    "p_tuning": Method(
        "P-tuning",
        r"f([\text{MLP}(P); e(x)])",
        "liu2021gpt",
        PromptEncoderConfig,
        _before_the_input,
        unchanged_at_start=False,
    ),
}


def adapt(
    model: PreTrainedModel | PeftModel,
    method: str,
    name: str = "default",
    norms: bool | None = None,
    **options: Any,
) -> PreTrainedModel | PeftModel:
    """Make a model ready to be trained by one method: its own parameters and the head are
    trainable, all else is frozen.

    Args:
        model: of ``transformers``, or what an earlier call returned, to which another adapter of
            the same method is added.
        method: a key of :data:`METHODS` or of :data:`INPUT_METHODS`.
        name: of the adapter, which becomes the active one.
        norms: whether the layer norms are trained (and stored), too; as the method's paper has it
            if None.
        options: of the method: ``r`` and ``alpha`` (LoRA), ``r`` (bottleneck), ``length`` (prefix
            tuning), or whatever else its ``peft`` configuration takes; for prompt tuning and
            P-tuning ``length``, too. ``modules_to_save`` come on top of the head.

    Returns:
        A ``PeftModel`` around the model; for ``"full"`` the model itself.

    Raises:
        TypeError: for an argument of the wrong type.
        ValueError: for an unknown method or option, a value out of range, an architecture that the
            method does not know (the message names those it knows), a model without a head for
            ``"head"`` or without biases for ``"bitfit"``, a model with adapters of another method
            in it, or a name that is taken or cannot be one.
    """
    checked_adapter(name)
    known = METHODS | INPUT_METHODS
    if not isinstance(method, str) or method not in known:
        raise ValueError(f"no method {method!r}; choose from {', '.join(known)}")
    if not isinstance(model, PreTrainedModel | PeftModel):
        raise TypeError(
            f"{type(model).__name__} cannot be adapted: expected a model of transformers, or what "
            "adapt() returned"
        )
    norms = optional(boolean())("norms", norms)
    plain = get_base_model(model)
    if method == "full":
        if plain is not model or options or norms is not None:
            raise ValueError(
                "full fine-tuning takes a model of transformers and no options: it has no adapter "
                "to add to one"
            )
        return model.requires_grad_(True)
    _check_fits(model, known[method], name)
    config = _config(plain, method, known[method], norms, options)
    if not isinstance(model, PeftModel):
        return get_peft_model(plain, config, adapter_name=name)
    model.add_adapter(name, config)
    model.set_adapter(name)
    # peft leaves prefixes that are not in use trainable
    for other, encoder in getattr(model, "prompt_encoder", {}).items():
        encoder.requires_grad_(other == name)
    return model


def _check_fits(model: PreTrainedModel | PeftModel, method: Method, name: str) -> None:
    """Whether a model can get one more adapter of this method and name."""
    if not isinstance(model, PeftModel):
        if any(isinstance(module, BaseTunerLayer) for module in model.modules()):
            raise ValueError(
                f"this {type(model).__name__} has adapters in it already; give adapt() what it "
                "returned then, or a fresh copy of the model"
            )
    elif name in model.peft_config:
        raise ValueError(f"the model has an adapter {name!r} already; give another name")
    elif others := {
        config.peft_type.value
        for config in model.peft_config.values()
        if type(config) is not method.config
    }:
        raise ValueError(
            f"the model has adapters of {others.pop()}; {method.title} needs a copy of the base "
            "model of its own"
        )
    check_no_part(name, get_base_model(model))


def _config(
    model: PreTrainedModel, method: str, known: Method, norms: bool | None, options: dict
) -> PeftConfig:
    assert known.config is not None and known.usual is not None  # as for all but full fine-tuning
    kind = next(
        (kind for ending, kind in _TASK_TYPES.items() if type(model).__name__.endswith(ending)),
        None,
    )
    if kind is None and issubclass(known.config, PromptLearningConfig):
        raise ValueError(
            f"{known.title} does not know {type(model).__name__}, only classes that end in "
            f"{', '.join(_TASK_TYPES)}"
        )
    given = {
        name: value
        for name, value in checked_options(method, known.config, model, options).items()
        if value is not None
    }
    usual = known.usual(model, given)
    saved = [*head_modules(model), *given.pop("modules_to_save", ())]
    if known.norms if norms is None else norms:
        saved += norm_modules(model)
    # prefix tuning does nothing with this setting, but saves the head that goes with its kind of
    # task
    return known.config(
        task_type=kind, **usual | given | {"modules_to_save": list(dict.fromkeys(saved)) or None}
    )


def trainable(model: PreTrainedModel | PeftModel) -> int:
    """The number of parameters that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)

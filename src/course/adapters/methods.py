r"""One call for every way to adapt a model: :func:`adapt`.

LoRA, IA3, prefix tuning, prompt tuning and P-tuning come from ``peft``; BitFit, AdapterBias, bottleneck adapters and the head alone are
registered with it by their modules. Full fine-tuning changes the model itself. With a task's head on the model, the head is trained and
stored by all of them.

In the equations $W \in \mathbb{R}^{m \times n}$ is a frozen matrix, $x$ its input and $y$ its output.
"""

from collections.abc import Callable
from dataclasses import dataclass

from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    TaskType,
    get_peft_model,
)
from transformers import PreTrainedModel

from course.adapters.adapter_bias import AdapterBiasConfig
from course.adapters.bitfit import BitFitConfig
from course.adapters.bottleneck import BottleneckConfig
from course.adapters.head_only import HeadOnlyConfig
from course.adapters.places import biased_modules, head_modules, norm_modules, places
from course.foundation import checked_name
from course.models import bare

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
    """A way to adapt a model.

    Attributes:
        title: its name in figures.
        equation: what it changes, in LaTeX.
        source: the paper, as a key of the bibliography.
        config: makes the ``peft`` configuration for a model; None for full fine-tuning.
        norms: whether the paper trains the layer norms, too.
        unchanged_at_start: whether a fresh adapter leaves the model's output as it was.
        merges: whether it can be added to the base model's own weights.
    """

    title: str
    equation: str
    source: str
    config: Callable[..., PeftConfig] | None
    norms: bool = False
    unchanged_at_start: bool = True
    merges: bool = False


def _lora(model: PreTrainedModel, r: int = 4, alpha: int | None = None, **options) -> LoraConfig:
    # as many settings have it, twice the rank; and every linear layer of the body, where few parameters do most
    return LoraConfig(**{"r": r, "lora_alpha": alpha or 2 * r, "target_modules": "all-linear"} | options)


def _prefix(model: PreTrainedModel, length: int = 8, **options) -> PrefixTuningConfig:
    return PrefixTuningConfig(num_virtual_tokens=length, **options)


#: name -> method, from the fewest parameters to the most.
METHODS = {
    "head": Method(
        "head only", r"\text{logits} = W_\text{head}\, f(x)", "devlin2019bert",
        lambda model, **o: HeadOnlyConfig(**{"modules_to_save": head_modules(model)} | o),
    ),
    "bitfit": Method(
        "BitFit", r"y = W x + b + \Delta b", "benzaken2022bitfit",
        lambda model, **o: BitFitConfig(**{"target_modules": biased_modules(model)} | o), merges=True,
    ),
    "adapter_bias": Method(
        "AdapterBias", r"y = W_2 x + b_2 + \alpha(x)\, v", "fu2022adapterbias",
        lambda model, **o: AdapterBiasConfig(**{"target_modules": places(model).feed_forward} | o), norms=True,
    ),
    "ia3": Method(
        "IA3", r"k \leftarrow l_k \odot k,\ v \leftarrow l_v \odot v,\ h \leftarrow l \odot h", "liu2022ia3",
        lambda model, **o: IA3Config(**o), merges=True,
    ),
    "prefix": Method(
        "prefix tuning", r"\text{attention over } [P_k; K],\ [P_v; V]", "li2021prefix", _prefix, unchanged_at_start=False
    ),
    "lora": Method("LoRA", r"y = W x + \frac{\alpha}{r}\, B A x", "hu2022lora", _lora, merges=True),
    "bottleneck": Method(
        "Houlsby", r"y \leftarrow y + W_\text{up}\,\phi(W_\text{down}\, y)", "houlsby2019adapters",
        lambda model, **o: BottleneckConfig(**{"target_modules": places(model).blocks} | o), norms=True,
    ),
    "full": Method("full fine-tuning", r"W \leftarrow W + \Delta W", "devlin2019bert", None),
}  # fmt: skip


#: Methods that put vectors before the input and change nothing else; see :mod:`course.search.soft`.
INPUT_METHODS = {
    "prompt": Method(
        "prompt tuning", r"f([P; e(x)])", "lester2021power",
        lambda model, length=8, **o: PromptTuningConfig(num_virtual_tokens=length, **o), unchanged_at_start=False,
    ),
    "p_tuning": Method(
        "P-tuning", r"f([\text{MLP}(P); e(x)])", "liu2021gpt",
        lambda model, length=8, **o: PromptEncoderConfig(num_virtual_tokens=length, **o), unchanged_at_start=False,
    ),
}  # fmt: skip


def adapt(
    model: PreTrainedModel | PeftModel, method: str, name: str = "default", norms: bool | None = None, **options
) -> PreTrainedModel | PeftModel:
    """Make a model ready to be trained by one method: its own parameters and the head are trainable, all else is frozen.

    Args:
        model: of ``transformers``, or what an earlier call returned, to which another adapter of the same method is added.
        method: a key of :data:`METHODS` or of :data:`INPUT_METHODS`.
        name: of the adapter, which becomes the active one.
        norms: whether the layer norms are trained (and stored), too; as the method's paper has it if None.
        options: of the method: ``r`` and ``alpha`` (LoRA), ``r`` (bottleneck), ``length`` (prefix tuning), or whatever else its
            ``peft`` configuration takes; for prompt tuning and P-tuning ``length``, too.

    Returns:
        A ``PeftModel`` around the model; for ``"full"`` the model itself.

    Raises:
        ValueError: for an unknown method, an architecture whose places are not known, a model without a head for ``"head"``, without
            biases for ``"bitfit"``, or a name that is taken or cannot name a module and a folder.
    """
    checked_adapter(name)
    known = METHODS | INPUT_METHODS
    if method not in known:
        raise ValueError(f"no method {method!r}; choose from {', '.join(known)}")
    plain = bare(model)
    if method == "full":
        if plain is not model or options or norms is not None:
            raise ValueError("full fine-tuning takes a model of transformers and no options: it has no adapter to add to one")
        return model.requires_grad_(True)
    if isinstance(model, PeftModel) and name in model.peft_config:
        raise ValueError(f"the model has an adapter {name!r} already; give another name")
    config = _config(plain, known[method], norms, options)
    if not isinstance(model, PeftModel):
        return get_peft_model(plain, config, adapter_name=name)
    model.add_adapter(name, config)
    model.set_adapter(name)
    # peft leaves prefixes that are not in use trainable
    for other, encoder in getattr(model, "prompt_encoder", {}).items():
        encoder.requires_grad_(other == name)
    return model


def checked_adapter(name: str) -> str:
    """The name of an adapter, if it can name a module of torch and a folder.

    Raises:
        ValueError: if it cannot.
    """
    if "." in checked_name(name, "adapter"):
        raise ValueError(f"adapter {name!r} has a dot, which torch allows in no module's name; write {name.replace('.', '_')!r}")
    return name


def _config(model: PreTrainedModel, method: Method, norms: bool | None, options: dict) -> PeftConfig:
    kind = next((kind for ending, kind in _TASK_TYPES.items() if type(model).__name__.endswith(ending)), None)
    saved = head_modules(model)
    if method.norms if norms is None else norms:
        saved = saved + norm_modules(model)
    config = method.config(model, task_type=kind, **options)
    # prefix tuning has no setting for it, but saves the head that goes with its kind of task
    if saved and hasattr(config, "modules_to_save"):
        config.modules_to_save = saved
    return config


def trainable(model: PreTrainedModel | PeftModel) -> int:
    """The number of parameters that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)

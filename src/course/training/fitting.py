"""Training loop: AdamW, gradient accumulation, validation, early stopping, checkpoints.

One function, :func:`fit`, for everything that the course fine-tunes: heads, adapters, soft prompts,
instruction tuning, reward models. What is trained on, and with which loss, is an object such as
those of :mod:`course.training.completion_data` and :mod:`course.training.encoded_data`. Here the
model and the data are checked and made ready; the steps are those of
:mod:`course.training.training_run`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from course.foundation.validation import integer, number, optional
from course.models.peft_wrapper import get_base_model
from course.training.batches import Data
from course.training.encoded_data import Encoded
from course.training.fit_settings import FitSettings
from course.training.history import History
from course.training.precision import best_precision
from course.training.processes import accelerator_or_new
from course.training.training_run import TrainingRun
from course.training.validation import Validation

#: Up to this many tokens a row, plain attention is the fastest on a CPU; above, its memory is.
_PLAIN_ATTENTION = 512


def fit(
    model: PreTrainedModel,
    data: Data,
    settings: FitSettings | None = None,
    validate: Validation | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
    stop_after: int | None = None,
    bar: bool | None = None,
    accelerator: Accelerator | None = None,
) -> History:
    """Train a model's trainable parameters in place, where the model stands.

    The same model, data, settings and machine give the same weights. Under ``accelerate launch``
    the processes share each step's examples. Afterwards the model is in evaluation mode; with
    validation it holds its best weights.

    Args:
        model: of ``transformers`` or ``peft``.
        data: e.g. of :func:`course.training.completions` or :func:`course.training.encoded`.
        validate: held-out data, whose mean loss should fall, or a function of the model whose value
            should rise.
        checkpoint: file from which the run goes on if it exists, and which is written while it
            runs. The run must be given the model as it was at the start.
        checkpoint_seconds: time between checkpoints.
        stop_after: leave after this step (as if the run had been stopped there).
        bar: show a progress bar (default: if somebody watches, see
            :mod:`course.foundation.progress`).
        accelerator: the processes that train (default: a new accelerator). Its mixed precision
            counts for nothing, see ``settings.precision``. ``accelerate`` keeps one mixed precision
            for a whole Python process: whoever wants another one afterwards makes an accelerator
            with it first.

    Returns:
        The :class:`History`.

    Raises:
        ValueError: for no data, no trainable parameters, half-precision (float16) weights, patience
            without validation, fewer examples a step than processes, several processes with a mixed
            precision of accelerate's, or a checkpoint of another run or damaged.
        TrainingDiverged: if the loss or the gradient stops being finite. The model then holds its
            best weights so far, without validation those from before that step.
    """
    settings = _with_precision(settings or FitSettings(), model)
    number(0)("checkpoint_seconds", checkpoint_seconds)
    optional(integer(0))("stop_after", stop_after)
    _check(model, data, settings, validate)
    end = settings.steps if stop_after is None else min(stop_after, settings.steps)
    accelerator = accelerator_or_new(accelerator)
    if accelerator.num_processes > 1:
        model.to(accelerator.device)
    with torch.random.fork_rng(), _made_ready(model, data):
        run = TrainingRun(accelerator, model, data, settings, validate)
        run.train(end, run.resumed(checkpoint, checkpoint_seconds) if checkpoint else None, bar)
    return run.progress.history()


def _with_precision(settings: FitSettings, model: PreTrainedModel) -> FitSettings:
    return settings if settings.precision else replace(settings, precision=best_precision(model))


def _check(
    model: PreTrainedModel, data: Data, settings: FitSettings, validate: Validation | None
) -> None:
    if not len(data.tokens):
        raise ValueError("no data to train on: expected at least one example")
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise ValueError(
            "the model has no trainable parameters: set requires_grad on some, or add an adapter"
        )
    if any(p.dtype == torch.float16 for p in model.parameters()):
        raise ValueError(
            "the model is in float16, in which small gradients vanish; "
            "load it in float32 or bfloat16"
        )
    # its own loss leaves out the first label of each row, so targets would be counted wrong
    if (
        isinstance(data, Encoded)
        and type(get_base_model(model)).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    ):
        raise ValueError(
            "a causal language model is trained on completions: "
            "expected data of completions(), not of encoded()"
        )
    if settings.patience is not None and validate is None:
        raise ValueError(
            f"patience={settings.patience} needs something to validate with: "
            "pass validate=, held-out data or a function"
        )
    if validate is not None and not callable(validate) and not len(validate.tokens):
        raise ValueError("no data to validate with: expected at least one held-out example")


@contextmanager
def _made_ready(model: PreTrainedModel, data: Data) -> Iterator[None]:
    """Trainable parameters in float32, plain attention where it is fastest; afterwards as it was,
    in evaluation mode.
    """
    plain = get_base_model(model)
    attention = plain.config._attn_implementation
    faster_plain = (
        attention == "sdpa" and model.device.type == "cpu" and max(data.tokens) <= _PLAIN_ATTENTION
    )
    if faster_plain:
        plain.set_attn_implementation("eager")
    half = [p for p in model.parameters() if p.requires_grad and p.dtype == torch.bfloat16]
    for parameter in half:  # steps of the optimiser are too small for bfloat16
        parameter.data = parameter.data.float()
    try:
        yield
    finally:
        for parameter in half:
            parameter.data = parameter.data.bfloat16()
        if faster_plain:
            plain.set_attn_implementation(attention)
        model.eval()

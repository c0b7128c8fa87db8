"""Data-parallel training: several processes of ``accelerate launch`` share each step's examples."""

import torch
from accelerate import Accelerator
from accelerate.state import is_initialized


def accelerator_or_new(accelerator: Accelerator | None) -> Accelerator:
    """The caller's accelerator, else a new one.

    ``accelerate`` keeps one mixed precision for a whole Python process. A new accelerator takes the
    one in force; if there is none yet, ``"no"``, since :func:`course.training.precision.autocast`
    decides on the precision of a run.
    """
    return accelerator or Accelerator(mixed_precision=None if is_initialized() else "no")


def data_parallel(model: torch.nn.Module, accelerator: Accelerator) -> torch.nn.Module:
    """The model as several processes train it together (gradients averaged); alone, the model
    itself.

    Alone, a model needs no wrapping, and accelerate's mark on it would keep others from wrapping it
    later.

    Raises:
        ValueError: if accelerate has a mixed precision of its own in force for several processes.
    """
    if accelerator.num_processes == 1:
        return model
    if accelerator.mixed_precision != "no":
        raise ValueError(
            f"mixed_precision={accelerator.mixed_precision!r} of accelerate: expected 'no' for "
            "several processes; launch with --mixed_precision no, and choose the precision of the "
            "run in its settings"
        )
    return accelerator.prepare_model(model)
